package job

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/reevehq/reeve/internal/fault"
)

// maxError is the maximum length of a logged error in bytes.
const maxError = 2000

// errorLogger logs failed jobs. It implements river.ErrorHandler.
type errorLogger struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f *errorLogger) HandleError(ctx context.Context, row *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	outcome := "job failed, will be tried again"
	if row.Attempt >= row.MaxAttempts {
		outcome = "job failed, is left to its next period"
	}
	f.log.WarnContext(ctx, outcome, "job", row.Kind, "args", string(row.EncodedArgs), "attempt", row.Attempt,
		"error", fault.Clip(err.Error(), maxError))
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f *errorLogger) HandlePanic(ctx context.Context, row *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, "job panicked", "job", row.Kind, "args", string(row.EncodedArgs), "panic", value, "trace", trace)
	return nil
}

// warningHandler drops River's own log records below the level of a warning.
type warningHandler struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warningHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (w warningHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warningHandler{w.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (w warningHandler) WithGroup(name string) slog.Handler {
	return warningHandler{w.Handler.WithGroup(name)}
}

package job

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/reevehq/reeve/internal/fault"
)

// maxError bounds, in bytes, what a failure puts into the log.
const maxError = 2000

// failures logs what fails. It implements river.ErrorHandler.
type failures struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f *failures) HandleError(ctx context.Context, row *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	what := "job failed, will be tried again"
	if row.Attempt >= row.MaxAttempts {
		what = "job failed, is left to its next period"
	}
	f.log.WarnContext(ctx, what, "job", row.Kind, "args", string(row.EncodedArgs), "attempt", row.Attempt,
		"error", fault.Clip(err.Error(), maxError))
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f *failures) HandlePanic(ctx context.Context, row *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, "job panicked", "job", row.Kind, "args", string(row.EncodedArgs), "panic", value, "trace", trace)
	return nil
}

// warnings passes on what River itself has to say when it is a warning at least.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

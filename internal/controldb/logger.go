package controldb

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// slowQuery is the duration from which a statement is logged.
const slowQuery = time.Second

// quietLogger passes on gorm's warnings. It logs slow statements without their
// values: gorm's Trace callback would include them, so it is not called.
type quietLogger struct{ log *slog.Logger }

func (q quietLogger) LogMode(logger.LogLevel) logger.Interface { return q }

func (q quietLogger) Info(context.Context, string, ...any) {}

func (q quietLogger) Warn(ctx context.Context, msg string, _ ...any) {
	q.log.WarnContext(ctx, "control database", "message", msg)
}

func (q quietLogger) Error(ctx context.Context, msg string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok {
			msg = fmt.Sprintf("%s: %v", msg, err)
		}
	}
	q.log.WarnContext(ctx, "control database", "message", msg)
}

func (q quietLogger) Trace(ctx context.Context, begin time.Time, _ func() (string, int64), _ error) {
	if took := time.Since(begin); took > slowQuery {
		q.log.WarnContext(ctx, "control database: slow statement", "took", took)
	}
}

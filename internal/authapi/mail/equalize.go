package mail

import (
	"context"
	"math/rand/v2"
	"time"
)

// The least duration of an answer. Writing a mail takes some milliseconds more
// than finding that none is due; the difference must not show.
const (
	answerFloor  = 40 * time.Millisecond
	answerJitter = 20 * time.Millisecond
)

// EqualizeTime waits until an answer may be sent to a request that began then, of
// somebody who must not learn whether a mail was written.
func EqualizeTime(ctx context.Context, began time.Time) {
	wait := answerFloor + rand.N(answerJitter) - time.Since(began) //nolint:gosec // jitter is no secret
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

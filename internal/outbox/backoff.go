package outbox

import (
	"math/rand/v2"
	"time"
)

const (
	firstRetry = 10 * time.Second
	lastRetry  = time.Hour
	firstCool  = 5 * time.Second
	lastCool   = time.Minute
)

// retryDelay is how long a row waits after its nth failure, counted from
// zero: 10 s, doubling up to an hour, a fifth more or less so that rows
// that failed together do not come back together.
func retryDelay(n int) time.Duration {
	d := doubled(firstRetry, lastRetry, n)
	return min(lastRetry, d-d/5+rand.N(2*d/5+1)) //nolint:gosec // jitter is no secret
}

// coolDown is how long a project whose receiver cannot be reached is left alone.
func coolDown(failures int) time.Duration { return doubled(firstCool, lastCool, failures) }

func doubled(first, last time.Duration, n int) time.Duration {
	d := first
	for range n {
		if d >= last/2 {
			return last
		}
		d *= 2
	}
	return d
}

package outbox

import (
	"math/rand/v2"
	"time"
)

const (
	// minRetryDelay is the default of Options.RetryAfter.
	minRetryDelay = 10 * time.Second
	maxRetryDelay = time.Hour
	minCooldown   = 5 * time.Second
	maxCooldown   = time.Minute
)

// retryDelay returns the delay of a row after its nth failure, counted from
// zero. It doubles from first up to an hour. A jitter of 20 % spreads rows that
// failed at the same time.
func retryDelay(first time.Duration, n int) time.Duration {
	d := backoff(first, maxRetryDelay, n)
	return min(maxRetryDelay, d-d/5+rand.N(2*d/5+1)) //nolint:gosec // jitter is no secret
}

// cooldown returns the pause of a project after consecutive turns that failed
// to reach its receiver.
func cooldown(failures int) time.Duration { return backoff(minCooldown, maxCooldown, failures) }

// backoff doubles shortest n times, up to longest.
func backoff(shortest, longest time.Duration, n int) time.Duration {
	d := shortest
	for range n {
		if d >= longest/2 {
			return longest
		}
		d *= 2
	}
	return d
}

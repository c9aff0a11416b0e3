package front

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// codeTTL is how long a link works.
	codeTTL = 15 * time.Minute
	// betweenLinks is the least time between two links that are asked for.
	betweenLinks = 200 * time.Millisecond
)

// codes can each be exchanged once for a session of the operator. They are kept by
// digest, so that the time of a lookup tells nothing.
type codes struct {
	now   func() time.Time
	mu    sync.Mutex
	until map[digest]time.Time
	last  time.Time // when a link was announced
}

type digest [sha256.Size]byte

func newCodes(now func() time.Time) codes { return codes{now: now, until: map[digest]time.Time{}} }

// add returns a new code.
func (c *codes) add() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for d, until := range c.until {
		if !now.Before(until) {
			delete(c.until, d)
		}
	}
	text := rand.Text()
	c.until[sha256.Sum256([]byte(text))] = now.Add(codeTTL)
	return text
}

// redeem uses a code up, and reports whether it was good.
func (c *codes) redeem(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := digest(sha256.Sum256([]byte(text)))
	until, ok := c.until[d]
	delete(c.until, d)
	return ok && c.now().Before(until)
}

// mayAnnounce reports whether a link may be printed now.
func (c *codes) mayAnnounce() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.last) < betweenLinks {
		return false
	}
	c.last = now
	return true
}

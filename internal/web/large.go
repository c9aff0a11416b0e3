package web

import (
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Bounds of the answers that are held for slow readers, in bytes. Answers up to
// largeAnswer do not count.
const (
	largeAnswer = 1 << 20
	maxLargeOf  = 64 << 20  // of one project
	maxLarge    = 512 << 20 // of all
)

var errLarge = fault.New(fault.Unavailable, "over_capacity",
	"Too many large answers are being read: ask for fewer entries, or later").After(time.Second)

// largeAnswers counts the large answers in memory.
type largeAnswers struct {
	mu  sync.Mutex
	all int
	of  map[tenants.Ref]int
}

// hold counts n bytes for the project until release, or refuses them.
func (l *largeAnswers) hold(ref tenants.Ref, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all+n > maxLarge || l.of[ref]+n > maxLargeOf {
		return false
	}
	l.all += n
	l.of[ref] += n
	return true
}

func (l *largeAnswers) release(ref tenants.Ref, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all -= n
	if l.of[ref] -= n; l.of[ref] == 0 {
		delete(l.of, ref)
	}
}

// writeBody writes an answer, and counts a large one against the bounds until
// it has been written.
func writeBody(c *gin.Context, code int, contentType string, body []byte) {
	held, counted := c.Get(largeKey)
	if !counted || len(body) <= largeAnswer {
		c.Data(code, contentType, body)
		return
	}
	answers, ref := held.(*largeAnswers), scope(c).Tenant.Ref
	if !answers.hold(ref, len(body)) {
		writeError(c, errLarge)
		return
	}
	defer answers.release(ref, len(body))
	c.Data(code, contentType, body)
}

package front

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// codeTTL is how long the link that `reeve dev` prints works.
	codeTTL = 15 * time.Minute
	// visitTTL is how long a browser stays signed in to the pages.
	visitTTL = 12 * time.Hour
	// maxVisitors bounds the browsers that are signed in.
	maxVisitors = 100
)

// visitors are the codes that can be exchanged for a session of the operator, and
// the visits. A visit is a browser that may read on the pages what an access token
// shows. It is no session, because no token becomes one: the token stays in this
// process, and the browser has a random cookie, which no API accepts. Both are kept by digest, so that the time of a lookup tells nothing.
type visitors struct {
	now    func() time.Time
	mu     sync.Mutex
	codes  map[digest]time.Time // until when
	last   time.Time            // when a link was announced
	visits map[digest]held
}

type digest [sha256.Size]byte

// held is an access token until a time.
type held struct {
	token string
	until time.Time
}

func newVisitors(now func() time.Time) visitors {
	return visitors{now: now, codes: map[digest]time.Time{}, visits: map[digest]held{}}
}

func digestOf(text string) digest { return sha256.Sum256([]byte(text)) }

// code returns a code that can be exchanged once.
func (v *visitors) code() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := rand.Text()
	v.codes[digestOf(text)] = v.now().Add(codeTTL)
	return text
}

// betweenLinks is the least time between two links that are asked for.
const betweenLinks = 200 * time.Millisecond

// mayAnnounce reports whether a link may be printed now, and forgets those that
// have expired.
func (v *visitors) mayAnnounce() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if now.Sub(v.last) < betweenLinks {
		return false
	}
	v.last = now
	for d, until := range v.codes {
		if !now.Before(until) {
			delete(v.codes, d)
		}
	}
	return true
}

// redeem uses a code up, and reports whether it was good.
func (v *visitors) redeem(code string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	d := digestOf(code)
	until, ok := v.codes[d]
	delete(v.codes, d)
	return ok && v.now().Before(until)
}

// begin begins a visit and returns its cookie. Where there are too many, the
// one that ends first gives way.
func (v *visitors) begin(token string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for d, h := range v.visits {
		if !v.now().Before(h.until) {
			delete(v.visits, d)
		}
	}
	if len(v.visits) >= maxVisitors {
		var oldest digest
		until := v.now().Add(visitTTL)
		for d, h := range v.visits {
			if !h.until.After(until) {
				oldest, until = d, h.until
			}
		}
		delete(v.visits, oldest)
	}
	text := rand.Text()
	v.visits[digestOf(text)] = held{token, v.now().Add(visitTTL)}
	return text
}

// token returns the token of a visit.
func (v *visitors) token(cookie string) (string, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h, ok := v.visits[digestOf(cookie)]
	return h.token, ok && v.now().Before(h.until)
}

func (v *visitors) end(cookie string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.visits, digestOf(cookie))
}

// cookieName has the server's port, because browsers send the cookies of a host
// to all its ports.
func cookieName(origin string) string {
	if u, err := url.Parse(origin); err == nil && u.Port() != "" {
		return "reeve_dev_" + u.Port()
	}
	return "reeve_dev"
}

// visit returns the access token of the request's session or visit.
func (p *Pages) visit(r *http.Request) (token string, ok bool) {
	if access := p.Session.Access(r); access != "" {
		return access, true
	}
	c, err := r.Cookie(p.name)
	if err != nil {
		return "", false
	}
	return p.visitors.token(c.Value)
}

// setCookie gives the browser a cookie that scripts cannot read and other sites
// cannot cause to be sent.
func (p *Pages) setCookie(w http.ResponseWriter, value string, age time.Duration) {
	seconds := int(age.Seconds())
	if seconds == 0 {
		seconds = -1 // remove it
	}
	u, err := url.Parse(p.Origin)
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where browsers reach the server by https
		Name: p.name, Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: err == nil && u.Scheme == "https",
	})
}

package front

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// A link that a page asks for is shown at the terminal, and signs in.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	var printed []string
	p := New(Options{Origin: "http://localhost:8000", Announce: func(link string) { printed = append(printed, link) }})
	ask := func(from, origin string) int {
		r := httptest.NewRequest(http.MethodPost, "http://localhost:8000/dev/link", nil)
		r.RemoteAddr = from
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Code
	}
	for _, c := range []struct {
		name, from, origin string
		want, links        int
	}{
		{"another machine", "192.0.2.1:5", "http://localhost:8000", http.StatusForbidden, 0},
		{"another site", "127.0.0.1:5", "http://evil.example", http.StatusForbidden, 0},
		{"this machine", "127.0.0.1:5", "http://localhost:8000", http.StatusNoContent, 1},
		{"at once again", "127.0.0.1:5", "http://localhost:8000", http.StatusTooManyRequests, 1},
	} {
		if got := ask(c.from, c.origin); got != c.want || len(printed) != c.links {
			t.Errorf("%s: status %d, want %d; %d links, want %d", c.name, got, c.want, len(printed), c.links)
		}
	}
	u, err := url.Parse(printed[0])
	if err != nil || !p.codes.redeem(u.Query().Get("code")) {
		t.Errorf("the link %s does not sign in (%v)", printed[0], err)
	}
}

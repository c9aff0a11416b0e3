package dashboard

import (
	"net/http"
	"net/url"
	"time"
)

// Path is the address of a browser's session; RefreshPath continues it.
const (
	Path        = "/dashboard/session"
	RefreshPath = Path + "/refresh"
)

// cookieTTL is how long a browser keeps the cookies of a session that is not
// refreshed.
const cookieTTL = 7 * 24 * time.Hour

// Cookies are the two cookies of a session: the access token, for all paths of
// the host, and the refresh token, for Path alone. Both are HttpOnly, and are sent
// only in requests that pages of the same site cause.
//
// Over HTTPS the names have the prefixes that bind a cookie to its host (RFC
// 6265bis, section 4.1.3): a host below the main host, such as a project's, cannot
// set the access token. __Host- demands the path /, so the refresh token has
// __Secure-, and counts only together with the access token of its session.
type Cookies struct {
	access, refresh string
	secure          bool
}

// NewCookies returns the cookies of the main host that people reach at origin.
func NewCookies(origin string) Cookies {
	u, err := url.Parse(origin)
	if err == nil && u.Scheme == "https" {
		return Cookies{access: "__Host-reeve-access", refresh: "__Secure-reeve-refresh", secure: true}
	}
	c := Cookies{access: "reeve-access", refresh: "reeve-refresh"}
	if err == nil && u.Port() != "" { // browsers send the cookies of a host to all its ports
		c.access, c.refresh = c.access+"-"+u.Port(), c.refresh+"-"+u.Port()
	}
	return c
}

// Access returns the access token of a request, "" without one.
func (c Cookies) Access(r *http.Request) string {
	for _, found := range r.CookiesNamed(c.access) {
		return found.Value
	}
	return ""
}

// refreshes returns what may be the refresh token: another host of the site may
// have added one.
func (c Cookies) refreshes(r *http.Request) []string {
	var out []string
	for _, found := range r.CookiesNamed(c.refresh) {
		out = append(out, found.Value)
	}
	return out
}

// set gives the browser a session's cookies.
func (c Cookies) set(w http.ResponseWriter, t Tokens) {
	http.SetCookie(w, c.cookie(c.access, t.access, "/", cookieTTL))
	http.SetCookie(w, c.cookie(c.refresh, t.refresh, Path, cookieTTL))
}

// clear removes them.
func (c Cookies) clear(w http.ResponseWriter) {
	http.SetCookie(w, c.cookie(c.access, "", "/", -time.Second))
	http.SetCookie(w, c.cookie(c.refresh, "", Path, -time.Second))
}

func (c Cookies) cookie(name, value, path string, age time.Duration) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure where browsers reach the server by HTTPS
		Name: name, Value: value, Path: path, MaxAge: int(age.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure,
	}
}

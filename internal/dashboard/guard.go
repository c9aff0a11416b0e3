package dashboard

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrCrossOrigin refuses what a page of another origin may have caused.
var ErrCrossOrigin = fault.New(fault.Forbidden, "cross_origin_request",
	"A browser's session is used by pages of the main host only")

// Guard tells requests of the main host's own pages from those that other pages
// cause (CSRF). It is http.CrossOriginProtection, which asks what browsers say of
// a request's origin by headers that no page can set, made strict for cookies:
// a request that says nothing of its origin is refused too, unless it only reads.
// There is no token in forms that could leak, and nothing for a page to store.
type Guard struct {
	origin     *url.URL
	protection *http.CrossOriginProtection
}

// NewGuard returns the guard of the main host that people reach at origin.
func NewGuard(origin string) Guard {
	u, err := url.Parse(origin)
	if err != nil {
		u = &url.URL{}
	}
	g := Guard{origin: u, protection: http.NewCrossOriginProtection()}
	// Behind a proxy the Host may be another one. A bad origin trusts nothing.
	_ = g.protection.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	return g
}

// Check returns ErrCrossOrigin unless the request comes from a page of the main
// host or, if it only reads, from no page at all.
func (g Guard) Check(r *http.Request) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case site != "" && site != "same-origin" && site != "none":
		// Reading too: no other page has a reason to, and it might learn from how
		// long the answer takes.
		return ErrCrossOrigin
	case origin != "" && !g.own(origin, r.Host):
		return ErrCrossOrigin
	case !reads && site == "" && origin == "":
		return ErrCrossOrigin.Saying("A browser's session needs Sec-Fetch-Site or Origin: use an access token")
	}
	if err := g.protection.Check(r); err != nil {
		return ErrCrossOrigin.Because(err)
	}
	return nil
}

// own reports whether an Origin is the main host's: the public one, or the host
// that the request was sent to, under the public scheme.
func (g Guard) own(origin, host string) bool {
	return strings.EqualFold(origin, g.origin.Scheme+"://"+g.origin.Host) || strings.EqualFold(origin, g.origin.Scheme+"://"+host)
}

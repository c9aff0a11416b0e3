package redirect

import (
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/tenants"
)

// Asked is the redirect that a request asks for; requests embed it. As in the
// reference it is the header redirect_to, else the query parameter. If these
// are refused it is the referring page, if that is allowed: an app that runs at
// many addresses need not name each.
type Asked struct{ wish, referer string }

// BindHeader implements web.HeaderBinder.
func (a *Asked) BindHeader(h http.Header) {
	a.wish, a.referer = h.Get("redirect_to"), h.Get("Referer")
}

// BindQuery implements web.QueryBinder.
func (a *Asked) BindQuery(q url.Values, _ func(string) string) error {
	if a.wish == "" {
		a.wish = q.Get("redirect_to")
	}
	return nil
}

// Target returns the first allowed of: better, the requested redirect, the
// referring page; else the site URL.
func (a Asked) Target(cfg *tenants.Config, better ...string) string {
	return Target(cfg, append(better, a.wish, a.referer)...)
}

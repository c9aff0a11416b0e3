package redirect

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/reevehq/reeve/internal/projectlog"
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

// Or returns a with the redirect that a body asks for, if headers and query ask for
// none.
func (a Asked) Or(wish string) Asked {
	if a.wish == "" {
		a.wish = wish
	}
	return a
}

// Target returns the first allowed of: better, the requested redirect, the
// referring page; else the site URL. The user is not told that a requested
// redirect was refused; the project's log is.
func (a Asked) Target(ctx context.Context, sc *tenants.Scope, better ...string) string {
	cfg := &sc.Tenant.Config
	wishes := append(better, a.wish)
	target := Target(cfg, append(wishes, a.referer)...)
	for _, wish := range wishes {
		if wish == target {
			break
		}
		if wish != "" {
			sc.Log.Add(ctx, projectlog.Entry{
				Level: projectlog.Warning, Code: "redirect_refused",
				Message: "A requested redirect is not in the allow list (settings site_url and uri_allow_list); another target was used.",
				Detail:  map[string]any{"asked": WithoutValues(wish), "used": WithoutValues(target)},
			})
		}
	}
	return target
}

// WithoutValues is a URL without what may be a secret: user, fragment and the
// values of its query.
func WithoutValues(raw string) string {
	raw, _, _ = strings.Cut(raw, "#")
	raw, query, asked := strings.Cut(raw, "?")
	if scheme, rest, ok := strings.Cut(raw, "://"); ok {
		authority, path, slash := strings.Cut(rest, "/")
		raw = scheme + "://" + authority[strings.LastIndexByte(authority, '@')+1:]
		if slash {
			raw += "/" + path
		}
	}
	if !asked {
		return raw
	}
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		if name, _, ok := strings.Cut(p, "="); ok {
			parameters[i] = name + "=..."
		}
	}
	return raw + "?" + strings.Join(parameters, "&")
}

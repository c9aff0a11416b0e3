package external

import (
	"cmp"
	"context"
	"crypto/hmac"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// returned is the query, or the form, of /callback.
type returned struct {
	State       string `form:"state"`
	Code        string `form:"code"`
	User        string `form:"user"`
	Error       string `form:"error"`
	Description string `form:"error_description"`
	// Proceed is the value of the page that asks, see ask.
	Proceed string `form:"proceed"`
	cookies []*http.Cookie
}

// BindHeader implements web.HeaderBinder.
func (r *returned) BindHeader(h http.Header) {
	r.cookies = (&http.Request{Header: h}).Cookies()
}

// fromQuery is returned in a query.
type fromQuery struct{ returned }

// BindQuery implements web.QueryBinder.
func (r *fromQuery) BindQuery(q url.Values, _ func(string) string) error {
	r.State, r.Code, r.Error, r.Description = q.Get("state"), q.Get("code"), q.Get("error"), q.Get("error_description")
	// OAuth 1.0a, RFC 5849, section 2.2, and what X sends after a refusal.
	r.Code = cmp.Or(r.Code, q.Get("oauth_verifier"))
	if r.Code == "" && r.Error == "" && q.Has("denied") {
		r.Error = accessDenied
	}
	return nil
}

func (r *returned) cookie(name string) string {
	for _, c := range r.cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// maxReturned bounds a member of the callback, in bytes.
const maxReturned = 16 << 10

func (h Handler) callback(ctx context.Context, sc *tenants.Scope, req *fromQuery) (any, error) {
	return h.finish(ctx, sc, &req.returned)
}

func (h Handler) posted(ctx context.Context, sc *tenants.Scope, req *returned) (any, error) {
	return h.finish(ctx, sc, req)
}

func (h Handler) finish(ctx context.Context, sc *tenants.Scope, r *returned) (any, error) {
	cb, err := r.check(sc)
	if err != nil {
		return refusal(sc.Tenant.Config.SiteURL, err, nil)
	}
	out, err := h.Service.Finish(ctx, sc, cb)
	if err != nil {
		return refusal(sc.Tenant.Config.SiteURL, err, out)
	}
	cookies := []*http.Cookie{cookie(sc, cb.State, "", false)}
	switch {
	case out.Ask != nil:
		return ask(sc, cb, r, out.Ask), nil
	case out.Denied != nil:
		return web.Redirect{Location: redirect.WithDenial(out.RedirectTo, out.Denied.Error, out.Denied.Description), Cookies: cookies}, nil
	case out.Code != "":
		return web.Redirect{Location: redirect.WithCode(out.RedirectTo, out.Code), Cookies: cookies}, nil
	}
	return web.Redirect{Location: redirect.WithFragment(out.RedirectTo, out.Tokens.Values()), Cookies: cookies}, nil
}

func (r *returned) check(sc *tenants.Scope) (cb Callback, err error) {
	if r.State == "" {
		return cb, auth.ErrOAuthCallback.Saying("OAuth state parameter missing")
	}
	if cb.State, err = uuid.Parse(r.State); err != nil || len(r.State) != len(cb.State.String()) {
		return cb, auth.ErrOAuthState.Saying("OAuth state parameter is invalid")
	}
	if len(r.Code) > maxReturned || len(r.User) > maxReturned {
		return cb, auth.ErrOAuthCallback.Saying("The provider's answer is too long")
	}
	cb.Code, cb.User, cb.Cookie = r.Code, r.User, r.cookie(cookieName(cb.State))
	proceed := derive(sc, cb.State, "ask")
	cb.Confirmed = hmac.Equal([]byte(r.Proceed), []byte(proceed)) && hmac.Equal([]byte(r.cookie(askName(cb.State))), []byte(proceed))
	if r.Error != "" {
		cb.Denied = &Denial{Error: fault.Clip(r.Error, 100), Description: fault.Clip(r.Description, 500)}
	}
	return cb, nil
}

// askName is the cookie of a browser that was asked. It is not sent with a form
// that another site posts.
func askName(state uuid.UUID) string { return "reeve-ask-" + state.String()[:8] }

// ask shows the page that asks whether to go on.
func ask(sc *tenants.Scope, cb Callback, r *returned, a *Ask) web.Prompt {
	proceed, name := derive(sc, cb.State, "ask"), displayName(a.Provider)
	asked := cookie(sc, cb.State, proceed, false) //nolint:gosec // as cookie
	asked.Name, asked.SameSite = askName(cb.State), http.SameSiteStrictMode
	p := web.Prompt{
		Title: "Continue to " + sc.Tenant.Name + "?", Button: "Continue", Action: "callback",
		Text: []string{"This sign-in with " + name + " began in another browser or app."},
		Note: "If you did not begin it yourself, close this page: somebody may be trying to sign you in to their own account.",
		Fields: []web.PromptField{
			{Name: "state", Value: cb.State.String()},
			{Name: "code", Value: cb.Code},
			{Name: "user", Value: cb.User},
			{Name: "error", Value: r.Error},
			{Name: "error_description", Value: r.Description},
			{Name: "proceed", Value: proceed},
		},
		Cookies: []*http.Cookie{asked},
	}
	if a.Link {
		account := "the account that asked for it"
		if a.Account != "" {
			account = "the account " + a.Account
		}
		p.Title = "Link your " + name + " account?"
		p.Button = "Link"
		p.Text = []string{"Your " + name + " account will be linked to " + account + " of " + sc.Tenant.Name + ". Whoever signs in with one of them gets into it."}
		p.Note = "If this is not your account, close this page: somebody may be trying to get your sign-in linked to theirs."
	}
	return p
}

// displayNames are the providers whose names are not their capitalized settings.
var displayNames = map[string]string{
	"github": "GitHub", "gitlab": "GitLab", "linkedin": "LinkedIn", "linkedin_oidc": "LinkedIn", "slack_oidc": "Slack",
	"vercel_marketplace": "Vercel", "workos": "WorkOS", "azure": "Microsoft",
}

// displayName is a provider's name for people. One that a project defines has its
// identifier.
func displayName(provider string) string {
	if own, ok := strings.CutPrefix(provider, auth.CustomPrefix); ok {
		return own
	}
	if known, ok := displayNames[provider]; ok || provider == "" { // SQL may have emptied it
		return known
	}
	return strings.ToUpper(provider[:1]) + provider[1:]
}

// refusal sends the browser back to the app with an error. Errors of the server
// that no app waits for are answered directly.
func refusal(site string, err error, out *Outcome) (any, error) {
	f := fault.From(err)
	if out == nil || out.RedirectTo == "" {
		if !redirect.Usable(site) || f.Kind == fault.Internal && !errors.Is(err, connector.ErrExchange) || f.Kind == fault.Unavailable {
			return nil, err
		}
		return web.Redirect{Location: redirect.WithQueryError(site, f), Err: err}, nil
	}
	if !redirect.Usable(out.RedirectTo) {
		return nil, err
	}
	return web.Redirect{Location: redirect.WithError(out.RedirectTo, f, true), Err: err}, nil
}

package verify

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Link is the query of GET /verify, or the form of its page.
type Link struct {
	Type       string `form:"type"`
	Token      string `form:"token"`
	RedirectTo string `form:"redirect_to"`
	crossSite  bool
	asked      redirect.Asked
	target     string // where the browser goes, see check
}

// BindHeader implements web.HeaderBinder.
func (l *Link) BindHeader(h http.Header) {
	l.asked.BindHeader(h)
	l.crossSite = h.Get("Sec-Fetch-Site") == "cross-site"
}

// opened is a Link in a query.
type opened struct{ Link }

// BindQuery implements web.QueryBinder.
func (l *opened) BindQuery(q url.Values, param func(string) string) error {
	l.Type, l.Token = q.Get("type"), q.Get("token")
	return l.asked.BindQuery(q, param)
}

func (l *Link) redemption() Redemption {
	return Redemption{Type: l.Type, Link: l.Token, ByLink: true}
}

// check refuses a link that is not complete, and sets its target: the first
// allowed of the addresses that it names, else the site URL.
func (l *Link) check(ctx context.Context, sc *tenants.Scope) error {
	l.target = l.asked.Target(ctx, sc, l.RedirectTo)
	switch {
	case l.Type == "" || l.Token == "": // not one of our links, so no app waits for the error
		return auth.ErrValidation.Saying("Verify requires a token and a verification type")
	case !redirect.Usable(l.target): // the token is not consumed
		sc.Log.Add(ctx, projectlog.Entry{
			Code:    "site_url_unusable",
			Message: "A link in a mail leads nowhere: its redirect is not allowed, and the setting site_url is no URL that a browser can open.",
			Detail:  map[string]any{"site_url": redirect.WithoutValues(sc.Tenant.Config.SiteURL)},
		})
		return errNoTarget
	}
	return nil
}

// get shows a page with a button, unless the project redeems links at once.
// Scanners of mails open links, some in a browser that runs scripts; but they press
// no button. A link that cannot be redeemed leads to the app with the error.
func (h Handler) get(ctx context.Context, sc *tenants.Scope, req *opened) (any, error) {
	if !sc.Tenant.Config.MailerVerifyOnGet {
		return h.look(ctx, sc, req)
	}
	if err := req.check(ctx, sc); err != nil {
		return nil, err
	}
	return h.follow(ctx, sc, &req.Link)
}

// look redeems nothing: it answers HEAD, of any project, and most projects' GET.
func (h Handler) look(ctx context.Context, sc *tenants.Scope, req *opened) (any, error) {
	l := &req.Link
	if err := l.check(ctx, sc); err != nil {
		return nil, err
	}
	if len(l.Token) > maxToken {
		return l.failed(auth.ErrLinkExpired)
	}
	if err := h.Service.Check(ctx, sc, l.redemption()); err != nil {
		return l.failed(asLinkFault(err))
	}
	return l.prompt(sc), nil
}

// press is the button of the page. A form that another site posts, to sign the
// person in to somebody else's account, gets the page again.
func (h Handler) press(ctx context.Context, sc *tenants.Scope, l *Link) (any, error) {
	if err := l.check(ctx, sc); err != nil {
		return nil, err
	}
	if l.crossSite {
		return l.prompt(sc), nil
	}
	return h.follow(ctx, sc, l)
}

// follow redeems the link and sends the browser to the app.
func (h Handler) follow(ctx context.Context, sc *tenants.Scope, l *Link) (any, error) {
	in, target := l.redemption(), l.target
	out, err := h.redeem(ctx, sc, in)
	switch {
	case err != nil:
		return l.failed(err)
	case out.Code != "":
		return web.Redirect{Location: redirect.WithCode(target, out.Code)}, nil
	case out.Halfway:
		return web.Redirect{Location: redirect.WithMessage(target, halfway, in.pkce())}, nil
	}
	values := out.Tokens.Values()
	values.Set("type", out.Type)
	return web.Redirect{Location: redirect.WithFragment(target, values)}, nil
}

// failed sends the browser to the app with the error. Errors of the server are
// answered directly.
func (l *Link) failed(err error) (any, error) {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return nil, err
	}
	return web.Redirect{Location: redirect.WithError(l.target, f, l.redemption().pkce()), Err: err}, nil
}

// asLinkFault words the refusal of a token as that of a link.
func asLinkFault(err error) error {
	if errors.Is(err, auth.ErrOTPExpired) {
		return auth.ErrLinkExpired.Because(err)
	}
	return err
}

// words are the texts of the page for a verification type.
type words struct{ title, text, button string }

var pageWords = map[string]words{
	"signup":       {"Confirm your e-mail address", "Confirm that this is your address, to finish signing up to ", "Confirm"},
	"email":        {"Confirm your e-mail address", "Confirm that this is your address, to sign in to ", "Confirm"},
	"invite":       {"Accept the invitation", "You have been invited to ", "Accept"},
	"recovery":     {"Reset your password", "Go on to choose a new password for ", "Continue"},
	"magiclink":    {"Sign in", "Go on to sign in to ", "Sign in"},
	"email_change": {"Confirm the change of your e-mail address", "Confirm that you want to use another address for ", "Confirm"},
}

func (l *Link) prompt(sc *tenants.Scope) web.Prompt {
	w := pageWords[l.Type]
	p := web.Prompt{
		Title: w.title, Text: []string{w.text + sc.Tenant.Name + "."}, Button: w.button, Action: "verify/link",
		Fields: []web.PromptField{{Name: "type", Value: l.Type}, {Name: "token", Value: l.Token}, {Name: "redirect_to", Value: l.target}},
		Note:   "If you did not ask for this, close the page: nothing happens until you press the button.",
	}
	if l.redemption().pkce() {
		p.Text = append(p.Text, "Press the button in the browser in which you asked for the mail. On another device, type the code from the mail into the app instead.")
	}
	return p
}

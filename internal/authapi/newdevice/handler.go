package newdevice

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Path is the route of the links.
const Path = "/session/report"

// Handler serves the page of the links. It needs no key, because links in mails carry
// none.
type Handler struct {
	Sessions session.Sessions
	// Mailer tells users which factors were removed.
	Mailer *mail.Mailer
}

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Open.With(web.LimitVerify).GET(Path, web.Tenant(http.StatusOK, h.ask))
	r.Open.With(web.LimitVerify).POST(Path, web.Tenant(http.StatusOK, h.end))
}

// maxToken bounds the token of a link.
const maxToken = 128

// asked is the query of GET.
type asked struct{ token string }

// BindQuery implements web.QueryBinder.
func (a *asked) BindQuery(q url.Values, _ func(string) string) error {
	a.token = q.Get("token")
	return nil
}

// pressed is the form of the page.
type pressed struct {
	Token string `form:"token"`
}

// find returns the session that a link is of and its user, locked: auth.ErrLinkExpired
// for every link that ends none.
func (h Handler) find(ctx context.Context, tx *tenantdb.Tx, link string, use bool) (tenantdb.Report, *auth.User, error) {
	if link == "" || len(link) > maxToken {
		return tenantdb.Report{}, nil, auth.ErrLinkExpired
	}
	r, err := tx.FindReport(ctx, token.HashLink(link), h.Sessions.Now(), use)
	if err != nil {
		return r, nil, err
	}
	u, err := tx.UserByID(ctx, r.User, use)
	if errors.Is(err, auth.ErrUserNotFound) || err == nil && u.DeletedAt != nil {
		err = auth.ErrLinkExpired
	}
	return r, &u, err
}

// ask shows the page, and ends nothing.
func (h Handler) ask(ctx context.Context, sc *tenants.Scope, req *asked) (any, error) {
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		_, _, err := h.find(ctx, tx, req.token, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	return web.Prompt{
		Title: "Was this not you?",
		Text:  []string{"End the session that began with the sign-in in the mail: whoever uses it is signed out of " + sc.Tenant.Name + " at once. Second factors and passkeys that were added in it are removed."},
		// Relative to the page.
		Button: "End this session", Action: "report", Fields: []web.PromptField{{Name: "token", Value: req.token}},
		Note: "If it was you, close the page: nothing happens until you press the button.",
	}, nil
}

// end is the button of the page. A session that has ended meanwhile is no error.
func (h Handler) end(ctx context.Context, sc *tenants.Scope, req *pressed) (any, error) {
	told, err := h.Mailer.Notify(ctx, sc, message.FactorUnenrolled)
	if err != nil {
		return nil, err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		r, u, err := h.find(ctx, tx, req.Token, true)
		if err != nil {
			return err
		}
		sc.Log.SetUser(u.ID)
		return removal{Handler: h, tx: tx, sc: sc, user: u, told: told, now: h.Sessions.Now()}.run(ctx, r.Session)
	})
	told.End(err)
	if err != nil {
		return nil, err
	}
	sc.Log.Add(ctx, projectlog.Entry{
		Level: projectlog.Warning, Code: "session_reported",
		Message: "A user ended a session from a device that they did not know, by the link in the mail about it. Somebody else may know their password.",
	})
	return web.Prompt{
		Title: "The session has ended",
		Text: []string{
			"Whoever used it is signed out, and the second factors and passkeys that were added in it are removed.",
			"They may know your password: open " + sc.Tenant.Name + " now and choose a new one, which you use nowhere else. That ends all other sessions too.",
		},
		Note: sc.Tenant.Config.SiteURL,
	}, nil
}

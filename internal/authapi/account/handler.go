package account

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/contact"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /user, /user/identities/{id}, /user/sessions, /reauthenticate and
// /logout.
type Handler struct{ Service Service }

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Owing.GET("/user", web.User(http.StatusOK, h.get))
	r.User.With(web.LimitOTP("user")).PUT("/user", web.User(http.StatusOK, h.put))
	r.User.With(web.LimitOTP("reauthenticate")).GET("/reauthenticate", web.User(http.StatusOK, h.reauthenticate))
	r.User.DELETE("/user/identities/:id", web.User(http.StatusOK, h.unlink))
	r.User.GET("/user/sessions", web.User(http.StatusOK, h.sessions))
	r.User.DELETE("/user/sessions/:id", web.User(http.StatusNoContent, h.endSession))
	r.Owing.POST("/logout", web.User(http.StatusOK, h.logout))
}

func (h Handler) get(_ context.Context, _ *tenants.Scope, p *auth.Principal, _ *web.None) (*auth.User, error) {
	return &p.User, nil
}

// Update is the body of PUT /user and its query.
type Update struct {
	Email           *string        `json:"email"`
	Phone           *string        `json:"phone"`
	Channel         string         `json:"channel"` // of the message to Phone: sms or whatsapp; sms when absent
	Password        *string        `json:"password"`
	CurrentPassword *string        `json:"current_password"`
	Nonce           string         `json:"nonce"`
	Data            map[string]any `json:"data"`
	AppMetadata     map[string]any `json:"app_metadata"` // an admin's to change
	pkce.Challenge
	redirect.Asked
}

func (h Handler) put(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *Update) (*auth.User, error) {
	if err := req.Check(); err != nil {
		return nil, err
	}
	if req.AppMetadata != nil {
		return nil, auth.ErrNotAdmin.Saying("Only an admin can change app_metadata")
	}
	if req.Phone != nil && *req.Phone != p.User.Phone {
		// E-mail addresses can be changed while the provider is disabled.
		err := contact.Contact{Phone: *req.Phone}.Check(&sc.Tenant.Config, contact.Faults{PhoneOff: auth.ErrPhoneDisabled})
		if err != nil {
			return nil, err
		}
	}
	change := Change{
		Data: req.Data, Password: req.Password, CurrentPassword: req.CurrentPassword, Nonce: req.Nonce,
		RedirectTo: req.Asked, PKCE: req.Challenge, Channel: sms.Channel(req.Channel),
	}
	if req.Phone != nil && *req.Phone != "" {
		phone, err := auth.NormalizePhone(*req.Phone)
		if err != nil {
			return nil, err
		}
		if phone != strings.TrimPrefix(p.User.Phone, "+") {
			change.Phone = phone
		}
	}
	if req.Email != nil && *req.Email != "" {
		email, err := auth.NormalizeEmail(*req.Email)
		if err != nil {
			return nil, err
		}
		if email != p.User.Email {
			if err := errors.Join(users.AdmitEmail(ctx, sc, email), users.CompanyOnly(ctx, sc, email), users.CompanyOnly(ctx, sc, p.User.Email)); err != nil {
				return nil, err
			}
			change.Email = email
		}
	}
	return h.Service.Change(ctx, sc, p, change)
}

type empty struct{}

func (h Handler) reauthenticate(ctx context.Context, sc *tenants.Scope, p *auth.Principal, _ *web.None) (empty, error) {
	return empty{}, h.Service.Reauthenticate(ctx, sc, p)
}

// logoutScope is the query of POST /logout, and where to come back to.
type logoutScope struct {
	scope  Scope
	remote bool
	redirect.Asked
}

// BindQuery implements web.QueryBinder.
func (l *logoutScope) BindQuery(q url.Values, param func(string) string) error {
	l.scope = Scope(q.Get("scope"))
	l.remote, _ = strconv.ParseBool(q.Get("single_logout"))
	return l.Asked.BindQuery(q, param)
}

// location is where the browser goes to sign out elsewhere too.
type location struct {
	URL string `json:"url"`
}

func (h Handler) logout(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *logoutScope) (any, error) {
	var remote *redirect.Asked
	if req.remote {
		remote = &req.Asked
	}
	address, err := h.Service.Logout(ctx, sc, p, req.scope, remote)
	if err != nil {
		return nil, err
	}
	if address == "" {
		return web.NoContent{}, nil
	}
	return location{address}, nil
}

package signup

import (
	"context"
	"errors"
	"net/http"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/contact"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves POST /signup.
type Handler struct {
	Service Service
	Limiter *ratelimit.Limiter // of clients
}

// Mount adds the route.
func (h Handler) Mount(r web.Routes) {
	r.Keyed.With(web.LimitOTP("signup")).WithCaptcha().POST("/signup", web.Tenant(http.StatusOK, h.signup))
}

// Request is the body of POST /signup and its query.
type Request struct {
	Email    string         `json:"email"`
	Phone    string         `json:"phone"`
	Password string         `json:"password"`
	Channel  string         `json:"channel"` // of the message to Phone: sms or whatsapp; sms when absent
	Data     map[string]any `json:"data"`
	pkce.Challenge
	redirect.Asked
}

func (h Handler) signup(ctx context.Context, sc *tenants.Scope, req *Request) (any, error) {
	if req.anonymous() && sc.Tenant.Config.AnonymousUsers {
		return h.signInAnonymously(ctx, sc, req)
	}
	if err := allowed(&sc.Tenant.Config, req); err != nil {
		return nil, err
	}
	r, err := req.registration()
	if err != nil {
		return nil, err
	}
	if r.Email != "" {
		if err := errors.Join(users.AdmitEmail(ctx, sc, r.Email), users.CompanyOnly(ctx, sc, r.Email)); err != nil {
			return nil, err
		}
	}
	result, err := h.Service.Register(ctx, sc, r)
	if err != nil {
		return nil, err
	}
	if result.Tokens != nil {
		return result.Tokens, nil
	}
	return result.User, nil
}

func (r *Request) registration() (out Registration, err error) {
	out = Registration{Password: r.Password, Data: r.Data, RedirectTo: r.Asked, PKCE: r.Challenge, Channel: sms.Channel(r.Channel)}
	if r.Phone != "" {
		out.PKCE = pkce.Challenge{} // a typed code needs none
		out.Phone, err = auth.NormalizePhone(r.Phone)
	} else {
		out.Email, err = auth.NormalizeEmail(r.Email)
	}
	if err != nil {
		return out, err
	}
	return out, r.Check()
}

// anonymous reports whether the request has no credentials.
func (r *Request) anonymous() bool { return r.Email == "" && r.Phone == "" && r.Password == "" }

func (h Handler) signInAnonymously(ctx context.Context, sc *tenants.Scope, req *Request) (any, error) {
	if sc.Tenant.Config.DisableSignup {
		return nil, auth.ErrSignupDisabled
	}
	rule := ratelimit.Anonymous(sc.Tenant.Config.RateLimitAnonymous)
	if err := h.Limiter.Allow(ctx, sc.Tenant.Ref, rule, ratelimit.LimitKey(sc.ClientIP)); err != nil {
		return nil, err
	}
	return h.Service.SignInAnonymously(ctx, sc, req.Data)
}

// allowed refuses sign-ups that the project does not offer.
func allowed(cfg *tenants.Config, req *Request) error {
	if cfg.DisableSignup {
		return auth.ErrSignupDisabled
	}
	faults := contact.Faults{
		Both:     auth.ErrValidation.Saying("Only an email address or phone number should be provided on signup"),
		PhoneOff: auth.ErrPhoneOff,
		Neither:  auth.ErrAnonymousOff,
		EmailOff: auth.ErrEmailOff,
	}
	if req.Password != "" {
		faults.Neither = auth.ErrValidation.Saying("To sign up with a password, provide your email or phone number")
	}
	if err := (contact.Contact{Email: req.Email, Phone: req.Phone}).Check(cfg, faults); err != nil {
		return err
	}
	if req.Password == "" {
		return auth.ErrValidation.Saying("Signup requires a valid password")
	}
	return nil
}

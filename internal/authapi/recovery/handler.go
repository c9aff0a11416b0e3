package recovery

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/contact"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /recover and /resend.
type Handler struct{ Service Service }

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Keyed.With(web.LimitOTP("recover")).WithCaptcha().POST("/recover", web.Tenant(http.StatusOK, h.recover))
	r.Keyed.With(web.LimitOTP("resend")).WithCaptcha().POST("/resend", web.Tenant(http.StatusOK, h.resend))
}

// Request is the body of both routes and their query.
type Request struct {
	Type  string `json:"type"` // of /resend: signup, email_change, sms or phone_change
	Email string `json:"email"`
	Phone string `json:"phone"`
	pkce.Challenge
	redirect.Asked
}

type empty struct{}

// errPhoneOff has the text of a sign-in here, as in the reference.
var errPhoneOff = auth.ErrPhoneOff.Saying(auth.TextPhoneLoginsOff)

func (h Handler) recover(ctx context.Context, sc *tenants.Scope, req *Request) (empty, error) {
	o, err := req.order(sc)
	if err != nil {
		return empty{}, err
	}
	if err := users.CompanyOnly(ctx, sc, o.Email); err != nil {
		return empty{}, err
	}
	return empty{}, h.Service.Recover(ctx, sc, o)
}

func (h Handler) resend(ctx context.Context, sc *tenants.Scope, req *Request) (sms.Sent, error) {
	kind := Kind(req.Type)
	switch kind {
	case Signup, EmailChange:
		if req.Email == "" && req.Phone != "" && sc.Tenant.Config.ExternalPhoneEnabled {
			return sms.Sent{}, auth.ErrValidation.Saying("Type provided requires an email address")
		}
		o, err := req.order(sc)
		if err != nil {
			return sms.Sent{}, err
		}
		return sms.Sent{}, h.Service.Resend(ctx, sc, kind, o)
	case SMS, PhoneChange:
		phone, err := req.number(sc)
		if err != nil {
			return sms.Sent{}, err
		}
		return sms.Answer(h.Service.ResendText(ctx, sc, kind, phone))
	}
	return sms.Sent{}, auth.ErrValidation.Saying("type: must be signup, email_change, sms or phone_change")
}

// number is the number to which a code is sent again.
func (r *Request) number(sc *tenants.Scope) (string, error) {
	err := contact.Contact{Email: r.Email, Phone: r.Phone}.Check(&sc.Tenant.Config, contact.Faults{
		Both:     auth.ErrValidation.Saying("Only an email address or phone number should be provided"),
		PhoneOff: errPhoneOff,
	})
	if err != nil {
		return "", err
	}
	if r.Phone == "" {
		return "", auth.ErrValidation.Saying("Type provided requires a phone number")
	}
	return auth.NormalizePhone(r.Phone)
}

// order validates the members that both routes have in common.
func (r *Request) order(sc *tenants.Scope) (o Order, err error) {
	err = contact.Contact{Email: r.Email, Phone: r.Phone}.Check(&sc.Tenant.Config, contact.Faults{
		Both:     auth.ErrValidation.Saying("Only an email address or phone number should be provided"),
		PhoneOff: errPhoneOff,
		EmailOff: auth.ErrEmailOff.Saying(auth.TextEmailLoginsOff),
	})
	if err != nil {
		return o, err
	}
	if err := r.Check(); err != nil {
		return o, err
	}
	o = Order{RedirectTo: r.Asked, PKCE: r.Challenge}
	o.Email, err = auth.NormalizeEmail(r.Email)
	return o, err
}

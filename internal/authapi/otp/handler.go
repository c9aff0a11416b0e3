package otp

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

// Handler serves /otp and /magiclink.
type Handler struct{ Service Service }

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Keyed.With(web.LimitOTP("otp")).WithCaptcha().POST("/otp", web.Tenant(http.StatusOK, h.otp))
	r.Keyed.With(web.LimitOTP("magiclink")).WithCaptcha().POST("/magiclink", web.Tenant(http.StatusOK, h.magicLink))
}

// Request is the body of both routes and their query.
type Request struct {
	Email      string         `json:"email"`
	Phone      string         `json:"phone"`
	Channel    string         `json:"channel"`     // sms or whatsapp; sms when absent
	CreateUser *bool          `json:"create_user"` // true when absent
	Data       map[string]any `json:"data"`        // metadata of a new user
	pkce.Challenge
	redirect.Asked
}

type empty struct{}

func (h Handler) otp(ctx context.Context, sc *tenants.Scope, req *Request) (sms.Sent, error) {
	o, err := req.order(ctx, sc)
	if err != nil {
		return sms.Sent{}, err
	}
	o.CreateUser = req.CreateUser == nil || *req.CreateUser
	if o.Phone != "" {
		return sms.Answer(h.Service.SendText(ctx, sc, o))
	}
	return sms.Sent{}, h.Service.Send(ctx, sc, o)
}

// magicLink is /otp with an address and for new users too, as older clients
// send it.
func (h Handler) magicLink(ctx context.Context, sc *tenants.Scope, req *Request) (empty, error) {
	req.Phone = ""
	o, err := req.order(ctx, sc)
	if err != nil {
		return empty{}, err
	}
	o.CreateUser = true
	return empty{}, h.Service.Send(ctx, sc, o)
}

func (r *Request) order(ctx context.Context, sc *tenants.Scope) (o Order, err error) {
	err = contact.Contact{Email: r.Email, Phone: r.Phone}.Check(&sc.Tenant.Config, contact.Faults{
		Both:     auth.ErrValidation.Saying("Only an email address or phone number should be provided"),
		PhoneOff: auth.ErrPhoneOff.Saying(auth.TextPhoneLoginsOff),
		Neither:  auth.ErrValidation.Saying("One of email or phone must be set"),
		EmailOff: auth.ErrEmailDisabled,
	})
	if err != nil {
		return o, err
	}
	if r.Email != "" && r.Channel != "" {
		return o, auth.ErrValidation.Saying("Channel should only be specified with Phone OTP")
	}
	if err := r.Check(); err != nil {
		return o, err
	}
	o = Order{Data: r.Data, RedirectTo: r.Asked, PKCE: r.Challenge, Channel: sms.Channel(r.Channel)}
	if r.Phone != "" {
		o.Phone, err = auth.NormalizePhone(r.Phone)
		return o, err
	}
	if o.Email, err = auth.NormalizeEmail(r.Email); err != nil {
		return o, err
	}
	return o, users.CompanyOnly(ctx, sc, o.Email)
}

package verify

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /verify.
type Handler struct{ Service Service }

// Mount adds the routes. GET /verify and the form of its page need no key, because
// links in mails carry none.
func (h Handler) Mount(r web.Routes) {
	r.Open.With(web.LimitVerify).GET("/verify", web.Tenant(http.StatusOK, h.get))
	r.Open.With(web.LimitVerify).HEAD("/verify", web.Tenant(http.StatusOK, h.look))
	r.Open.With(web.LimitVerify).POST("/verify/link", web.Tenant(http.StatusOK, h.press))
	r.Keyed.With(web.LimitVerify).POST("/verify", web.Tenant(http.StatusOK, h.post))
}

// Request is the body of POST /verify, or the query of GET /verify.
type Request struct {
	Type       string `json:"type"`
	Token      string `json:"token"`
	TokenHash  string `json:"token_hash"`
	Email      string `json:"email"`
	Phone      string `json:"phone"`
	RedirectTo string `json:"redirect_to"`
}

// maxToken bounds a code or link token.
const maxToken = 128

func (r *Request) check() error {
	switch {
	case r.Type == "":
		return auth.ErrValidation.Saying("Verify requires a verification type")
	case len(r.Token) > maxToken:
		return auth.ErrOTPExpired
	case len(r.TokenHash) > maxToken:
		return auth.ErrLinkExpired
	case r.Token == "" && r.TokenHash == "":
		return auth.ErrValidation.Saying("Verify requires either a token or a token hash")
	case r.TokenHash != "" && (r.Email != "" || r.Phone != "" || r.Token != ""):
		return auth.ErrValidation.Saying("Only the token_hash and type should be provided")
	case r.TokenHash == "" && (r.Email == "") == (r.Phone == ""):
		return auth.ErrValidation.Saying("Only an email address or phone number should be provided on verify")
	}
	return nil
}

// errBadEmail is 422 here, as in the reference.
var errBadEmail = fault.New(fault.Unprocessable, "validation_failed", "Invalid email format")

// Message is the answer when a change of address still needs its other half.
type Message struct {
	Msg  string `json:"msg"`
	Code string `json:"code"`
}

func (h Handler) post(ctx context.Context, sc *tenants.Scope, req *Request) (any, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	if req.Phone != "" && !sc.Tenant.Config.ExternalPhoneEnabled {
		return nil, auth.ErrPhoneDisabled
	}
	in := Redemption{Type: req.Type, Link: req.TokenHash, Code: req.Token}
	if req.Phone != "" {
		phone, err := auth.NormalizePhone(req.Phone)
		if err != nil {
			return nil, err
		}
		in.Phone = phone
	}
	if req.Email != "" {
		email, err := auth.NormalizeEmail(req.Email)
		if err != nil {
			return nil, errBadEmail
		}
		in.Email = email
	}
	out, err := h.redeem(ctx, sc, in)
	if err != nil {
		return nil, err
	}
	if out.Halfway {
		return Message{Msg: halfway, Code: "200"}, nil
	}
	return out.Tokens, nil
}

// errNoTarget is the error of projects whose site URL is not usable.
var errNoTarget = fault.New(fault.Invalid, "validation_failed", "The link names no page to go on to, and the project has no site URL")

// halfway is the message for a user after the first of two confirmations.
const halfway = "Confirmation link accepted. Please proceed to confirm link sent to the other email"

func (h Handler) redeem(ctx context.Context, sc *tenants.Scope, in Redemption) (*Outcome, error) {
	if len(in.Link) > maxToken {
		return nil, auth.ErrLinkExpired
	}
	out, err := h.Service.Redeem(ctx, sc, in)
	if in.Link != "" {
		err = asLinkFault(err)
	}
	return out, err
}

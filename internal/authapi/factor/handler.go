package factor

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves /factors.
type Handler struct{ Service Service }

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	limited := r.Owing.With(web.LimitFactors)
	limited.POST("/factors", web.User(http.StatusOK, h.enroll))
	limited.POST("/factors/:id/challenge", web.User(http.StatusOK, h.challenge))
	limited.POST("/factors/:id/verify", web.User(http.StatusOK, h.verify))
	limited.DELETE("/factors/:id", web.User(http.StatusOK, h.unenroll))
	const codes = "/factors/recovery-codes"
	whole := r.User.With(web.LimitFactors) // a session that owes nothing
	whole.GET(codes, web.User(http.StatusOK, h.codes))
	whole.POST(codes, web.User(http.StatusOK, h.createCodes))
	limited.POST(codes+"/verify", web.User(http.StatusOK, h.verifyCode))
	whole.POST(codes+"/regenerate", web.User(http.StatusOK, h.regenerateCodes))
	whole.DELETE(codes, web.User(http.StatusOK, h.deleteCodes))
}

type enrollRequest struct {
	Type   string `json:"factor_type"`
	Name   string `json:"friendly_name"`
	Issuer string `json:"issuer"`
	Phone  string `json:"phone"`
}

func (h Handler) enroll(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *enrollRequest) (*Enrolled, error) {
	return h.Service.Enroll(ctx, sc, p, Enrollment{Kind: req.Type, Name: req.Name, Issuer: req.Issuer, Phone: req.Phone})
}

// factorID is the path of a factor.
type factorID struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (f *factorID) BindQuery(_ url.Values, param func(string) string) (err error) {
	if f.id, err = uuid.Parse(param("id")); err != nil {
		return auth.ErrFactorNotFound.Because(err)
	}
	return nil
}

type challengeRequest struct {
	factorID
	Channel string `json:"channel"`
}

func (h Handler) challenge(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *challengeRequest) (*Challenged, error) {
	return h.Service.Challenge(ctx, sc, p, req.id, req.Channel)
}

type verifyRequest struct {
	factorID
	Challenge string `json:"challenge_id"`
	Code      string `json:"code"`
	// WebAuthn is the answer of a key, in place of a code.
	WebAuthn *WebAuthnAnswer `json:"webauthn"`
}

func (h Handler) verify(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *verifyRequest) (*session.Tokens, error) {
	challenge, err := uuid.Parse(req.Challenge)
	if err != nil {
		return nil, auth.ErrValidation.Saying("challenge_id must be an UUID").Because(err)
	}
	if req.WebAuthn != nil {
		return h.Service.VerifyKey(ctx, sc, p, req.id, challenge, req.WebAuthn)
	}
	return h.Service.Verify(ctx, sc, p, req.id, challenge, req.Code)
}

// Unenrolled is the answer to the removal of a factor.
type Unenrolled struct {
	ID uuid.UUID `json:"id"`
}

func (h Handler) unenroll(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *factorID) (*Unenrolled, error) {
	return &Unenrolled{req.id}, h.Service.Unenroll(ctx, sc, p, req.id)
}

type none struct{}

func (h Handler) codes(ctx context.Context, sc *tenants.Scope, p *auth.Principal, _ *none) (*RecoveryCodes, error) {
	return h.Service.RecoveryCodes(ctx, sc, p)
}

type codesRequest struct {
	Name string `json:"friendly_name"`
}

// BodyOptional implements web.BodyOptional: a name is only sent if there is one.
func (*codesRequest) BodyOptional() {}

func (h Handler) createCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *codesRequest) (*RecoveryCodes, error) {
	return h.Service.CreateRecoveryCodes(ctx, sc, p, req.Name)
}

type codeRequest struct {
	Code string `json:"code"`
}

func (h Handler) verifyCode(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *codeRequest) (*session.Tokens, error) {
	return h.Service.VerifyRecoveryCode(ctx, sc, p, req.Code)
}

func (h Handler) regenerateCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal, _ *none) (*RecoveryCodes, error) {
	return h.Service.RegenerateRecoveryCodes(ctx, sc, p)
}

func (h Handler) deleteCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal, _ *none) (*Unenrolled, error) {
	id, err := h.Service.DeleteRecoveryCodes(ctx, sc, p)
	return &Unenrolled{id}, err
}

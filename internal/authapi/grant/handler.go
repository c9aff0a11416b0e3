package grant

import (
	"context"
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves POST /token.
type Handler struct{ Service Service }

// Mount adds the route.
func (h Handler) Mount(r web.Routes) {
	r.Keyed.With(web.LimitToken).POST("/token", web.Tenant(http.StatusOK, h.token))
}

// Request is the body of POST /token, the members of all grants together.
type Request struct {
	grantType    string
	Email        string `json:"email"`
	Phone        string `json:"phone"`
	Password     string `json:"password"`
	RefreshToken string `json:"refresh_token"`
	AuthCode     string `json:"auth_code"`
	CodeVerifier string `json:"code_verifier"`
}

// BindQuery implements web.QueryBinder.
func (r *Request) BindQuery(q url.Values, _ func(string) string) error {
	r.grantType = q.Get("grant_type")
	return nil
}

func (h Handler) token(ctx context.Context, sc *tenants.Scope, req *Request) (any, error) {
	switch req.grantType {
	case "password":
		return h.password(ctx, sc, req)
	case "refresh_token":
		if req.RefreshToken == "" {
			return nil, auth.ErrValidation.Saying("refresh_token required")
		}
		return h.Service.Refresh(ctx, sc, req.RefreshToken)
	case "pkce":
		if req.AuthCode == "" || req.CodeVerifier == "" {
			return nil, auth.ErrValidation.Saying("invalid request: both auth code and code verifier should be non-empty")
		}
		return h.Service.Exchange(ctx, sc, req.AuthCode, req.CodeVerifier)
	}
	return nil, auth.ErrUnknownGrant
}

func (h Handler) password(ctx context.Context, sc *tenants.Scope, req *Request) (any, error) {
	switch {
	case req.Email != "" && req.Phone != "":
		return nil, auth.ErrValidation.Saying("Only an email address or phone number should be provided on login")
	case req.Phone != "":
		return nil, auth.ErrPhoneDisabled
	case req.Email == "":
		return nil, auth.ErrValidation.Saying("missing email or phone")
	case !sc.Tenant.Config.ExternalEmailEnabled:
		return nil, auth.ErrEmailDisabled
	}
	email, err := auth.NormalizeEmail(req.Email)
	if err != nil { // nobody has such an address, which is all that the reference says
		return nil, auth.ErrCredentials.Because(err)
	}
	return h.Service.Password(ctx, sc, email, req.Password)
}

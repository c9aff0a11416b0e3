package grant

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// IDToken is the grant of an ID token (OpenID Connect Core, section 2) that an
// app got from an identity provider by itself, as native sign-in does.
type IDToken struct {
	idp.Service
	Providers idp.Providers
	Verifier  *token.Verifier // of the access token of a user who links
}

// maxIDToken bounds an ID token and an access token of a provider, in bytes.
const maxIDToken = 32 << 10

// idTokenRequest are the members of the request.
type idTokenRequest struct {
	Provider     string `json:"provider"`
	IDToken      string `json:"id_token"`
	AccessToken  string `json:"access_token"`
	Nonce        string `json:"nonce"`
	Issuer       string `json:"issuer"`
	LinkIdentity bool   `json:"link_identity"`
}

func (r *idTokenRequest) check() error {
	switch {
	case r.IDToken == "":
		return auth.ErrValidation.Saying("id_token required")
	case r.Provider == "":
		return auth.ErrValidation.Saying("provider is required")
	case len(r.IDToken) > maxIDToken || len(r.AccessToken) > maxIDToken || len(r.Nonce) > maxIDToken:
		return auth.ErrValidation.Saying("The token is too long")
	}
	return nil
}

// Redeem implements Grant. auth.ErrProviderUnknown, auth.ErrProviderOff,
// connector.ErrIDToken, connector.ErrUnavailable, and the errors of
// idp.Service.SignIn.
func (g IDToken) Redeem(ctx context.Context, sc *tenants.Scope, members Members) (any, error) {
	var req idTokenRequest
	if err := members.Decode(&req); err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	var person idp.Person
	if err := g.owner(ctx, sc, req.LinkIdentity, &person); err != nil {
		return nil, err
	}
	p, err := g.Providers.Find(ctx, sc, req.Provider)
	if err != nil {
		return nil, err
	}
	verifier, ok := p.Connector.(connector.IDTokenVerifier)
	if !ok {
		return nil, auth.ErrProviderUnknown.Saying("Unsupported provider: it issues no ID tokens")
	}
	profile, err := verifier.VerifyIDToken(ctx, p.Client, connector.IDToken{
		Raw: req.IDToken, AccessToken: req.AccessToken, Nonce: req.Nonce, Issuer: req.Issuer,
	})
	if err != nil {
		return nil, err
	}
	who, err := users.FromProvider(p.Name, profile, p.EmailOptional)
	if errors.Is(err, auth.ErrProviderEmail) {
		// Here the token is the client's, not what a provider answered.
		return nil, connector.ErrIDToken.Because(err).Saying("The ID token names no e-mail address")
	}
	if err != nil {
		return nil, err
	}
	person.ProviderUser, person.RedirectTo = who, sc.Tenant.Config.SiteURL
	return g.SignIn(ctx, sc, person)
}

// owner sets the user who gets the identity; nobody to sign in.
func (g IDToken) owner(ctx context.Context, sc *tenants.Scope, link bool, person *idp.Person) error {
	if !link {
		return nil
	}
	if !sc.Tenant.Config.ManualLinking {
		return auth.ErrLinkingOff
	}
	p, err := web.UserOf(ctx, g.Verifier, sc)
	if err != nil {
		return err
	}
	person.LinkTo, person.LinkedBy = &p.User.ID, p.Session.ID
	return p.CheckAAL()
}

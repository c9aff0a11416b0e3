package server

import (
	"context"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/control/thirdparty"
	"github.com/reevehq/reeve/tenants"
)

// bearers finds the claims of access tokens that a project accepts for its data: its
// own, and those of issuers that it trusts.
type bearers struct {
	server  *Server
	trusted *thirdparty.Service
}

// Claims returns the claims of a token, with a role that its bearer may have;
// thirdparty.ErrToken for a token of nobody.
func (b bearers) Claims(ctx context.Context, ref tenants.Ref, raw string) (map[string]any, error) {
	t, err := b.server.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	if _, err := b.server.verifier.Verify(t, raw); err != nil {
		claims, trustErr := b.trusted.Claims(ctx, ref, raw)
		if trustErr != nil {
			return nil, trustErr
		}
		return claims, nil
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(raw, claims); err != nil { // verified above
		return nil, thirdparty.ErrToken.Because(err)
	}
	switch claims["role"] {
	case "anon", "authenticated", "service_role":
		return claims, nil
	}
	return nil, text.Invalid("run_as.token: its role must be anon, authenticated or service_role")
}

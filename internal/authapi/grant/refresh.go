package grant

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
)

// Refresh is the grant of a refresh token.
type Refresh struct{ Sessions session.Sessions }

// Redeem implements Grant.
func (g Refresh) Redeem(ctx context.Context, sc *tenants.Scope, members Members) (any, error) {
	var req struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := members.Decode(&req); err != nil {
		return nil, err
	}
	if req.RefreshToken == "" {
		return nil, auth.ErrValidation.Saying("refresh_token required")
	}
	return g.Sessions.Rotate(ctx, sc, req.RefreshToken)
}

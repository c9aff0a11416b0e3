package account

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Unlink removes an identity of the user. auth.ErrLinkingOff,
// auth.ErrIdentityNotFound, auth.ErrLastIdentity, auth.ErrInsufficientAAL.
func (s Service) Unlink(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id uuid.UUID) error {
	if !sc.Tenant.Config.ManualLinking {
		return auth.ErrLinkingOff
	}
	if err := p.CheckAAL(); err != nil {
		return err
	}
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := s.Sessions.Lock(ctx, tx, p)
		if err != nil {
			return err
		}
		removed, err := s.Users.Unlink(ctx, tx, u, id)
		if err != nil {
			return err
		}
		traits := audit.Traits{"identity_id": id.String(), "provider": removed.Provider, "provider_id": removed.ProviderID}
		_, err = audit.User(ctx, tx, sc, u, auth.ActionIdentityUnlinked, traits, s.Now())
		return err
	})
}

// identityID is the path of DELETE /user/identities/{id}.
type identityID struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (i *identityID) BindQuery(_ url.Values, param func(string) string) (err error) {
	if i.id, err = uuid.Parse(param("id")); err != nil {
		return auth.ErrIdentityNotFound.Because(err)
	}
	return nil
}

func (h Handler) unlink(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *identityID) (empty, error) {
	return empty{}, h.Service.Unlink(ctx, sc, p, req.id)
}

// Package audit writes entries of a project's audit log in the reference's
// form, in the transaction of the event.
package audit

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Traits are further facts of an entry.
type Traits map[string]any

// User writes that the user did something to their own account, and returns the
// entry's id. traits may be nil.
func User(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, traits Traits, now time.Time) (uuid.UUID, error) {
	name := u.Email
	if name == "" {
		name = u.Phone
	}
	return tx.Audit(ctx, tenantdb.Audit{
		Action: action, ActorID: u.ID.String(), ActorUsername: name, ActorViaSSO: u.IsSSOUser, Traits: traits,
	}, now, sc.ClientAddress())
}

// Admin writes that the service role did something to a user.
func Admin(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, now time.Time) error {
	_, err := tx.Audit(ctx, tenantdb.Audit{
		Action: action, ActorID: uuid.Nil.String(), ActorUsername: string(tenants.RoleService),
		Traits: Traits{"user_id": u.ID.String(), "user_email": u.Email, "user_phone": u.Phone},
	}, now, sc.ClientAddress())
	return err
}

// By writes an entry about a user: User or Admin.
type By func(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, now time.Time) error

// Self is User without traits.
func Self(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, now time.Time) error {
	_, err := User(ctx, tx, sc, u, action, nil, now)
	return err
}

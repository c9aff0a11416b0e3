// Package audit writes entries of a project's audit log in the reference's
// form, in the transaction of the event.
package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Traits are further facts of an entry.
type Traits map[string]any

// ByProvider are the traits of an action by way of a provider.
func ByProvider(provider string) Traits { return Traits{"provider": provider} }

// User writes that the user did something to their own account, and returns the
// entry's id. traits may be nil.
func User(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, traits Traits, now time.Time) (uuid.UUID, error) {
	return tx.Audit(ctx, Of(u, action, traits), now, sc.ClientAddress())
}

// Of is the entry that User writes.
func Of(u *auth.User, action auth.Action, traits Traits) tenantdb.Audit {
	return tenantdb.Audit{
		Action: action, ActorID: u.ID.String(), ActorUsername: cmp.Or(u.Phone, u.Email), ActorName: fullName(u),
		ActorViaSSO: u.IsSSOUser, Traits: traits,
	}
}

// fullName is the name in the user's metadata; "" if there is none, or it is
// not a string.
func fullName(u *auth.User) string {
	var metadata struct {
		FullName any `json:"full_name"`
	}
	_ = json.Unmarshal(u.UserMetadata, &metadata) // metadata that is not an object (SQL may write it) has no name
	name, _ := metadata.FullName.(string)
	return name
}

// Admin writes that the service role, or a member of the project's organization,
// did something to a user.
func Admin(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, now time.Time) error {
	return AdminWith(ctx, tx, sc, u, action, nil, now)
}

// AdminWith is Admin with further traits.
func AdminWith(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, traits Traits, now time.Time) error {
	all := Traits{"user_id": u.ID.String(), "user_email": u.Email, "user_phone": u.Phone}
	maps.Copy(all, traits)
	return Service(ctx, tx, sc, action, all, now)
}

// Service writes that the service role, a member of the project's organization, or
// whoever opened a setup link did something.
func Service(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, action auth.Action, traits Traits, now time.Time) error {
	entry := tenantdb.Audit{Action: action, ActorID: uuid.Nil.String(), ActorUsername: string(tenants.RoleService), Traits: traits}
	if sc.Member != nil {
		entry.ActorID, entry.ActorUsername = sc.Member.ID.String(), sc.Member.Name
		entry.Traits = maps.Clone(traits)
		if entry.Traits == nil {
			entry.Traits = Traits{}
		}
		entry.Traits["via"] = cmp.Or(sc.Member.Via, "management_api")
	}
	_, err := tx.Audit(ctx, entry, now, sc.ClientAddress())
	return err
}

// By writes an entry about a user: User or Admin.
type By func(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, now time.Time) error

// Self is User without traits.
func Self(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action auth.Action, now time.Time) error {
	_, err := User(ctx, tx, sc, u, action, nil, now)
	return err
}

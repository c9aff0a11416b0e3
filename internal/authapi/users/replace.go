package users

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// ReplaceUnconfirmed replaces a user that was never confirmed with the user of a
// new sign-up. Only the id is kept. Users that an admin
// created, invited or promoted are never replaced: auth.ErrUserExists.
func (s Users) ReplaceUnconfirmed(ctx context.Context, tx *tenantdb.Tx, u *auth.User, n New) error {
	if !replaceable(u) {
		return auth.ErrUserExists
	}
	replacement, err := n.user(s.Now())
	if err != nil {
		return err
	}
	changes := []tenantdb.UserChange{
		tenantdb.EncryptedPassword(n.Password), tenantdb.OnlyMetadata(replacement.AppMetadata, replacement.UserMetadata),
	}
	if replacement.EmailConfirmedAt != nil {
		changes = append(changes, tenantdb.EmailConfirmedAt(replacement.EmailConfirmedAt))
	}
	if err := s.endFlows(ctx, tx, u, changes...); err != nil {
		return err
	}
	identity, err := n.Identities[0].row(u.ID, s.Now())
	if err != nil {
		return err
	}
	if err := tx.ReplaceIdentityData(ctx, u.IdentityOf(auth.ProviderEmail), s.Now(), identity.Data); err != nil {
		return err
	}
	return tx.EndSignups(ctx, u.ID)
}

// replaceable reports whether a user came from a sign-up that was never used. A
// sent confirmation proves little, because anybody may request one; but only a
// sign-up copies the identity's data to the user's metadata.
func replaceable(u *auth.User) bool {
	identity := u.IdentityOf(auth.ProviderEmail)
	if identity == nil {
		return false
	}
	var app, user, data map[string]any
	err := errors.Join(json.Unmarshal(u.AppMetadata, &app), json.Unmarshal(u.UserMetadata, &user), json.Unmarshal(identity.Data, &data))
	return err == nil && reflect.DeepEqual(app, signedUp) && reflect.DeepEqual(user, data) &&
		u.ConfirmedAt == nil && u.ConfirmationSentAt != nil && u.InvitedAt == nil && u.LastSignInAt == nil &&
		u.BannedUntil == nil && u.Phone == "" && u.Role == auth.RoleAuthenticated
}

// signedUp is the app_metadata of a user who signed up by e-mail.
var signedUp = signedUpBy(auth.ProviderEmail)

// signedUpBy is the app_metadata of a user who signed up.
func signedUpBy(provider string) map[string]any {
	return map[string]any{"provider": provider, "providers": []any{provider}}
}

package tenantdb

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// UserChange is a column of auth.users to write. Flows write only the columns
// that they change: triggers of the project's developer run between two
// statements of a transaction, and their changes must stay.
type UserChange struct {
	set  string // with %s for the parameters
	args []any
}

// UpdateUser writes columns of a user who was read under lock, and reads the
// row back into u, so that changes of BEFORE triggers show. Identities and
// factors of u stay unchanged. A taken address is auth.ErrEmailExists or
// auth.ErrPhoneExists.
func (tx *Tx) UpdateUser(ctx context.Context, u *auth.User, now time.Time, changes ...UserChange) error {
	args, set := []any{u.ID, now}, []string{"updated_at = $2"}
	for _, c := range changes {
		sql := c.set
		for _, arg := range c.args {
			args = append(args, arg)
			sql = strings.Replace(sql, "%s", "$"+strconv.Itoa(len(args)), 1)
		}
		set = append(set, sql)
	}
	row := tx.q.QueryRow(ctx, `UPDATE auth.users AS u SET `+strings.Join(set, ", ")+
		` WHERE u.id = $1 RETURNING `+userColumns+`, `+hasFactorsColumn, args...)
	return scanWritten(row, u, "update user")
}

func column(name string, value any) UserChange { return UserChange{name + " = %s", []any{value}} }

func orNull(name, value string) UserChange {
	return UserChange{name + " = nullif(%s, '')", []any{value}}
}

// Role writes role.
func Role(role string) UserChange { return column("role", role) }

// Email writes email; "" is NULL.
func Email(email string) UserChange { return orNull("email", email) }

// EmailConfirmedAt writes email_confirmed_at.
func EmailConfirmedAt(at *time.Time) UserChange { return column("email_confirmed_at", at) }

// Phone writes phone; "" is NULL.
func Phone(phone string) UserChange { return orNull("phone", phone) }

// PhoneConfirmedAt writes phone_confirmed_at.
func PhoneConfirmedAt(at *time.Time) UserChange { return column("phone_confirmed_at", at) }

// EncryptedPassword writes encrypted_password; "" is NULL.
func EncryptedPassword(hash string) UserChange { return orNull("encrypted_password", hash) }

// InvitedAt writes invited_at.
func InvitedAt(at *time.Time) UserChange { return column("invited_at", at) }

// ConfirmationSentAt writes confirmation_sent_at.
func ConfirmationSentAt(at *time.Time) UserChange { return column("confirmation_sent_at", at) }

// RecoverySentAt writes recovery_sent_at.
func RecoverySentAt(at *time.Time) UserChange { return column("recovery_sent_at", at) }

// ReauthenticationSentAt writes reauthentication_sent_at.
func ReauthenticationSentAt(at *time.Time) UserChange { return column("reauthentication_sent_at", at) }

// NewEmail writes email_change and clears the confirmations of both addresses.
func NewEmail(email string) UserChange {
	return UserChange{"email_change = %s, email_change_confirm_status = 0", []any{email}}
}

// NewPhone writes phone_change.
func NewPhone(phone string) UserChange { return column("phone_change", phone) }

// PhoneChangeSentAt writes phone_change_sent_at.
func PhoneChangeSentAt(at *time.Time) UserChange { return column("phone_change_sent_at", at) }

// EmailChangeSentAt writes email_change_sent_at.
func EmailChangeSentAt(at *time.Time) UserChange { return column("email_change_sent_at", at) }

// EmailChangeConfirmStatus writes how many addresses have confirmed a change.
func EmailChangeConfirmStatus(n int) UserChange { return column("email_change_confirm_status", n) }

// LastSignInAt writes last_sign_in_at.
func LastSignInAt(at *time.Time) UserChange { return column("last_sign_in_at", at) }

// BannedUntil writes banned_until.
func BannedUntil(at *time.Time) UserChange { return column("banned_until", at) }

// DeletedAt writes deleted_at.
func DeletedAt(at *time.Time) UserChange { return column("deleted_at", at) }

// NotAnonymous makes an anonymous user a permanent one.
func NotAnonymous() UserChange { return UserChange{set: "is_anonymous = false"} }

// AppMetadata merges members into raw_app_meta_data; null removes one.
func AppMetadata(changes map[string]any) (UserChange, error) {
	return merge("raw_app_meta_data", changes)
}

// UserMetadata merges members into raw_user_meta_data; null removes one.
func UserMetadata(changes map[string]any) (UserChange, error) {
	return merge("raw_user_meta_data", changes)
}

// OnlyMetadata replaces both halves of the metadata.
func OnlyMetadata(app, user json.RawMessage) UserChange {
	return UserChange{"raw_app_meta_data = %s, raw_user_meta_data = %s", []any{orEmpty(app), orEmpty(user)}}
}

// merge merges in the database, so that what a trigger wrote since the row was
// read stays.
func merge(name string, changes map[string]any) (UserChange, error) {
	put, removed, err := split(changes)
	if err != nil {
		return UserChange{}, err
	}
	return UserChange{name + ` = ` + merged("u."+name, "%s", "%s"), []any{put, removed}}, nil
}

// merged is the SQL of an object with the members of put and without those of
// removed.
func merged(column, put, removed string) string {
	return `(CASE WHEN pg_catalog.jsonb_typeof(` + column + `) = 'object' THEN ` + column + ` ELSE '{}' END || ` +
		put + `::pg_catalog.jsonb) - ` + removed + `::pg_catalog.text[]`
}

func split(changes map[string]any) (put string, removed []string, err error) {
	kept := make(map[string]any, len(changes))
	removed = []string{}
	for name, value := range changes {
		if value == nil {
			removed = append(removed, name)
			continue
		}
		kept[name] = value
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return "", nil, fmt.Errorf("encode metadata: %w", err)
	}
	return string(raw), removed, nil
}

// UpdateIdentity merges members into an identity's data and reads the row back.
// A change of the data's email changes the identity's address.
func (tx *Tx) UpdateIdentity(ctx context.Context, i *auth.Identity, now time.Time, data map[string]any) error {
	put, removed, err := split(data)
	if err != nil {
		return err
	}
	return tx.scanIdentity(ctx, i, "update identity", `UPDATE auth.identities AS i SET updated_at = $2,
			identity_data = `+merged("i.identity_data", "$3", "$4")+`
		WHERE i.id = $1`, i.ID, now, put, removed)
}

// ReplaceIdentityData replaces all data of an identity.
func (tx *Tx) ReplaceIdentityData(ctx context.Context, i *auth.Identity, now time.Time, data json.RawMessage) error {
	return tx.scanIdentity(ctx, i, "replace identity data", `UPDATE auth.identities AS i SET updated_at = $2, identity_data = $3
		WHERE i.id = $1`, i.ID, now, orEmpty(data))
}

// CreateIdentity writes a new identity and reads the row back.
func (tx *Tx) CreateIdentity(ctx context.Context, i *auth.Identity) error {
	return tx.scanIdentity(ctx, i, "create identity", `INSERT INTO auth.identities AS i
			(id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.ID, i.ProviderID, i.UserID, orEmpty(i.Data), i.Provider, i.LastSignInAt, i.CreatedAt, i.UpdatedAt)
}

func (tx *Tx) scanIdentity(ctx context.Context, i *auth.Identity, what, sql string, args ...any) error {
	var r identityRow
	if err := tx.q.QueryRow(ctx, sql+` RETURNING `+identityColumns, args...).Scan(r.targets()...); err != nil {
		return asFault(suppressed(fmt.Errorf("%s: %w", what, err)))
	}
	*i = r.identity(i.UserID)
	return nil
}

// DeleteIdentity removes an identity of a user; auth.ErrIdentityNotFound.
func (tx *Tx) DeleteIdentity(ctx context.Context, user, id uuid.UUID) error {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.identities WHERE user_id = $1 AND id = $2`, user, id)
	if err != nil {
		return fmt.Errorf("delete identity: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrIdentityNotFound
	}
	return nil
}

// DeleteIdentities removes all identities of a user, except those of the given
// providers.
func (tx *Tx) DeleteIdentities(ctx context.Context, user uuid.UUID, except ...string) error {
	if except == nil {
		except = []string{}
	}
	if _, err := tx.q.Exec(ctx, `DELETE FROM auth.identities WHERE user_id = $1 AND provider <> ALL ($2::pg_catalog.text[])`, user, except); err != nil {
		return fmt.Errorf("delete identities: %w", err)
	}
	return nil
}

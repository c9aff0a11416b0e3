package tenantdb

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// CreateUser writes a new user and reads the row back into u, so that changes
// of BEFORE triggers show. A taken address is auth.ErrEmailExists.
func (tx *Tx) CreateUser(ctx context.Context, u *auth.User) error {
	row := tx.q.QueryRow(ctx, createUserSQL, newUserArgs(u)...)
	return scanWritten(row, u, "create user")
}

var createUserSQL = `INSERT INTO auth.users AS u (` + newUserColumns + `) VALUES (` + newUserValues(1) + `)
	RETURNING ` + userColumns + `, false`

// newUserColumns are the columns of a new row of auth.users. Those of pending
// changes, which only later statements write, have their defaults; the last three
// are not null in the reference's rows.
const newUserColumns = `instance_id, id, aud, role, email, encrypted_password,
	email_confirmed_at, invited_at, phone, phone_confirmed_at, confirmation_sent_at, recovery_sent_at,
	email_change, email_change_sent_at, email_change_confirm_status, last_sign_in_at,
	raw_app_meta_data, raw_user_meta_data, created_at, updated_at, banned_until, is_anonymous, is_sso_user,
	confirmation_token, recovery_token, email_change_token_new`

// newUserValues are the values of newUserColumns, as parameters from $first on:
// those of newUserArgs.
func newUserValues(first int) string {
	list := []string{`'00000000-0000-0000-0000-000000000000'`}
	for i := range newUserArgs(&auth.User{}) {
		value := fmt.Sprintf("$%d", first+i)
		switch i {
		case 3, 4, 7: // email, encrypted_password, phone
			value = `nullif(` + value + `, '')`
		}
		list = append(list, value)
	}
	return strings.Join(append(list, `''`, `''`, `''`), ", ")
}

func newUserArgs(u *auth.User) []any {
	return []any{
		binaryID(u.ID), u.Aud, u.Role, u.Email, u.EncryptedPassword,
		u.EmailConfirmedAt, u.InvitedAt, u.Phone, u.PhoneConfirmedAt, u.ConfirmationSentAt, u.RecoverySentAt,
		u.NewEmail, u.EmailChangeSentAt, u.EmailChangeConfirmStatus, u.LastSignInAt,
		orEmpty(u.AppMetadata), orEmpty(u.UserMetadata), u.CreatedAt, u.UpdatedAt, u.BannedUntil, u.IsAnonymous, u.IsSSOUser,
	}
}

// scanWritten reads back a row that was just written. It leaves u's identities
// and factors unchanged.
func scanWritten(row pgx.Row, u *auth.User, what string) error {
	var r userRow
	if err := row.Scan(r.targets()...); err != nil {
		return asFault(suppressed(fmt.Errorf("%s: %w", what, err)))
	}
	identities, factors := u.Identities, u.Factors
	*u = r.user()
	u.Identities, u.Factors = identities, factors
	return nil
}

package tenantdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/auth"
)

// DeleteUser removes the user and, by foreign keys, everything that belongs to
// them. auth.ErrUserNotFound; auth.ErrUserReferenced, which names the table,
// when a foreign key of the developer's forbids it, including a deferred one.
func (tx *Tx) DeleteUser(ctx context.Context, id uuid.UUID) error {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.users WHERE id = $1`, id)
	if err == nil {
		_, err = tx.q.Exec(ctx, `SET CONSTRAINTS ALL IMMEDIATE`)
	}
	if err != nil {
		return asFault(referenced(fmt.Errorf("delete user: %w", err)))
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrUserNotFound
	}
	return nil
}

// referenced turns a violated foreign key into auth.ErrUserReferenced.
func referenced(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "23503" {
		return err
	}
	return auth.ErrUserReferenced.Because(err).
		Saying(fmt.Sprintf("Rows of table %s.%s refer to this user (constraint %s)", pg.SchemaName, pg.TableName, pg.ConstraintName))
}

// DeleteFactors removes all second factors of a user.
func (tx *Tx) DeleteFactors(ctx context.Context, user uuid.UUID) error {
	if _, err := tx.q.Exec(ctx, `DELETE FROM auth.mfa_factors WHERE user_id = $1`, user); err != nil {
		return fmt.Errorf("delete factors: %w", err)
	}
	return nil
}

// DeleteFactor removes a second factor of a user, and reports whether there was one.
func (tx *Tx) DeleteFactor(ctx context.Context, user, factor uuid.UUID) (bool, error) {
	tag, err := tx.q.Exec(ctx, `DELETE FROM auth.mfa_factors WHERE user_id = $1 AND id = $2`, user, factor)
	if err != nil {
		return false, fmt.Errorf("delete factor: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

package admin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Delete removes a user and everything that belongs to them.
// auth.ErrUserNotFound; auth.ErrUserReferenced when rows of the developer's
// tables forbid it. since, when set, is the updated_at that the user must still
// have: ErrChanged otherwise.
func (s Service) Delete(ctx context.Context, sc *tenants.Scope, id uuid.UUID, since *time.Time) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByID(ctx, id, true)
		if err != nil {
			return err
		}
		if err := unchanged(&u, since); err != nil {
			return err
		}
		if err := audit.Admin(ctx, tx, sc, &u, auth.ActionUserDeleted, s.Now()); err != nil {
			return err
		}
		if err := tx.EndSignups(ctx, id); err != nil {
			return err
		}
		if err := tx.DeleteUser(ctx, id); err != nil {
			return err
		}
		return tx.ExplainEnd(ctx, id, session.CauseDeleted, s.Now(), true)
	})
}

// SoftDelete clears a user but keeps the row, so that foreign keys hold. The
// address can be registered again. A digest replaces it, which somebody who has
// the address and the id can recognise. Repeating it is no error. since is as for
// Delete.
func (s Service) SoftDelete(ctx context.Context, sc *tenants.Scope, id uuid.UUID, since *time.Time) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByID(ctx, id, true)
		if err != nil || u.DeletedAt != nil {
			return err
		}
		if err := unchanged(&u, since); err != nil {
			return err
		}
		if err := audit.Admin(ctx, tx, sc, &u, auth.ActionUserDeleted, s.Now()); err != nil {
			return err
		}
		return s.erase(ctx, tx, sc, &u)
	})
}

func (s Service) erase(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	now := s.Now()
	err := tx.UpdateUser(ctx, u, now, tenantdb.Email(obfuscate(u.ID, u.Email)), tenantdb.Phone(obfuscate(u.ID, u.Phone)),
		tenantdb.NewEmail(""), tenantdb.EncryptedPassword(""), tenantdb.OnlyMetadata(nil, nil), tenantdb.DeletedAt(&now))
	if err != nil {
		return err
	}
	if err := s.Sessions.End(ctx, tx, sc, u, session.All, session.CauseDeleted); err != nil {
		return err
	}
	if err := tx.DeleteTokens(ctx, u.ID); err != nil {
		return err
	}
	if err := tx.EndSignups(ctx, u.ID); err != nil {
		return err
	}
	if err := tx.DeleteFactors(ctx, u.ID); err != nil {
		return err
	}
	if err := tx.DeletePasskeys(ctx, u.ID); err != nil {
		return err
	}
	return tx.DeleteIdentities(ctx, u.ID)
}

// obfuscate returns base64url(SHA-256(id ‖ value)), as the reference does, and
// "" for "".
func obfuscate(id uuid.UUID, value string) string {
	if value == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(id.String() + value))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

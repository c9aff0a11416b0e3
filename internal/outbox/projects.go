package outbox

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Seal encrypts the payload of the row id with the project's key. The row id is
// authenticated, so the result can only be opened as the payload of that row.
func Seal(t *tenants.Tenant, id uuid.UUID, payload []byte) ([]byte, error) {
	return secret.SealWith(t.Secrets.OutboxKey, rowLabel(id), payload)
}

// Unseal decrypts a payload; secret.ErrSealed.
func Unseal(t *tenants.Tenant, id uuid.UUID, sealed []byte) ([]byte, error) {
	return secret.OpenWith(t.Secrets.OutboxKey, rowLabel(id), sealed)
}

func rowLabel(id uuid.UUID) string { return "outbox/" + id.String() }

// Projects implements Store in the projects' databases.
type Projects struct {
	Tenant   func(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error)
	Database func(*tenants.Tenant) *tenantdb.DB
}

// database returns the project's database. A project that is being deleted or
// failed to provision counts as unknown, because its messages are not needed.
func (p Projects) database(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, *tenantdb.DB, error) {
	t, err := p.Tenant(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if t.Status == tenants.StatusDeleting || t.Status == tenants.StatusFailed {
		return nil, nil, tenants.ErrUnknownProject
	}
	return t, p.Database(t), nil
}

// Claim implements Store. A row whose payload cannot be decrypted is given up.
func (p Projects) Claim(ctx context.Context, ref tenants.Ref, kind Kind, limit int, lease time.Duration) ([]Row, error) {
	t, db, err := p.database(ctx, ref)
	if err != nil {
		return nil, err
	}
	var rows []Row
	err = db.Do(ctx, func(tx *tenantdb.Tx) error {
		claimed, err := tx.ClaimOutbox(ctx, string(kind), limit, lease)
		if err != nil {
			return err
		}
		for _, c := range claimed {
			payload, err := Unseal(t, c.ID, c.Payload)
			if err != nil {
				if err := tx.OutboxDead(ctx, c.ID, "the sealed message cannot be opened"); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, Row{ID: c.ID, Payload: payload, Attempts: c.Attempts - 1, CreatedAt: c.CreatedAt})
		}
		return nil
	})
	return rows, err
}

// Done implements Store.
func (p Projects) Done(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	return p.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxDone(ctx, id) })
}

// Retry implements Store.
func (p Projects) Retry(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string, delay time.Duration) error {
	return p.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxRetry(ctx, id, reason, delay) })
}

// Release implements Store.
func (p Projects) Release(ctx context.Context, ref tenants.Ref, id uuid.UUID, delay time.Duration) error {
	return p.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxRelease(ctx, id, delay) })
}

// Dead implements Store.
func (p Projects) Dead(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string) error {
	return p.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxDead(ctx, id, reason) })
}

// Pending implements Store.
func (p Projects) Pending(ctx context.Context, ref tenants.Ref, kind Kind) (n int, next time.Time, err error) {
	err = p.do(ctx, ref, func(tx *tenantdb.Tx) error {
		n, next, err = tx.OutboxPending(ctx, string(kind))
		return err
	})
	return n, next, err
}

func (p Projects) do(ctx context.Context, ref tenants.Ref, fn func(*tenantdb.Tx) error) error {
	_, db, err := p.database(ctx, ref)
	if err != nil {
		return err
	}
	return db.Do(ctx, fn)
}

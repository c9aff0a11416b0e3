package mail

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Outbox is message.Outbox over the projects' databases.
type Outbox struct {
	Tenant   func(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error)
	Database func(*tenants.Tenant) *tenantdb.DB
}

// database finds the project's database. A project on its way out is as good as
// unknown: nobody reads its mails any more.
func (o Outbox) database(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, *tenantdb.DB, error) {
	t, err := o.Tenant(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if t.Status == tenants.StatusDeleting || t.Status == tenants.StatusFailed {
		return nil, nil, tenants.ErrUnknownProject
	}
	return t, o.Database(t), nil
}

// Claim implements message.Outbox. A row that does not open is given up.
func (o Outbox) Claim(ctx context.Context, ref tenants.Ref, limit int, lease time.Duration) ([]message.Row, error) {
	t, db, err := o.database(ctx, ref)
	if err != nil {
		return nil, err
	}
	var rows []message.Row
	err = db.Do(ctx, func(tx *tenantdb.Tx) error {
		claimed, err := tx.ClaimOutbox(ctx, limit, lease)
		if err != nil {
			return err
		}
		for _, c := range claimed {
			m, err := Open(t, c.ID, c.Payload)
			if err != nil {
				if err := tx.OutboxDead(ctx, c.ID, "the sealed message cannot be opened"); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, message.Row{ID: c.ID, Message: m, Attempts: c.Attempts - 1, CreatedAt: c.CreatedAt})
		}
		return nil
	})
	return rows, err
}

// Done implements message.Outbox.
func (o Outbox) Done(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	return o.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxDone(ctx, id) })
}

// Retry implements message.Outbox.
func (o Outbox) Retry(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string, delay time.Duration) error {
	return o.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxRetry(ctx, id, reason, delay) })
}

// Release implements message.Outbox.
func (o Outbox) Release(ctx context.Context, ref tenants.Ref, id uuid.UUID, delay time.Duration) error {
	return o.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxRelease(ctx, id, delay) })
}

// Dead implements message.Outbox.
func (o Outbox) Dead(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string) error {
	return o.do(ctx, ref, func(tx *tenantdb.Tx) error { return tx.OutboxDead(ctx, id, reason) })
}

// Pending implements message.Outbox.
func (o Outbox) Pending(ctx context.Context, ref tenants.Ref) (n int, next time.Time, err error) {
	err = o.do(ctx, ref, func(tx *tenantdb.Tx) error {
		n, next, err = tx.OutboxPending(ctx)
		return err
	})
	return n, next, err
}

func (o Outbox) do(ctx context.Context, ref tenants.Ref, fn func(*tenantdb.Tx) error) error {
	_, db, err := o.database(ctx, ref)
	if err != nil {
		return err
	}
	return db.Do(ctx, fn)
}

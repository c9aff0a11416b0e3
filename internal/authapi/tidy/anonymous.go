package tidy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The bounds of a run.
const (
	anonymousBatch = 100
	maxAnonymous   = 1000
	// anonymousTime is after how long a run begins no other deletion: triggers of the
	// developer's may make each take as long as a statement may.
	anonymousTime = 5 * time.Minute
)

// errActive is a user who became active or permanent meanwhile.
var errActive = errors.New("the user is not idle any more")

// removeAnonymous deletes the anonymous users who were not active for as many days
// as the project says, each in a transaction of its own with an audit entry: the
// developer's triggers and foreign keys may keep one, and not the others.
func (t *Tidier) removeAnonymous(ctx context.Context, tenant *tenants.Tenant, db *tenantdb.DB) error {
	days := tenant.Config.AnonymousUsersMaxDays
	if days <= 0 {
		return nil
	}
	since := t.Now().AddDate(0, 0, -days)
	sc := &tenants.Scope{Tenant: tenant, DB: db}
	kept, began := 0, time.Now()
	for seen := 0; seen < maxAnonymous; {
		var ids []uuid.UUID
		err := db.Do(ctx, func(tx *tenantdb.Tx) (err error) {
			ids, err = tx.IdleAnonymousUsers(ctx, since, kept, anonymousBatch)
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if time.Since(began) > anonymousTime {
				return nil
			}
			err := t.removeOne(ctx, sc, id, since)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err == nil, errors.Is(err, errActive):
			case errors.Is(err, auth.ErrDatabaseAway):
				return fmt.Errorf("delete anonymous user: %w", err)
			default: // a foreign key, or a trigger that fails or takes too long; the others go on
				kept++
				t.report(ctx, tenant, id, err)
			}
		}
		if seen += len(ids); len(ids) < anonymousBatch {
			return nil
		}
	}
	return nil
}

func (t *Tidier) removeOne(ctx context.Context, sc *tenants.Scope, id uuid.UUID, since time.Time) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		idle, err := tx.LockIdleAnonymous(ctx, id, since)
		if err != nil {
			return err
		}
		if !idle {
			return errActive
		}
		traits := audit.Traits{"user_id": id.String(), "user_email": "", "user_phone": "", "reason": "anonymous_user_idle"}
		if err := audit.Service(ctx, tx, sc, auth.ActionUserDeleted, traits, t.Now()); err != nil {
			return err
		}
		return tx.DeleteUser(ctx, id)
	})
}

// report tells the developer why a user stays.
func (t *Tidier) report(ctx context.Context, tenant *tenants.Tenant, id uuid.UUID, err error) {
	if t.Log == nil {
		return
	}
	t.Log.Add(ctx, projectlog.Entry{
		Project: string(tenant.Ref), Level: projectlog.Warning, Code: "anonymous_user_kept", UserID: id,
		Message: "An idle anonymous user could not be deleted (setting security_anonymous_users_max_age_days).",
		Detail:  map[string]any{"error": fault.From(err).Message},
	})
}

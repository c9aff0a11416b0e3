// Package tidy removes from the projects' databases what has had its time:
// exchanges, tokens and challenges that nobody finished, sessions that ended, and
// messages that were given up. Which rows, and how many at a time, is tenantdb's;
// when a project has its turn is the server's.
package tidy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// maxRounds bounds how often one turn of a project asks for another batch.
const maxRounds = 50

// Tidier tidies projects' databases.
type Tidier struct {
	Tenant   func(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error)
	Database func(*tenants.Tenant) *tenantdb.DB
	Now      func() time.Time
}

// Tidy removes batch after batch from a project's database until nothing more is
// there. A project that is not active is left alone. It can be repeated, and run
// twice at a time.
func (t *Tidier) Tidy(ctx context.Context, ref tenants.Ref) error {
	tenant, err := t.Tenant(ctx, ref)
	if errors.Is(err, tenants.ErrUnknownProject) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("find project: %w", err)
	}
	if tenant.Status != tenants.StatusActive {
		return nil
	}
	limits := tenantdb.TidyLimits{Timebox: tenant.Config.Timebox(), Inactivity: tenant.Config.InactivityTimeout()}
	db := t.Database(tenant)
	for range maxRounds {
		n, err := db.Tidy(ctx, t.Now(), limits)
		if err != nil || n < tenantdb.TidyBatch {
			return err
		}
	}
	return nil
}

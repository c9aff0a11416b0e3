// Package tidy removes useless rows from the projects' databases: abandoned
// exchanges, tokens and challenges, ended sessions, undeliverable messages, and
// anonymous users whom the project does not keep. Package tenantdb decides which
// rows, and how many at a time; the server decides when.
package tidy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// maxRounds bounds the batches of one run for a project.
const maxRounds = 50

// Tidier tidies projects' databases.
type Tidier struct {
	Tenant   func(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error)
	Database func(*tenants.Tenant) *tenantdb.DB
	Now      func() time.Time
	// Log is the projects' log; nil for none.
	Log *projectlog.Log
	// Connections looks after enterprise connections; nil for none.
	Connections Connections
}

// Connections looks after the enterprise connections of a project.
type Connections interface {
	Maintain(ctx context.Context, sc *tenants.Scope, log *projectlog.Log) error
}

// Tidy removes batch after batch from a project's database until there are no
// more. It skips a project that is not active. It can be repeated, and can run
// twice at the same time.
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
	db := t.Database(tenant)
	return errors.Join(t.removeRows(ctx, db), t.removeAnonymous(ctx, tenant, db), t.maintain(ctx, tenant, db))
}

func (t *Tidier) maintain(ctx context.Context, tenant *tenants.Tenant, db *tenantdb.DB) error {
	if t.Connections == nil || !tenant.Config.SAMLEnabled {
		return nil
	}
	return t.Connections.Maintain(ctx, &tenants.Scope{Tenant: tenant, DB: db}, t.Log)
}

// EndSessions ends the sessions of a project that are over, batch after batch, and
// makes its limits known to auth.session_active. It can be repeated, and can run twice
// at the same time.
func (t *Tidier) EndSessions(ctx context.Context, ref tenants.Ref) error {
	tenant, err := t.Tenant(ctx, ref)
	if errors.Is(err, tenants.ErrUnknownProject) || err == nil && tenant.Status != tenants.StatusActive {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find project: %w", err)
	}
	limits := tenantdb.SessionLimits{Timebox: tenant.Config.Timebox(), Inactivity: tenant.Config.InactivityTimeout(), LowAAL: tenant.Config.AllowLowAAL()}
	db := t.Database(tenant)
	for range maxRounds {
		n, err := db.EndExpired(ctx, t.Now(), limits)
		if err != nil || n < tenantdb.TidyBatch {
			return err
		}
	}
	return nil
}

func (t *Tidier) removeRows(ctx context.Context, db *tenantdb.DB) error {
	for range maxRounds {
		n, err := db.Tidy(ctx, t.Now())
		if err != nil || n < tenantdb.TidyBatch {
			return err
		}
	}
	return nil
}

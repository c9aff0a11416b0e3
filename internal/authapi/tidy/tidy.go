// Package tidy removes from the projects' databases what has had its time:
// exchanges, tokens and challenges that nobody finished, sessions that ended, and
// messages that were given up. It owns how often; which rows, and how many at a
// time, is tenantdb's. A project that nobody uses is not looked at, and costs
// nothing.
package tidy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// maxRounds bounds how often one turn of a project asks for another batch.
	maxRounds = 50
	// turnTimeout bounds one turn of a project, so that a slow database does not
	// hold up the others for long.
	turnTimeout = time.Minute
)

// Tidier tidies the databases of the projects that are in use. It serves one
// goroutine.
type Tidier struct {
	Tenant   func(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error)
	Database func(*tenants.Tenant) *tenantdb.DB
	Logger   *slog.Logger
	Now      func() time.Time
	Interval time.Duration // between two turns of a project, at least; an hour when zero

	last map[tenants.Ref]time.Time // the turns within Interval
}

// Run tidies each of the projects whose last turn is long enough ago. What fails
// is logged, and waits for the next turn.
func (t *Tidier) Run(ctx context.Context, refs []tenants.Ref) {
	now := t.Now()
	t.forget(now)
	for _, ref := range refs {
		if _, recent := t.last[ref]; recent {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		t.last[ref] = now
		removed, err := t.turn(ctx, ref, now)
		if err != nil && ctx.Err() == nil {
			t.Logger.WarnContext(ctx, "project not tidied", "project", string(ref), "removed", removed, "error", err)
		}
	}
}

// forget drops the turns that are long enough ago.
func (t *Tidier) forget(now time.Time) {
	interval := t.Interval
	if interval <= 0 {
		interval = time.Hour
	}
	if t.last == nil {
		t.last = map[tenants.Ref]time.Time{}
	}
	for ref, at := range t.last {
		if now.Sub(at) >= interval {
			delete(t.last, ref)
		}
	}
}

// turn removes batch after batch until nothing more is there.
func (t *Tidier) turn(ctx context.Context, ref tenants.Ref, now time.Time) (removed int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	tenant, err := t.Tenant(ctx, ref)
	if errors.Is(err, tenants.ErrUnknownProject) {
		return 0, nil // deleted meanwhile
	}
	if err != nil {
		return 0, fmt.Errorf("find project: %w", err)
	}
	if tenant.Status != tenants.StatusActive {
		return 0, nil
	}
	limits := tenantdb.TidyLimits{Timebox: tenant.Config.Timebox(), Inactivity: tenant.Config.InactivityTimeout()}
	db := t.Database(tenant)
	for range maxRounds {
		n, err := db.Tidy(ctx, now, limits)
		removed += n
		if err != nil || n < tenantdb.TidyBatch {
			return removed, err
		}
	}
	return removed, nil
}

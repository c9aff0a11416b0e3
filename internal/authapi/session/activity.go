package session

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Activity remembers which recently used sessions have their user counted as
// active in the billing period, so that refreshes of these sessions need no
// query in the project's database. It is bounded; for a forgotten session the
// query is repeated. A nil Activity counts nobody.
type Activity struct {
	limit int

	mu      sync.Mutex
	recent  map[activityKey]time.Time // to the counted period
	earlier map[activityKey]time.Time
}

type activityKey struct {
	ref     tenants.Ref
	session uuid.UUID
}

// NewActivity returns an Activity that remembers between limit and twice as
// many sessions.
func NewActivity(limit int) *Activity {
	return &Activity{limit: limit, recent: map[activityKey]time.Time{}}
}

// period is the first day of the billing period of now: the calendar month in
// UTC, until billing defines periods for organizations.
func period(now time.Time) time.Time {
	year, month, _ := now.UTC().Date()
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

// count records that a user is active, in the transaction of the activity.
func (a *Activity) count(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, user uuid.UUID, now time.Time) error {
	if a == nil {
		return nil
	}
	return tx.CountActive(ctx, period(now), user)
}

// counted notes, after the commit, that the session's user was counted.
func (a *Activity) counted(sc *tenants.Scope, session uuid.UUID, now time.Time) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put(activityKey{sc.Tenant.Ref, session}, period(now))
}

func (a *Activity) put(key activityKey, period time.Time) {
	if len(a.recent) >= a.limit {
		a.earlier, a.recent = a.recent, map[activityKey]time.Time{}
	}
	a.recent[key] = period
}

// known reports whether the session's user is known to be counted.
func (a *Activity) known(sc *tenants.Scope, session uuid.UUID, now time.Time) bool {
	if a == nil {
		return true
	}
	key, current := activityKey{sc.Tenant.Ref, session}, period(now)
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.recent[key]; ok {
		return at.Equal(current)
	}
	if at, ok := a.earlier[key]; ok && at.Equal(current) {
		a.put(key, at)
		return true
	}
	return false
}

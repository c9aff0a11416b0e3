package session

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Activity remembers which recently used sessions have their user counted as
// active in the billing period, so that refreshes of these sessions need no
// query in the project's database. It is bounded; for a forgotten session the
// query is repeated. A nil Activity counts no user.
type Activity struct {
	limit int

	mu      sync.Mutex
	recent  map[activityKey]activity
	earlier map[activityKey]activity
}

type activityKey struct {
	ref     tenants.Ref
	session uuid.UUID
}

// activity is the counted user and period.
type activity struct {
	user   uuid.UUID
	period time.Time
}

// NewActivity returns an Activity that remembers between limit and twice as
// many sessions.
func NewActivity(limit int) *Activity {
	return &Activity{limit: limit, recent: map[activityKey]activity{}}
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

// counted notes, after the commit, that the session's user was counted. now is the
// time that count was called with: the period may have ended since.
func (a *Activity) counted(sc *tenants.Scope, s *auth.Session, now time.Time) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put(activityKey{sc.Tenant.Ref, s.ID}, activity{s.UserID, period(now)})
}

func (a *Activity) put(key activityKey, counted activity) {
	if len(a.recent) >= a.limit {
		a.earlier, a.recent = a.recent, map[activityKey]activity{}
	}
	a.recent[key] = counted
}

// known returns the counted user of the session, if there is one. The session's
// row may have another user by now, because the project's developer has SQL access.
// For a nil Activity it returns uuid.Nil, which stands for any user.
func (a *Activity) known(sc *tenants.Scope, session uuid.UUID, now time.Time) (user uuid.UUID, ok bool) {
	if a == nil {
		return uuid.Nil, true
	}
	key, current := activityKey{sc.Tenant.Ref, session}, period(now)
	a.mu.Lock()
	defer a.mu.Unlock()
	if last, ok := a.recent[key]; ok {
		return last.user, last.period.Equal(current)
	}
	if last, ok := a.earlier[key]; ok && last.period.Equal(current) {
		a.put(key, last)
		return last.user, true
	}
	return uuid.Nil, false
}

package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/billing"
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

// activity is the counted user, and how long nothing is left to count.
type activity struct {
	user   uuid.UUID
	period time.Time // its start
	until  time.Time
}

// dayAfter is how long after the first entry of a user another one says that they came
// back, see tenantdb.CountActive.
const dayAfter = 24 * time.Hour

// NewActivity returns an Activity that remembers between limit and twice as
// many sessions.
func NewActivity(limit int) *Activity {
	return &Activity{limit: limit, recent: map[activityKey]activity{}}
}

// count enters the principal in the ledger, in the transaction of the activity. now is
// when it began.
func (a *Activity) count(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, method auth.Method, now time.Time) error {
	if a == nil {
		return nil
	}
	return tx.CountActive(ctx, sc.Tenant.Anchor.At(now).Start, tenantdb.Activity{
		UserID: p.User.ID, At: now, Kind: string(kindOf(sc, p, method, now)), Method: string(method), SessionID: p.Session.ID,
	})
}

// kindOf is what the principal counts as, who came by a method.
func kindOf(sc *tenants.Scope, p *auth.Principal, method auth.Method, now time.Time) billing.Kind {
	switch {
	case method.ByConnection(), slices.ContainsFunc(p.Session.AMR, func(e auth.AMR) bool { return e.Method.ByConnection() }):
		return billing.SSO
	case p.User.IsAnonymous:
		return billing.Anonymous
	case p.User.Phone != "" && p.User.Email == "" && sc.Tenant.Config.TestOTP(p.User.Phone, now) != "":
		return billing.Test
	}
	return billing.FirstParty
}

// counted notes, after the commit, that the session's user was counted. now is the
// time that count was called with: the period may have ended since.
func (a *Activity) counted(sc *tenants.Scope, s *auth.Session, now time.Time) {
	if a == nil {
		return
	}
	period := sc.Tenant.Anchor.At(now)
	key, entry := activityKey{sc.Tenant.Ref, s.ID}, activity{s.UserID, period.Start, now.Add(dayAfter)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if last, ok := a.get(key); ok && last.user == entry.user && last.period.Equal(period.Start) && !now.Before(last.until) {
		entry.until = period.End // counted twice, a day apart: there is nothing more to count
	}
	if entry.until.After(period.End) {
		entry.until = period.End
	}
	a.put(key, entry)
}

func (a *Activity) get(key activityKey) (activity, bool) {
	last, ok := a.recent[key]
	if !ok {
		last, ok = a.earlier[key]
	}
	return last, ok
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
	key, period := activityKey{sc.Tenant.Ref, session}, sc.Tenant.Anchor.At(now)
	a.mu.Lock()
	defer a.mu.Unlock()
	last, ok := a.get(key)
	if !ok || !last.period.Equal(period.Start) || !now.Before(last.until) {
		return uuid.Nil, false
	}
	if _, ok := a.recent[key]; !ok {
		a.put(key, last)
	}
	return last.user, true
}

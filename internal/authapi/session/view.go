package session

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/device"
	"github.com/reevehq/reeve/internal/geo"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// View is a session as the wire shows it.
type View struct {
	ID              uuid.UUID     `json:"id"`
	UserID          uuid.UUID     `json:"user_id"`
	CreatedAt       time.Time     `json:"created_at"`
	LastRefreshedAt *time.Time    `json:"last_refreshed_at"`
	ExpiresAt       *time.Time    `json:"expires_at"` // by the limits, unless it is refreshed; null for no limit
	AAL             auth.AAL      `json:"aal"`
	Method          auth.Method   `json:"method"`   // how it began
	Provider        string        `json:"provider"` // the external provider; "" for none, and when the user has several
	AMR             []auth.AMR    `json:"amr"`      // the newest first
	IP              string        `json:"ip"`       // of the last refresh
	UserAgent       string        `json:"user_agent"`
	Device          device.Device `json:"device"`
	Place           *geo.Place    `json:"place"` // null where the operator has no database of places
	Current         bool          `json:"current"`
}

// EndedView is a session that ended as the wire shows it.
type EndedView struct {
	ID              uuid.UUID     `json:"id"`
	CreatedAt       time.Time     `json:"created_at"`
	LastRefreshedAt *time.Time    `json:"last_refreshed_at"`
	EndedAt         time.Time     `json:"ended_at"`
	Cause           string        `json:"cause"`
	IP              string        `json:"ip"`
	UserAgent       string        `json:"user_agent"`
	Device          device.Device `json:"device"`
	Place           *geo.Place    `json:"place"`
}

// CauseUnknown is shown for sessions whose rows SQL deleted.
const CauseUnknown = "unknown"

// View describes a session of a user; current is the id of the caller's own.
func (s Sessions) View(sc *tenants.Scope, u *auth.User, of *auth.Session, current uuid.UUID) View {
	v := View{
		ID: of.ID, UserID: of.UserID, CreatedAt: of.CreatedAt, LastRefreshedAt: of.RefreshedAt, ExpiresAt: expiry(&sc.Tenant.Config, of),
		AAL: of.AAL, Method: of.Method(), AMR: of.AMR, IP: of.IP, UserAgent: of.UserAgent, Device: device.Parse(of.UserAgent),
		Place: s.Places.Of(of.IP), Current: of.ID == current && current != uuid.Nil,
	}
	if v.AMR == nil {
		v.AMR = []auth.AMR{}
	}
	if external := externalProviders(u); v.Method == auth.MethodOAuth && len(external) == 1 {
		v.Provider = external[0]
	}
	return v
}

// ViewEnded describes a session that ended.
func (s Sessions) ViewEnded(of *auth.EndedSession) EndedView {
	v := EndedView{
		ID: of.ID, CreatedAt: of.CreatedAt, LastRefreshedAt: of.RefreshedAt, EndedAt: of.EndedAt, Cause: string(of.Cause),
		IP: of.IP, UserAgent: of.UserAgent, Device: device.Parse(of.UserAgent), Place: s.Places.Of(of.IP),
	}
	if of.Cause == auth.EndUnknown {
		v.Cause = CauseUnknown
	}
	return v
}

// externalProviders are the external providers that a user has identities of.
func externalProviders(u *auth.User) []string {
	var out []string
	for _, i := range u.Identities {
		if i.Provider != auth.ProviderEmail && i.Provider != auth.ProviderPhone && !slices.Contains(out, i.Provider) {
			out = append(out, i.Provider)
		}
	}
	return out
}

// expiry is when a session ends by the limits if it is not refreshed.
func expiry(cfg *tenants.Config, s *auth.Session) *time.Time {
	var first *time.Time
	earlier := func(at time.Time) {
		if first == nil || at.Before(*first) {
			first = &at
		}
	}
	if s.NotAfter != nil {
		earlier(*s.NotAfter)
	}
	if cfg.Timebox() > 0 {
		earlier(s.CreatedAt.Add(cfg.Timebox()))
	}
	if cfg.InactivityTimeout() > 0 {
		earlier(s.LastActive().Add(cfg.InactivityTimeout()))
	}
	return first
}

// Page is a part of the sessions of a user.
type Page struct {
	Skip, Most int
}

// List returns sessions of a user, the one used last first, and how many there are.
func (s Sessions) List(ctx context.Context, sc *tenants.Scope, u *auth.User, p Page, current uuid.UUID) (list []View, total int64, err error) {
	var rows []auth.Session
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		rows, total, err = tx.SessionPage(ctx, u.ID, p.Skip, p.Most)
		return err
	})
	list = make([]View, len(rows))
	for i := range rows {
		list[i] = s.View(sc, u, &rows[i], current)
	}
	return list, total, err
}

// ListEnded returns the sessions of a user that ended last, at most most.
func (s Sessions) ListEnded(ctx context.Context, sc *tenants.Scope, user uuid.UUID, most int) ([]EndedView, error) {
	var rows []auth.EndedSession
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		rows, err = tx.SessionEndsOf(ctx, user, most)
		return err
	})
	list := make([]EndedView, len(rows))
	for i := range rows {
		list[i] = s.ViewEnded(&rows[i])
	}
	return list, err
}

// EndOne ends a session of a user; ErrNoSuchSession for one that the user does not
// have.
func (s Sessions) EndOne(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, id uuid.UUID, cause Cause) error {
	has, err := tx.HasSession(ctx, u.ID, id)
	switch {
	case err != nil:
		return err
	case !has:
		return ErrNoSuchSession
	}
	return s.End(ctx, tx, sc, u, Only(id), cause)
}

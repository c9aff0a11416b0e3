package session

import (
	"context"
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

// RefreshView is a refresh by a used token as the wire shows it.
type RefreshView struct {
	SessionID uuid.UUID            `json:"session_id"`
	At        time.Time            `json:"at"`
	Decision  auth.RefreshDecision `json:"decision"`
	Behind    int64                `json:"behind"` // rotations
	IP        string               `json:"ip"`
	UserAgent string               `json:"user_agent"`
	Device    device.Device        `json:"device"`
	Place     *geo.Place           `json:"place"`
	// LastRotation is the rotation before it; null for none.
	LastRotation *RotationView `json:"last_rotation"`
}

// RotationView is who rotated a session.
type RotationView struct {
	At        time.Time     `json:"at"`
	IP        string        `json:"ip"`
	UserAgent string        `json:"user_agent"`
	Device    device.Device `json:"device"`
	Place     *geo.Place    `json:"place"`
}

// ChainView is an ordinary refresh of a session as the wire shows it.
type ChainView struct {
	SessionID uuid.UUID            `json:"session_id"`
	Decision  auth.RefreshDecision `json:"decision"` // auth.RefreshRotated
	RotationView
}

// View describes a session of a user; current is the id of the caller's own.
func (s Sessions) View(sc *tenants.Scope, u *auth.User, of *auth.Session, current uuid.UUID) View {
	v := View{
		ID: of.ID, UserID: of.UserID, CreatedAt: of.CreatedAt, LastRefreshedAt: of.RefreshedAt, ExpiresAt: sc.Tenant.Config.SessionEnd(of.CreatedAt, of.LastActive(), of.NotAfter, of.Low(u)),
		AAL: of.AAL, Method: of.Method(), Provider: u.ProviderOf(of), AMR: of.AMR, IP: of.IP, UserAgent: of.UserAgent, Device: device.Parse(of.UserAgent),
		Place: s.Places.Of(of.IP), Current: of.ID == current && current != uuid.Nil,
	}
	if v.AMR == nil {
		v.AMR = []auth.AMR{}
	}
	return v
}

// ViewEnded describes a session that ended.
func (s Sessions) ViewEnded(of *auth.EndedSession) EndedView {
	v := EndedView{
		ID: of.ID, CreatedAt: of.CreatedAt, LastRefreshedAt: of.RefreshedAt, EndedAt: of.EndedAt, Cause: of.Cause.String(),
		IP: of.IP, UserAgent: of.UserAgent, Device: device.Parse(of.UserAgent), Place: s.Places.Of(of.IP),
	}
	return v
}

// ViewRefresh describes a refresh by a used token.
func (s Sessions) ViewRefresh(of *auth.OddRefresh) RefreshView {
	v := RefreshView{
		SessionID: of.SessionID, At: of.At, Decision: of.Decision, Behind: of.Behind, IP: of.IP, UserAgent: of.UserAgent,
		Device: device.Parse(of.UserAgent), Place: s.Places.Of(of.IP),
	}
	if of.RotatedAt != nil {
		v.LastRotation = &RotationView{
			At: *of.RotatedAt, IP: of.RotatedIP, UserAgent: of.RotatedUserAgent, Device: device.Parse(of.RotatedUserAgent), Place: s.Places.Of(of.RotatedIP),
		}
	}
	return v
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

// History returns the sessions of a user that ended last and the last refreshes by used
// tokens, at most most of each.
func (s Sessions) History(ctx context.Context, sc *tenants.Scope, user uuid.UUID, most int) ([]EndedView, []RefreshView, error) {
	var ends []auth.EndedSession
	var odd []auth.OddRefresh
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		if ends, err = tx.SessionEndsOf(ctx, user, most); err != nil {
			return err
		}
		odd, err = tx.OddRefreshesOf(ctx, user, most)
		return err
	})
	ended, refreshes := make([]EndedView, len(ends)), make([]RefreshView, len(odd))
	for i := range ends {
		ended[i] = s.ViewEnded(&ends[i])
	}
	for i := range odd {
		refreshes[i] = s.ViewRefresh(&odd[i])
	}
	return ended, refreshes, err
}

// Chain returns the last ordinary refreshes of sessions, the newest first: at most 50 of
// each, and most in all.
func (s Sessions) Chain(ctx context.Context, sc *tenants.Scope, sessions []uuid.UUID, most int) ([]ChainView, error) {
	var rows []auth.Rotation
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		rows, err = tx.RotationsOf(ctx, sessions, most)
		return err
	})
	list := make([]ChainView, len(rows))
	for i, r := range rows {
		list[i] = ChainView{SessionID: r.SessionID, Decision: auth.RefreshRotated, RotationView: RotationView{
			At: r.At, IP: r.IP, UserAgent: r.UserAgent, Device: device.Parse(r.UserAgent), Place: s.Places.Of(r.IP),
		}}
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

package session

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// rotateRefusals are a refresh's errors for accounts that may have no session.
var rotateRefusals = Refusals{Gone: auth.ErrRefreshNotFound, Banned: auth.ErrRefreshBanned}

// Rotate exchanges a refresh token for the next one.
//
// The newest token of a session rotates. The one before it is answered with the
// newest again, without a time limit, because the client may never have
// received that answer. Older tokens are answered in the same way within the
// reuse interval of the last rotation, for concurrent tabs. After that an old
// token counts as stolen: the whole session ends and the answer is
// auth.ErrRefreshUsed.
func (s Sessions) Rotate(ctx context.Context, sc *tenants.Scope, presented string) (*Tokens, error) {
	id, counter, err := token.ParseRefresh(sc.Tenant.Secrets.RefreshKey, presented)
	if err != nil {
		return nil, err
	}
	now, cfg := s.Now(), &sc.Tenant.Config
	// A single-session limit needs the user's other sessions, and a user who is not
	// known to be counted needs the ledger. The single statement covers neither.
	user, counted := s.Active.known(sc, id, now)
	if cfg.RefreshTokenRotation && !cfg.SessionsSinglePerUser && counted {
		next, err := s.rotateAtOnce(ctx, sc, tenantdb.Rotation{
			Session: id, User: user, Counter: counter, Now: now, UserAgent: sc.UserAgent, IP: sc.ClientAddress(),
			Timebox: cfg.Timebox(), Inactivity: cfg.InactivityTimeout(), LowAAL: cfg.AllowLowAAL(),
		})
		if err != nil {
			return nil, err
		}
		if next != nil {
			refreshed(sc, &next.principal)
			return s.sign(sc, next)
		}
	}
	r := rotation{Sessions: s, sc: sc, counter: counter, now: now}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		r.refused, r.next = nil, nil
		p, err := tx.PrincipalBySession(ctx, id)
		if errors.Is(err, auth.ErrSessionNotFound) {
			return r.ended(ctx, tx, id)
		}
		if errors.Is(err, auth.ErrTokenUserGone) {
			return auth.ErrRefreshNotFound
		}
		if err != nil {
			return err
		}
		r.p = p
		return r.run(ctx, tx)
	})
	if err == nil {
		err = r.refused
	}
	if err != nil {
		return nil, err
	}
	s.Active.counted(sc, &r.next.principal.Session, now)
	refreshed(sc, &r.next.principal)
	return s.sign(sc, r.next)
}

// rotateAtOnce rotates by the single statement; nil if that could not. A hook is called
// in a transaction with it, so that a refusal rolls the rotation back.
func (s Sessions) rotateAtOnce(ctx context.Context, sc *tenants.Scope, r tenantdb.Rotation) (next *unsigned, err error) {
	if !s.hooked(sc) {
		p, ok, err := sc.DB.Rotate(ctx, r)
		if err != nil || !ok {
			return nil, err
		}
		return &unsigned{principal: p, claims: s.Tokens.Claims(sc.Tenant, &p)}, nil
	}
	next, err = s.rotateHooked(ctx, sc, r, true)
	if errors.Is(err, tenantdb.ErrNotCommitted) {
		next, err = s.rotateHooked(ctx, sc, r, false)
	}
	return next, err
}

// rotateHooked rotates and calls the hook in one transaction. If at once, the hook's
// call and the commit are one round trip. A refusal of the hook still rolls back; an
// answer that is wrong otherwise may be found to be after the commit. Then the token that
// was presented is the one before the newest, which a refresh accepts.
func (s Sessions) rotateHooked(ctx context.Context, sc *tenants.Scope, r tenantdb.Rotation, atOnce bool) (next *unsigned, err error) {
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		next = nil
		p, ok, err := tx.Rotate(ctx, r)
		if err != nil || !ok {
			return err
		}
		sc.Log.SetUser(p.User.ID)
		if atOnce {
			tx.Final()
		}
		next, err = s.claims(ctx, tx, sc, p, auth.MethodRefresh)
		return err
	})
	if err != nil {
		return nil, err
	}
	return next, nil
}

// refreshed counts a refresh that is committed.
func refreshed(sc *tenants.Scope, p *auth.Principal) {
	sc.Usage.Count(usage.Refreshes, "")
	sc.Usage.Active(p.User.ID)
}

// rotation is a refresh in a transaction, with its session locked.
type rotation struct {
	Sessions
	sc      *tenants.Scope
	counter int64
	now     time.Time
	p       auth.Principal
	next    *unsigned
	refused error // returned after the commit of the changes that it causes
}

func (r *rotation) run(ctx context.Context, tx *tenantdb.Tx) error {
	r.sc.Log.SetUser(r.p.User.ID)
	if err := rotateRefusals.Admit(&r.p.User, r.now); err != nil {
		return err
	}
	if expired, err := r.expired(ctx, tx); err != nil {
		return err
	} else if expired {
		return auth.ErrSessionExpired
	}
	if low := r.sc.Tenant.Config.AllowLowAAL(); low > 0 && r.p.Session.Low(&r.p.User) && !r.now.Before(r.p.Session.CreatedAt.Add(low)) {
		return auth.ErrSessionLowAAL
	}
	if err := r.decide(ctx, tx); err != nil || r.refused != nil {
		return err
	}
	p, refused, err := r.settle(ctx, tx, r.p.User.ID, r.p.Session.ID, rotateRefusals)
	if r.refused = refused; err != nil || refused != nil {
		return err
	}
	if err := r.Active.count(ctx, tx, r.sc, &p, auth.MethodRefresh, r.now); err != nil {
		return err
	}
	r.next, err = r.claims(ctx, tx, r.sc, p, auth.MethodRefresh)
	return err
}

// ended is the refusal of a session that is gone. It is what the refresh was refused
// with while an expired session, or that of a banned user, was kept.
func (r *rotation) ended(ctx context.Context, tx *tenantdb.Tx, id uuid.UUID) error {
	s, err := tx.SessionEnd(ctx, id)
	if errors.Is(err, auth.ErrSessionNotFound) {
		return auth.ErrRefreshNotFound
	}
	if err != nil {
		return err
	}
	switch s.Cause {
	case auth.EndTimebox, auth.EndInactivity, auth.EndExpired:
		return auth.ErrSessionExpired
	case auth.EndLowAAL:
		return auth.ErrSessionLowAAL
	case auth.EndBanned:
		u, err := tx.UserByID(ctx, s.UserID, false)
		if err == nil && u.Banned(r.now) {
			return auth.ErrRefreshBanned
		}
	}
	return auth.ErrRefreshNotFound
}

// decide advances the session, leaves it unchanged, or ends it.
func (r *rotation) decide(ctx context.Context, tx *tenantdb.Tx) error {
	newest := r.p.Session.RefreshCounter
	switch {
	case r.counter > newest: // of a session that was restored from a backup
		return auth.ErrRefreshNotFound
	case !r.sc.Tenant.Config.RefreshTokenRotation:
		return r.advance(ctx, tx, newest)
	case r.counter == newest:
		return r.advance(ctx, tx, newest+1)
	case r.counter == newest-1: // answered with the newest again
		return r.record(ctx, tx, auth.RefreshRepeated)
	case r.now.Before(r.p.Session.LastActive().Add(r.reuseInterval())): // the same
		return r.record(ctx, tx, auth.RefreshInterval)
	}
	r.refused = auth.ErrRefreshUsed
	if err := r.record(ctx, tx, auth.RefreshReuse); err != nil {
		return err
	}
	return r.End(ctx, tx, r.sc, &r.p.User, Only(r.p.Session.ID), CauseReuse)
}

// record keeps who presented a used token, and who rotated the session before.
func (r *rotation) record(ctx context.Context, tx *tenantdb.Tx, decision auth.RefreshDecision) error {
	s := &r.p.Session
	return tx.PutOddRefresh(ctx, &auth.OddRefresh{
		SessionID: s.ID, UserID: s.UserID, At: r.now, Decision: decision, Behind: s.RefreshCounter - r.counter,
		IP: r.sc.ClientAddress(), UserAgent: r.sc.UserAgent, RotatedAt: s.RefreshedAt, RotatedIP: s.IP, RotatedUserAgent: s.UserAgent,
	})
}

func (r *rotation) reuseInterval() time.Duration {
	return time.Duration(r.sc.Tenant.Config.RefreshTokenReuseInterval) * time.Second
}

// expired applies the project's limits on sessions, which take effect at a
// refresh.
func (r *rotation) expired(ctx context.Context, tx *tenantdb.Tx) (bool, error) {
	s, cfg := &r.p.Session, &r.sc.Tenant.Config
	switch {
	case s.NotAfter != nil && !r.now.Before(*s.NotAfter):
		return true, nil
	case cfg.Timebox() > 0 && !r.now.Before(s.CreatedAt.Add(cfg.Timebox())):
		return true, nil
	case cfg.InactivityTimeout() > 0 && !r.now.Before(s.LastActive().Add(cfg.InactivityTimeout())):
		return true, nil
	case cfg.SessionsSinglePerUser:
		return tx.NewerSession(ctx, s)
	}
	return false, nil
}

func (r *rotation) advance(ctx context.Context, tx *tenantdb.Tx, counter int64) error {
	s := &r.p.Session
	s.RefreshCounter, s.RefreshedAt = counter, &r.now
	s.UserAgent, s.IP = r.sc.UserAgent, r.sc.ClientAddress()
	if err := tx.AdvanceSession(ctx, s); err != nil {
		return err
	}
	if err := tx.PutRotation(ctx, &auth.Rotation{SessionID: s.ID, At: r.now, IP: s.IP, UserAgent: s.UserAgent}); err != nil {
		return err
	}
	return audit.Self(ctx, tx, r.sc, &r.p.User, auth.ActionTokenRefreshed, r.now)
}

package grant

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Refresh exchanges a refresh token for the next one.
//
// The newest token of a session rotates. The one before it answers with the
// newest again, without limit in time: the client may never have received the
// answer. Older ones do so within the reuse interval of the last rotation, for
// tabs that race. After that an old token was stolen, from somebody: the whole
// session ends and the answer is auth.ErrRefreshUsed.
func (s Service) Refresh(ctx context.Context, sc *tenants.Scope, presented string) (*session.Tokens, error) {
	id, counter, err := token.ParseRefresh(sc.Tenant.Secrets.RefreshKey, presented)
	if err != nil {
		return nil, err
	}
	cfg := &sc.Tenant.Config
	// One session a user needs a look at the others, which the fast way has not.
	if cfg.RefreshTokenRotation && !cfg.SessionsSinglePerUser {
		p, ok, err := sc.DB.Rotate(ctx, tenantdb.Rotation{
			Session: id, Counter: counter, Now: s.Now(), UserAgent: sc.UserAgent, IP: session.Address(sc),
			Timebox: cfg.Timebox(), Inactivity: cfg.InactivityTimeout(),
		})
		if err != nil {
			return nil, err
		}
		if ok {
			return s.Sessions.Answer(sc, &p)
		}
	}
	r := refresh{Service: s, sc: sc, counter: counter, now: s.Now()}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		r.p, err = tx.PrincipalBySession(ctx, id)
		if errors.Is(err, auth.ErrSessionNotFound) || errors.Is(err, auth.ErrTokenUserGone) {
			return auth.ErrRefreshNotFound
		}
		if err != nil {
			return err
		}
		return r.decide(ctx, tx)
	})
	if err == nil {
		err = r.refused
	}
	if err != nil {
		return nil, err
	}
	return s.Sessions.Answer(sc, &r.p)
}

// refresh is a refresh that goes the slow way, its session locked.
type refresh struct {
	Service
	sc      *tenants.Scope
	counter int64
	now     time.Time
	p       auth.Principal
	refused error // told after the commit of what led to it
}

func (r *refresh) decide(ctx context.Context, tx *tenantdb.Tx) error {
	if r.p.User.Banned(r.now) {
		return auth.ErrRefreshBanned
	}
	if expired, err := r.expired(ctx, tx); err != nil || expired {
		return errors.Join(err, ifThen(expired, auth.ErrSessionExpired))
	}
	newest := r.p.Session.RefreshCounter
	switch {
	case r.counter > newest: // of a session that was restored from a backup
		return auth.ErrRefreshNotFound
	case !r.sc.Tenant.Config.RefreshTokenRotation:
		return r.advance(ctx, tx, newest)
	case r.counter == newest:
		return r.advance(ctx, tx, newest+1)
	case r.counter == newest-1, r.now.Before(r.p.Session.LastActive().Add(r.reuseInterval())):
		return nil // the newest one again
	}
	r.refused = auth.ErrRefreshUsed
	if err := tx.DeleteSession(ctx, r.p.Session.ID); err != nil {
		return err
	}
	return session.Record(ctx, tx, r.sc, &r.p.User, "token_revoked", "token", nil, r.now)
}

func (r *refresh) reuseInterval() time.Duration {
	return time.Duration(r.sc.Tenant.Config.RefreshTokenReuseInterval) * time.Second
}

// expired applies the project's limits on sessions, which count at a refresh.
func (r *refresh) expired(ctx context.Context, tx *tenantdb.Tx) (bool, error) {
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

func (r *refresh) advance(ctx context.Context, tx *tenantdb.Tx, counter int64) error {
	s := &r.p.Session
	s.RefreshCounter, s.RefreshedAt = counter, &r.now
	s.UserAgent, s.IP = r.sc.UserAgent, session.Address(r.sc)
	if err := tx.AdvanceSession(ctx, s); err != nil {
		return err
	}
	return session.Record(ctx, tx, r.sc, &r.p.User, "token_refreshed", "token", nil, r.now)
}

func ifThen(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

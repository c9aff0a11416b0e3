package session

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Upgrade is a further proof within a session: a second factor.
type Upgrade struct {
	AAL    auth.AAL
	Method auth.Method
	Factor uuid.UUID // the factor used; uuid.Nil for none
	Action auth.Action
	// Traits are further facts of the audit entry; nil for none.
	Traits audit.Traits
	// Refused, when set, refuses the proof: Upgrade returns it, the session stays as
	// it is, and what prove wrote is kept.
	Refused error
}

// upgradeRefusals are the errors of requests of a session for accounts that may
// have none.
var upgradeRefusals = Refusals{Gone: auth.ErrTokenUserGone}

// Upgrade opens a transaction, locks the user and then the session, lets prove check
// the proof, and raises the session's assurance level. It advances the counter
// by two, so that the earlier refresh token counts as old, as in the reference.
func (s Sessions) Upgrade(ctx context.Context, sc *tenants.Scope, user, session uuid.UUID, prove func(tx *tenantdb.Tx, p *auth.Principal) (*Upgrade, error)) (*Tokens, error) {
	var next *unsigned
	var refused error
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		next, refused = nil, nil
		// prove may end other sessions of the user, which may be in an upgrade too.
		if _, err := tx.UserByID(ctx, user, true); err != nil {
			return err
		}
		p, err := tx.PrincipalBySession(ctx, session)
		switch {
		case err != nil:
			return err
		case p.User.ID != user:
			return auth.ErrSessionNotFound
		}
		now := s.Now()
		sc.Log.SetUser(p.User.ID)
		if err := upgradeRefusals.Admit(&p.User, now); err != nil {
			return err
		}
		up, err := prove(tx, &p)
		if err != nil {
			return err
		}
		if refused = up.Refused; refused != nil {
			return nil
		}
		if err := s.raise(ctx, tx, sc, &p, up, now); err != nil {
			return err
		}
		p, refused, err = s.settle(ctx, tx, p.User.ID, p.Session.ID, upgradeRefusals)
		if err != nil || refused != nil {
			return err
		}
		next, err = s.claims(ctx, tx, sc, p, up.Method)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return s.sign(sc, next)
}

func (s Sessions) raise(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, up *Upgrade, now time.Time) error {
	p.Session.RefreshCounter += 2
	p.Session.RefreshedAt, p.Session.AAL = &now, up.AAL
	if up.Factor != uuid.Nil {
		p.Session.FactorID = &up.Factor
	}
	if err := tx.RaiseSession(ctx, &p.Session); err != nil {
		return err
	}
	if err := tx.PutAMR(ctx, p.Session.ID, auth.AMR{Method: up.Method, Timestamp: now.Unix()}); err != nil {
		return err
	}
	if up.AAL == auth.AAL2 && sc.ClientIP.IsValid() {
		if err := tx.NoteProof(ctx, p.User.ID, ratelimit.LimitKey(sc.ClientIP), p.Session.ID, now); err != nil {
			return err
		}
	}
	_, err := audit.User(ctx, tx, sc, &p.User, up.Action, up.Traits, now)
	return err
}

package session

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Proof is the proof of a user's identity.
type Proof struct {
	User     *auth.User  // locked, or created in this transaction
	New      bool        // User is still to be created; it has no identities
	Method   auth.Method // of the session's amr
	AAL      auth.AAL    // that the proof reaches; auth.AAL1 when empty
	Refusals Refusals
	// NotAfter is when the session ends at the latest; zero for no such time.
	NotAfter time.Time
	// Origin is the identity provider's session by which this one begins; nil for none.
	Origin *auth.SSOOrigin
	// Action is the audit log's, with Traits, which may be nil.
	Action auth.Action
	Traits audit.Traits

	watched bool // by Sessions.Devices
}

// largeToken is the length of an access token, in bytes, beyond which a sign-in is
// noted in the project's log: many servers take headers of 4 kB.
const largeToken = 3800

// SignIn opens a transaction and begins a session. In the transaction, prove
// finds and locks the user and writes the consequences of the proof. If prove
// returns nil without an error, SignIn commits and returns nil tokens.
//
// An account that may have no session is refused with the proof's Refusals, and
// what prove wrote is committed: a trigger of the project's developer may have
// banned the user, and its changes must stay.
func (s Sessions) SignIn(ctx context.Context, sc *tenants.Scope, prove func(tx *tenantdb.Tx) (*Proof, error)) (*Tokens, error) {
	var begun *unsigned
	var refused error
	var now time.Time
	var method auth.Method
	watched := s.Devices != nil && s.Devices.Prepare(ctx, sc)
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		begun, refused = nil, nil
		proof, err := prove(tx)
		if err != nil || proof == nil {
			return err
		}
		sc.Log.SetUser(proof.User.ID)
		if err := ownOnly(ctx, tx, sc, proof); err != nil {
			return err
		}
		if refused = proof.Refusals.Admit(proof.User, s.Now()); refused != nil {
			return nil
		}
		now, method = s.Now(), proof.Method
		proof.watched = watched && !proof.New
		if proof.New {
			tx.AfterCommit(func() { sc.Usage.Count(usage.SignUps, string(proof.Method)) })
		}
		begun, refused, err = s.begin(ctx, tx, sc, proof, now)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil || begun == nil {
		return nil, err
	}
	s.Active.counted(sc, &begun.principal.Session, now)
	sc.Usage.Count(usage.SignIns, string(method))
	sc.Usage.Active(begun.principal.User.ID)
	tokens, err := s.sign(sc, begun)
	if err == nil && len(tokens.AccessToken) > largeToken {
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Warning, Code: "token_large",
			Message: "An access token is almost too large for the headers and cookies of many servers. Leave user_metadata out of tokens (jwt_optional_claims), or keep less in it.",
			Detail:  map[string]any{"kilobytes": len(tokens.AccessToken) / 1000},
		})
	}
	return tokens, err
}

// byAddress are the methods that a company can refuse for the addresses of its domains.
var byAddress = []auth.Method{
	auth.MethodPassword, auth.MethodOTP, auth.MethodMagicLink, auth.MethodRecovery, auth.MethodEmailSignup, auth.MethodEmailChange,
}

// ownOnly returns auth.ErrSSORequired for a user whose company wants its people to come by
// its connection alone, however they named themselves.
func ownOnly(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, proof *Proof) error {
	if !sc.Tenant.Config.SAMLEnabled || proof.User.Email == "" || !slices.Contains(byAddress, proof.Method) {
		return nil
	}
	refuses, err := tx.RefusesPasswords(ctx, auth.DomainOf(proof.User.Email))
	if err == nil && refuses {
		err = auth.ErrSSORequired
	}
	return err
}

// begin writes the session and everything that belongs to it. refused is set
// when the developer's triggers banned the account in the meantime; then the
// session is removed.
func (s Sessions) begin(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, proof *Proof, now time.Time) (begun *unsigned, refused, err error) {
	u := proof.User
	if proof.New {
		u.ID = tx.SameID("user", u.ID)
	}
	sc.Log.SetUser(u.ID)
	session := auth.Session{
		ID: tx.SameID("session", uuid.New()), UserID: u.ID, AAL: cmp.Or(proof.AAL, auth.AAL1), CreatedAt: now,
		UserAgent: sc.UserAgent, IP: sc.ClientAddress(),
		AMR: []auth.AMR{{Method: proof.Method, Timestamp: now.Unix()}},
	}
	noticed := func(*auth.Session) error { return nil }
	if proof.watched {
		if noticed, err = s.Devices.Watch(ctx, tx, sc, u); err != nil {
			return nil, nil, err
		}
	}
	if err := s.makeRoom(ctx, tx, sc, proof); err != nil {
		return nil, nil, err
	}
	p, entry, done, err := write(ctx, tx, proof, &session)
	if err == nil && !done {
		p, entry, refused, err = s.stepwise(ctx, tx, sc, proof, &session)
	}
	if err != nil {
		return nil, nil, err
	}
	if refused == nil {
		refused = proof.Refusals.Admit(&p.User, s.Now())
	}
	if refused != nil {
		return nil, refused, errors.Join(s.End(ctx, tx, sc, u, Only(session.ID), CauseBanned), tx.DeleteAudit(ctx, entry))
	}
	if !proof.NotAfter.IsZero() {
		p.Session.NotAfter = &proof.NotAfter
		if err := tx.EndSessionAt(ctx, session.ID, proof.NotAfter); err != nil {
			return nil, nil, err
		}
	}
	if proof.Origin != nil {
		if err := tx.CreateSSOSession(ctx, session.ID, proof.Origin, now); err != nil {
			return nil, nil, err
		}
	}
	if err := s.Active.count(ctx, tx, sc, &p, proof.Method, now); err != nil {
		return nil, nil, err
	}
	if err := noticed(&p.Session); err != nil {
		return nil, nil, err
	}
	begun, err = s.claims(ctx, tx, sc, p, proof.Method)
	return begun, nil, err
}

// makeRoom ends the sessions whose place the new one takes.
func (s Sessions) makeRoom(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, proof *Proof) error {
	switch cfg := &sc.Tenant.Config; {
	case proof.New:
		return nil
	case cfg.SessionsSinglePerUser:
		return s.End(ctx, tx, sc, proof.User, All, CauseReplaced)
	case cfg.SessionsMaxPerUser > 0:
		return s.End(ctx, tx, sc, proof.User, Oldest(cfg.SessionsMaxPerUser-1), CauseReplaced)
	}
	return nil
}

// write writes the session by one statement; done is false if it could not, and
// has changed nothing.
func write(ctx context.Context, tx *tenantdb.Tx, proof *Proof, session *auth.Session) (p auth.Principal, entry uuid.UUID, done bool, err error) {
	entered := audit.Of(proof.User, proof.Action, proof.Traits)
	if proof.New {
		return tx.BeginFirstSession(ctx, proof.User, session, entered)
	}
	return tx.BeginSession(ctx, session, entered)
}

// stepwise does what write does, where triggers of the developer's run.
// refused is set when they ended the session.
func (s Sessions) stepwise(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, proof *Proof, session *auth.Session) (p auth.Principal, entry uuid.UUID, refused, err error) {
	u, now := proof.User, session.CreatedAt
	if proof.New {
		if err := tx.CreateUser(ctx, u); err != nil {
			return p, entry, nil, err
		}
	}
	if err := tx.CreateSession(ctx, session); err != nil {
		return p, entry, nil, err
	}
	if err := tx.UpdateUser(ctx, u, now, tenantdb.LastSignInAt(&now)); err != nil {
		return p, entry, nil, err
	}
	if entry, err = audit.User(ctx, tx, sc, u, proof.Action, proof.Traits, now); err != nil {
		return p, entry, nil, err
	}
	p, refused, err = s.settle(ctx, tx, u.ID, session.ID, proof.Refusals)
	return p, entry, refused, err
}

// settle reads user and session as all triggers left them, and checks again
// whether the account may have the session.
func (s Sessions) settle(ctx context.Context, tx *tenantdb.Tx, user, session uuid.UUID, r Refusals) (p auth.Principal, refused, err error) {
	p, err = tx.SettleSession(ctx, user, session)
	switch {
	case errors.Is(err, auth.ErrTokenUserGone):
		return p, r.Gone, nil
	case errors.Is(err, auth.ErrSessionNotFound): // a trigger removed it
		return p, auth.ErrSessionNotFound, nil
	case err != nil:
		return p, nil, err
	}
	return p, r.Admit(&p.User, s.Now()), nil
}

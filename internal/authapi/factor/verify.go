package factor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Challenged is a challenge that was begun.
type Challenged struct {
	ID        uuid.UUID `json:"id"`
	Type      string    `json:"type"`
	ExpiresAt int64     `json:"expires_at"` // seconds since 1970
	WebAuthn  *WebAuthn `json:"webauthn,omitempty"`
}

// Challenge begins a challenge of a factor; that of a phone number sends a code by a
// channel, as sms.Channel reads it. auth.ErrFactorNotFound, auth.ErrTOTPVerifyOff,
// auth.ErrFactorPhoneOff, the errors of sms.Texter.Begin.
func (s Service) Challenge(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id uuid.UUID, channel string) (*Challenged, error) {
	if p.User.IsAnonymous {
		return nil, auth.ErrAnonymousFactor
	}
	// The number comes from the database, as a message is decided before its
	// transaction.
	if i := slices.IndexFunc(p.User.Factors, func(f auth.Factor) bool { return f.ID == id }); i >= 0 && p.User.Factors[i].Type == KindPhone {
		return s.challengePhone(ctx, sc, p, p.User.Factors[i], channel)
	}
	var out *Challenged
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		key, err := tx.FactorKey(ctx, p.User.ID, id)
		if err != nil {
			return err
		}
		switch {
		case key.Type == auth.FactorRecoveryCode:
			return errKind
		case key.Type != KindTOTP && key.Type != KindWebAuthn:
			return auth.ErrFactorNotFound
		case key.Type == KindTOTP && !sc.Tenant.Config.TOTPVerify:
			return auth.ErrTOTPVerifyOff
		}
		now := s.Sessions.Now()
		c := tenantdb.Challenge{ID: uuid.New(), FactorID: key.ID, CreatedAt: now, IP: sc.ClientAddress()}
		if err := tx.CreateChallenge(ctx, c); err != nil {
			return err
		}
		out = &Challenged{ID: c.ID, Type: key.Type, ExpiresAt: now.Add(challengeLife).Unix()}
		if key.Type == KindWebAuthn {
			if err := s.askForKey(ctx, tx, sc, p, key, out); err != nil {
				return err
			}
		}
		return s.auditChallenge(ctx, tx, sc, p, key, now)
	})
	return out, err
}

func (s Service) auditChallenge(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, key tenantdb.FactorKey, now time.Time) error {
	traits := audit.Traits{"factor_id": key.ID.String(), "factor_status": key.Status}
	_, err := audit.User(ctx, tx, sc, &p.User, auth.ActionChallengeCreated, traits, now)
	return err
}

// answer is a code that answers a challenge.
type answer struct {
	factor, challenge uuid.UUID
	code              string
	// remote is what a gateway says about a code that it made; nil for one of ours.
	remote *bool
}

// Verify answers a challenge with a code, and raises the session to aal2. The first
// code verifies the factor. The user's other sessions end unless they are at aal2
// themselves, as in the reference. auth.ErrFactorNotFound, auth.ErrChallengeExpired,
// auth.ErrFactorAddress, auth.ErrFactorCode, auth.ErrTOTPVerifyOff,
// auth.ErrFactorPhoneOff.
func (s Service) Verify(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id, challenge uuid.UUID, code string) (*session.Tokens, error) {
	if p.User.IsAnonymous {
		return nil, auth.ErrAnonymousFactor
	}
	if len(code) > maxCode {
		return nil, auth.ErrFactorCode
	}
	a := answer{factor: id, challenge: challenge, code: code}
	var tokens *session.Tokens
	err := s.guess(ctx, sc, p.User.ID, id, func() (err error) {
		if a.remote, err = s.askGateway(ctx, sc, p, a); err != nil {
			return err
		}
		err = s.tell(ctx, sc, p, func(tx *tenantdb.Tx) (tenantdb.FactorKey, error) {
			key, _, _, err := s.check(ctx, tx, sc, p, a, s.Sessions.Now())
			return key, err
		})
		if err != nil {
			return err
		}
		tokens, err = s.raise(ctx, sc, p, message.FactorEnrolled, func(tx *tenantdb.Tx, current *auth.Principal, told *mail.Notices) (*session.Upgrade, error) {
			return s.prove(ctx, tx, sc, current, told, a)
		})
		return err
	})
	return tokens, err
}

// prove checks a code, in the transaction that raises the session.
func (s Service) prove(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, told *mail.Notices, a answer) (*session.Upgrade, error) {
	now := s.Sessions.Now()
	key, c, kept, err := s.check(ctx, tx, sc, p, a, now)
	if err != nil {
		return nil, err
	}
	first := key.Status != statusDone
	err = errors.Join(tx.ChallengeVerified(ctx, c.ID, now), tx.FactorVerified(ctx, key.ID, kept, now), tx.DeleteLowSessions(ctx, p.User.ID, p.Session.ID))
	if first {
		err = errors.Join(err, enrolledIn(ctx, tx, p, key.ID, now), tx.DeleteUnverifiedFactors(ctx, p.User.ID, key.Type, key.ID, now.Add(time.Hour)),
			told.Put(ctx, tx, mail.Notice{Kind: message.FactorEnrolled, User: &p.User, FactorType: key.Type}))
	}
	if err != nil {
		return nil, err
	}
	method := auth.MethodTOTP
	if key.Type == KindPhone {
		method = auth.MethodFactorPhone
	}
	return &session.Upgrade{AAL: auth.AAL2, Method: method, Factor: key.ID, Action: auth.ActionMFACodeLogin}, nil
}

// check compares a code with the factor of a challenge, and returns the factor's secret
// to keep. It changes nothing.
func (s Service) check(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, a answer, now time.Time) (key tenantdb.FactorKey, c tenantdb.Challenge, kept string, err error) {
	if key, err = tx.FactorKey(ctx, p.User.ID, a.factor); err != nil {
		return key, c, "", err
	}
	if key.Type == auth.FactorRecoveryCode {
		return key, c, "", errKind
	}
	if key.Status != statusDone {
		if err = passkeyAsks(ctx, tx, sc, p); err != nil {
			return key, c, "", err
		}
	}
	c, err = tx.Challenge(ctx, key.ID, a.challenge)
	switch {
	case errors.Is(err, auth.ErrFactorNotFound):
		err = auth.ErrChallengeUnknown
	case err != nil:
	case c.VerifiedAt != nil, !now.Before(c.CreatedAt.Add(challengeLife)):
		err = auth.ErrChallengeExpired
	case !sameAddress(c.IP, sc.ClientAddress()):
		err = auth.ErrFactorAddress
	case key.Type != KindTOTP && key.Type != KindPhone:
		err = auth.ErrFactorNotFound
	case mayNotVerify(p, key):
		err = auth.ErrEnrollAAL
	case key.Type == KindPhone:
		err = checkPhone(sc, c, a)
	case !sc.Tenant.Config.TOTPVerify:
		err = auth.ErrTOTPVerifyOff
	default:
		kept, err = s.checkTOTP(ctx, sc, key, a.code, now)
	}
	return key, c, kept, err
}

// mayNotVerify reports whether a first code would get around a factor that the user
// has: who knew the password before that one was verified may have enrolled another.
func mayNotVerify(p *auth.Principal, key tenantdb.FactorKey) bool {
	return key.Status != statusDone && p.CheckAAL() != nil
}

// passkeyAsks returns auth.ErrEnrollAAL for a session at aal1 of a user with a passkey that
// counts as two factors: a password alone must not lead to a second factor beside it.
func passkeyAsks(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal) error {
	if !sc.Tenant.Config.PasskeyCounts() || p.Session.AAL == auth.AAL2 {
		return nil
	}
	keys, err := tx.Passkeys(ctx, p.User.ID)
	if err == nil && len(keys) > 0 {
		err = auth.ErrEnrollAAL
	}
	return err
}

// tell tells the project's hook of an attempt before it has any effect; compare says
// whether it is right, and changes nothing. The hook runs
// in no transaction of ours: what its function counts must stay when it refuses, and
// it may look at rows that the upgrade locks.
func (s Service) tell(ctx context.Context, sc *tenants.Scope, p *auth.Principal, compare func(*tenantdb.Tx) (tenantdb.FactorKey, error)) error {
	if s.Attempts == nil || !s.Attempts.Factors(sc) {
		return nil
	}
	var key tenantdb.FactorKey
	var compared error
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		key, compared = compare(tx)
		return nil
	})
	switch {
	case err != nil:
		return err
	case compared != nil && !errors.Is(compared, auth.ErrFactorCode):
		return compared // nothing was compared
	}
	err = s.attempted(ctx, sc, p, key.ID, key.Type, compared == nil)
	if err != nil && compared != nil {
		return wrongCode{err}
	}
	return err
}

// wrongCode is the refusal of a hook whose code was wrong as well: a guess that counts.
// It is answered as the refusal.
type wrongCode struct{ error }

// Is makes it auth.ErrFactorCode too.
func (wrongCode) Is(target error) bool { return target == error(auth.ErrFactorCode) }

// Unwrap returns the refusal.
func (w wrongCode) Unwrap() error { return w.error }

// attempted tells the project's hook that a code was compared.
func (s Service) attempted(ctx context.Context, sc *tenants.Scope, p *auth.Principal, factor uuid.UUID, kind string, valid bool) error {
	if s.Attempts == nil || !s.Attempts.Factors(sc) {
		return nil
	}
	return s.Attempts.FactorAttempt(ctx, sc, p.User.ID, factor, kind, valid, func(ctx context.Context, tx *tenantdb.Tx, user uuid.UUID) error {
		return s.Sessions.End(ctx, tx, sc, &auth.User{ID: user}, session.All, session.CauseAdmin)
	})
}

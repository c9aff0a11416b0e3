package factor

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The kinds of factors.
const (
	KindTOTP = "totp"
)

const (
	// challengeLife is how long a challenge can be answered, and enrollLife how long an
	// enrolled factor waits for its first code. Both are the reference's.
	challengeLife = 5 * time.Minute
	enrollLife    = 5 * time.Minute
	maxName       = 255 // characters of a friendly name
	maxIssuer     = 128 // characters
	maxCode       = 32  // bytes
	statusDone    = auth.StatusVerified
)

// Service implements the rules of second factors.
type Service struct {
	Sessions session.Sessions
	// Guesses counts wrong codes.
	Guesses *ratelimit.Limiter
	// Attempts is told each comparison of a code; nil tells nobody.
	Attempts Attempts
	// Hasher compares recovery codes that a dump of a hosted project brought.
	Hasher *password.Hasher
	// Mailer tells users what happened to their factors.
	Mailer *mail.Mailer
	// Texter sends codes to phone numbers.
	Texter *sms.Texter
}

// Attempts is code of a project that runs after a code of a factor was compared.
type Attempts interface {
	// Factors reports whether the project has any.
	Factors(sc *tenants.Scope) bool
	// FactorAttempt refuses the attempt by an error. out ends the user's sessions.
	FactorAttempt(ctx context.Context, sc *tenants.Scope, user, factor uuid.UUID, kind string, valid bool, out func(ctx context.Context, tx *tenantdb.Tx, user uuid.UUID) error) error
}

// Enrollment is a request for a new factor.
type Enrollment struct {
	Kind, Name, Issuer, Phone string
}

// Enrolled is the answer to it.
type Enrolled struct {
	ID   uuid.UUID `json:"id"`
	Type string    `json:"type"`
	Name string    `json:"friendly_name"`
	TOTP *TOTP     `json:"totp,omitempty"`
	// Phone is the number as it was sent.
	Phone string `json:"phone,omitempty"`
}

// Enroll adds an unverified factor: it protects nothing until a code of it was
// verified. auth.ErrAnonymousFactor, auth.ErrEnrollAAL, auth.ErrTooManyFactors,
// auth.ErrFactorName, auth.ErrFactorExists, auth.ErrTOTPEnrollOff,
// auth.ErrFactorPhoneNew, auth.ErrWebAuthnEnrollOff, auth.ErrValidation.
func (s Service) Enroll(ctx context.Context, sc *tenants.Scope, p *auth.Principal, e Enrollment) (*Enrolled, error) {
	if p.User.IsAnonymous {
		return nil, auth.ErrAnonymousFactor
	}
	if utf8.RuneCountInString(e.Name) > maxName || utf8.RuneCountInString(e.Issuer) > maxIssuer {
		return nil, auth.ErrValidation.Saying("friendly_name and issuer can have at most " + itoa(maxName) + " and " + itoa(maxIssuer) + " characters")
	}
	switch e.Kind {
	case KindWebAuthn:
		return s.enrollWebAuthn(ctx, sc, p, e)
	case KindPhone:
		return s.enrollPhone(ctx, sc, p, e)
	case KindTOTP:
		return s.enrollTOTP(ctx, sc, p, e)
	}
	return nil, errKind
}

// enrollTOTP is Enroll for an authenticator app.
func (s Service) enrollTOTP(ctx context.Context, sc *tenants.Scope, p *auth.Principal, e Enrollment) (*Enrolled, error) {
	if !sc.Tenant.Config.TOTPEnroll {
		return nil, auth.ErrTOTPEnrollOff
	}
	totp, err := newTOTP(cmp.Or(e.Issuer, host(sc.Tenant)), cmp.Or(p.User.Email, p.User.Phone, p.User.ID.String()))
	if err != nil {
		return nil, auth.ErrValidation.Saying("The issuer or the address is too long for a QR code").Because(err)
	}
	key := tenantdb.FactorKey{UserID: p.User.ID, Factor: auth.Factor{ID: uuid.New(), FriendlyName: e.Name, Type: e.Kind}}
	if key.Secret, err = (totpState{Secret: totp.Secret}).seal(sc.Tenant, key.ID); err != nil {
		return nil, err
	}
	if err := s.create(ctx, sc, p, key); err != nil {
		return nil, err
	}
	return &Enrolled{ID: key.ID, Type: e.Kind, Name: e.Name, TOTP: &totp}, nil
}

// create inserts a factor, with the user locked: the limits hold.
func (s Service) create(ctx context.Context, sc *tenants.Scope, p *auth.Principal, key tenantdb.FactorKey) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		now := s.Sessions.Now()
		if err := s.lock(ctx, tx, p); err != nil {
			return err
		}
		if err := tx.DeleteUnverifiedFactors(ctx, p.User.ID, "", uuid.Nil, now.Add(-enrollLife)); err != nil {
			return err
		}
		have, err := tx.Factors(ctx, p.User.ID)
		if err != nil {
			return err
		}
		current := auth.Principal{User: auth.User{Factors: have}, Session: p.Session}
		if current.CheckAAL() != nil {
			return auth.ErrEnrollAAL
		}
		if have, err = replacePhone(ctx, tx, have, key); err != nil {
			return err
		}
		switch {
		case len(have) >= sc.Tenant.Config.MaxFactors:
			return auth.ErrTooManyFactors
		}
		key.CreatedAt = now
		if err := errors.Join(tx.CreateFactor(ctx, key), enrolledIn(ctx, tx, p, key.ID, now)); err != nil {
			return err
		}
		traits := audit.Traits{"factor_id": key.ID.String(), "factor_type": key.Type}
		_, err = audit.User(ctx, tx, sc, &p.User, auth.ActionFactorEnrolled, traits, now)
		return err
	})
}

// enrolledIn notes that p's session added a factor, or was the first to verify it.
func enrolledIn(ctx context.Context, tx *tenantdb.Tx, p *auth.Principal, factor uuid.UUID, now time.Time) error {
	return tx.NoteEnrollment(ctx, factor, p.User.ID, p.Session.ID, false, now)
}

// refusals are the errors for accounts that may have no factors.
var refusals = session.Refusals{Gone: auth.ErrTokenUserGone}

// lock locks the user and then the session, and replaces p's session and factors by what
// they are now: another request may have lowered the session since p was read.
func (s Service) lock(ctx context.Context, tx *tenantdb.Tx, p *auth.Principal) error {
	u, err := tx.UserByID(ctx, p.User.ID, true)
	if errors.Is(err, auth.ErrUserNotFound) {
		err = auth.ErrTokenUserGone
	}
	if err == nil {
		err = refusals.Admit(&u, s.Sessions.Now())
	}
	if err != nil {
		return err
	}
	current, err := tx.PrincipalBySession(ctx, p.Session.ID)
	switch {
	case err != nil:
		return err
	case current.User.ID != p.User.ID:
		return auth.ErrSessionNotFound
	}
	p.Session, p.User.Factors = current.Session, current.User.Factors
	return nil
}

// change runs fn in a transaction that may put notices of a kind.
func (s Service) change(ctx context.Context, sc *tenants.Scope, kind message.Kind, fn func(tx *tenantdb.Tx, told *mail.Notices) error) error {
	told, err := s.Mailer.Notify(ctx, sc, kind)
	if err != nil {
		return err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return fn(tx, told) })
	told.End(err)
	return err
}

// raise is session.Sessions.Upgrade for a proof that may put notices of a kind.
func (s Service) raise(ctx context.Context, sc *tenants.Scope, p *auth.Principal, kind message.Kind, prove func(tx *tenantdb.Tx, current *auth.Principal, told *mail.Notices) (*session.Upgrade, error)) (*session.Tokens, error) {
	told, err := s.Mailer.Notify(ctx, sc, kind)
	if err != nil {
		return nil, err
	}
	tokens, err := s.Sessions.Upgrade(ctx, sc, p.User.ID, p.Session.ID, func(tx *tenantdb.Tx, current *auth.Principal) (*session.Upgrade, error) {
		return prove(tx, current, told)
	})
	told.End(err)
	return tokens, err
}

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

// checkTOTP returns the secret to keep after a right code; auth.ErrFactorCode.
func (s Service) checkTOTP(ctx context.Context, sc *tenants.Scope, key tenantdb.FactorKey, code string, now time.Time) (string, error) {
	state, err := openTOTP(sc.Tenant, key.ID, key.Secret)
	right := false
	if err == nil {
		right, err = state.accept(code, now)
	}
	if errors.Is(err, errUnreadable) {
		sc.Log.Add(ctx, projectlog.Entry{
			Code: "mfa_secret_unreadable", Message: "The secret of a second factor cannot be read: the row comes from another project, or SQL has changed it. The user needs a new factor.",
			Detail: map[string]any{"factor_id": key.ID.String()},
		})
		return "", auth.ErrFactorCode.Because(err)
	}
	if err != nil {
		return "", err
	}
	if !right {
		return "", auth.ErrFactorCode.Saying("Invalid TOTP code entered")
	}
	return state.seal(sc.Tenant, key.ID)
}

// Unenroll removes a factor of the user. Sessions that it raised go back to aal1.
// auth.ErrFactorNotFound, auth.ErrUnenrollAAL, auth.ErrCodesSoleFactor.
func (s Service) Unenroll(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id uuid.UUID) error {
	return s.change(ctx, sc, message.FactorUnenrolled, func(tx *tenantdb.Tx, told *mail.Notices) error {
		if err := s.lock(ctx, tx, p); err != nil {
			return err
		}
		key, err := tx.FactorKey(ctx, p.User.ID, id)
		if err != nil {
			return err
		}
		switch {
		case key.Type == auth.FactorRecoveryCode:
			return errCodesHere
		case key.Status == statusDone && p.Session.AAL != auth.AAL2:
			return auth.ErrUnenrollAAL
		}
		if err := keepsCodes(ctx, tx, sc, key); err != nil {
			return err
		}
		now := s.Sessions.Now()
		if err := tx.LowerSessions(ctx, p.User.ID, key.ID, now); err != nil {
			return err
		}
		if _, err := tx.DeleteFactor(ctx, p.User.ID, key.ID); err != nil {
			return err
		}
		traits := audit.Traits{"factor_id": key.ID.String(), "factor_status": key.Status, "session_id": p.Session.ID.String()}
		if _, err = audit.User(ctx, tx, sc, &p.User, auth.ActionFactorUnenrolled, traits, now); err != nil || !key.Verified() {
			return err
		}
		return told.Put(ctx, tx, mail.Notice{Kind: message.FactorUnenrolled, User: &p.User, FactorType: key.Type})
	})
}

// Recovery codes have routes of their own.
var (
	errKind      = auth.ErrValidation.Saying("factor_type needs to be totp, phone, or webauthn")
	errCodesHere = fault.New(fault.Unprocessable, "validation_failed", "Recovery codes cannot be unenrolled with this endpoint, use DELETE /factors/recovery-codes")
)

// sameAddress compares the address of a challenge with that of its answer.
func sameAddress(challenge, answer string) bool {
	a, errA := netip.ParseAddr(challenge)
	b, errB := netip.ParseAddr(cmp.Or(answer, "0.0.0.0"))
	return errA == nil && errB == nil && a.Unmap() == b.Unmap()
}

// host is the name that authenticator apps show for a project.
func host(t *tenants.Tenant) string {
	u, err := url.Parse(t.Config.SiteURL)
	if err != nil || u.Hostname() == "" {
		return t.Name
	}
	return strings.TrimPrefix(u.Host, "www.")
}

func itoa(n int) string { return strconv.Itoa(n) }

package factor

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"net/url"
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
		if err := passkeyAsks(ctx, tx, sc, p); err != nil {
			return err
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

package verify

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service redeems one-time tokens.
type Service struct {
	users.Users
	Guesses *ratelimit.Limiter // of codes; not shared, so that no flood can evict them
	Texter  *sms.Texter
}

// Redemption presents a one-time token: Link alone, or Email or Phone with Code.
type Redemption struct {
	Type   string // signup, invite, magiclink, recovery, email_change or email; sms or phone_change
	Link   string
	Email  string
	Phone  string
	Code   string
	ByLink bool // opened by a browser, so a PKCE flow continues with a code
}

func (r Redemption) pkce() bool { return strings.HasPrefix(r.Link, token.PKCEPrefix) }

// Outcome is a session, a code (PKCE), or Halfway when the other confirmation of
// a change of address is missing.
type Outcome struct {
	Tokens  *session.Tokens
	Code    string
	Halfway bool
	Type    string // the token's type, where the request has type email
}

// purposes maps a verification type to the stored tokens that it may redeem.
var purposes = map[string][]auth.TokenType{
	"signup":       {auth.TokenConfirmation},
	"invite":       {auth.TokenConfirmation},
	"magiclink":    {auth.TokenRecovery},
	"recovery":     {auth.TokenRecovery},
	"email":        {auth.TokenConfirmation, auth.TokenRecovery},
	"email_change": {auth.TokenEmailChangeNew, auth.TokenEmailChangeCurrent},
}

// textPurposes is the same for codes in text messages.
var textPurposes = map[string][]auth.TokenType{
	"sms":          {auth.TokenRecovery, auth.TokenConfirmation},
	"phone_change": {auth.TokenPhoneChange},
}

// types returns the stored tokens that the request may redeem.
func (r Redemption) types() ([]auth.TokenType, bool) {
	if r.Phone != "" {
		types, ok := textPurposes[r.Type]
		return types, ok
	}
	types, ok := purposes[r.Type]
	return types, ok
}

// contact is the address or number that a code was sent to.
func (r Redemption) contact() string { return r.Email + r.Phone }

// ttl is how long the token is valid.
func (r Redemption) ttl(sc *tenants.Scope) time.Duration {
	if r.Phone != "" {
		return sc.Tenant.Config.SMSOTPTTL()
	}
	return sc.Tenant.Config.OTPTTL()
}

// Redeem consumes the token and applies it. auth.ErrOTPExpired covers wrong,
// used, expired and unknown tokens alike.
func (s Service) Redeem(ctx context.Context, sc *tenants.Scope, r Redemption) (*Outcome, error) {
	types, ok := r.types()
	switch {
	case !ok && r.contact() != "": // a code of no type is a wrong code, as in the reference
		return nil, auth.ErrOTPExpired
	case !ok:
		return nil, auth.ErrValidation.Saying("Unsupported verification type")
	}
	hash := token.HashLink(r.Link) // which cannot be guessed
	if r.contact() != "" {
		var err error
		if hash, err = s.matchCode(ctx, sc, r, types); err != nil {
			return nil, err
		}
	}
	var out Outcome
	tokens, err := s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		out = Outcome{}
		return s.redeem(ctx, tx, sc, r, hash, types, &out)
	})
	out.Tokens = tokens
	return &out, err
}

// Check reports whether the link can be redeemed, and consumes nothing.
// auth.ErrOTPExpired.
func (s Service) Check(ctx context.Context, sc *tenants.Scope, r Redemption) error {
	types, ok := r.types()
	if !ok {
		return auth.ErrValidation.Saying("Unsupported verification type")
	}
	return sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		_, err := s.token(ctx, tx, sc, r, token.HashLink(r.Link), types)
		return err
	})
}

// refusals are the errors of a one-time token for accounts that may have no
// session.
var refusals = session.Refusals{Gone: auth.ErrOTPExpired}

// redeem consumes the token and returns it as a proof. The proof is nil when a
// code is issued instead, or the other half of a change of address is missing.
func (s Service) redeem(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Redemption, hash string, types []auth.TokenType, out *Outcome) (*session.Proof, error) {
	t, u, err := s.find(ctx, tx, sc, r, hash, types)
	if err != nil {
		return nil, err
	}
	if err := t.consume(ctx, tx); err != nil {
		return nil, err
	}
	out.Type = r.typeOf(t)
	apply := s.apply
	if r.Phone != "" {
		apply = s.applyText
	}
	action, err := apply(ctx, tx, sc, t, u)
	if err != nil {
		return nil, err
	}
	if out.Halfway = action == ""; out.Halfway {
		return nil, nil
	}
	if r.ByLink && r.pkce() {
		if t.signup != nil {
			if err := pkce.Resume(t.signup).Begin(ctx, tx, u.ID, auth.MethodEmailSignup, s.Now()); err != nil {
				return nil, err
			}
		}
		if _, err := audit.User(ctx, tx, sc, u, action, r.traits(action), s.Now()); err != nil {
			return nil, err
		}
		out.Code, err = pkce.IssueCode(ctx, tx, u.ID, Method(out.Type), s.Now())
		return nil, err
	}
	return &session.Proof{User: u, Method: auth.MethodOTP, Refusals: refusals, Action: action, Traits: r.traits(action)}, nil
}

// typeOf is the request's type; for email, which covers two types, it is the
// token's.
func (r Redemption) typeOf(t *redeemable) string {
	switch {
	case r.Type != "email":
		return r.Type
	case t.Type == auth.TokenConfirmation:
		return "signup"
	default:
		return "magiclink"
	}
}

// traits are those of the action's entry in the audit log: only a sign-up names
// its provider, as in the reference.
func (r Redemption) traits(action auth.Action) audit.Traits {
	switch {
	case action == auth.ActionUserSignedUp && r.Phone != "":
		return audit.ByProvider(auth.ProviderPhone)
	case action == auth.ActionUserSignedUp:
		return audit.ByProvider(auth.ProviderEmail)
	}
	return nil
}

// redeemable is a one-time token; signup is set if it belongs to a sign-up.
type redeemable struct {
	auth.OneTimeToken
	signup *auth.Signup
}

func (t *redeemable) consume(ctx context.Context, tx *tenantdb.Tx) error {
	if t.signup != nil {
		return tx.ConsumeSignup(ctx, t.ID)
	}
	return tx.ConsumeToken(ctx, t.ID)
}

// token returns the token with this hash: the user's, or that of a sign-up.
func (s Service) token(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Redemption, hash string, types []auth.TokenType) (*redeemable, error) {
	since := s.Now().Add(-r.ttl(sc))
	t, err := tx.TokenByHash(ctx, hash, since, types...)
	if !errors.Is(err, auth.ErrOTPExpired) || !r.redeemsSignups() {
		return &redeemable{OneTimeToken: t}, err
	}
	signup, err := tx.SignupByToken(ctx, hash, since)
	return &redeemable{
		OneTimeToken: auth.OneTimeToken{
			ID: signup.ID, UserID: signup.UserID, Type: auth.TokenConfirmation, Hash: hash, RelatesTo: signup.Email, CreatedAt: signup.CreatedAt,
		},
		signup: &signup,
	}, err
}

// redeemsSignups reports whether the request may present the token of a sign-up.
func (r Redemption) redeemsSignups() bool {
	return r.Type == "signup" || r.Type == "email" || r.Type == "sms"
}

// find returns the valid token and its user, locked.
func (s Service) find(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Redemption, hash string, types []auth.TokenType) (*redeemable, *auth.User, error) {
	t, err := s.token(ctx, tx, sc, r, hash, types)
	if err != nil {
		return nil, nil, err
	}
	u, err := s.ByID(ctx, tx, t.UserID)
	if errors.Is(err, auth.ErrUserNotFound) {
		return nil, nil, auth.ErrOTPExpired
	}
	if err != nil {
		return nil, nil, err
	}
	if t.RelatesTo != strings.ToLower(r.provenBy(t, u)) { // changed by SQL in the meantime
		return nil, nil, auth.ErrOTPExpired
	}
	if t.signup != nil && (u.EmailConfirmed() || r.Phone != "" && u.PhoneConfirmed()) { // by SQL
		return nil, nil, auth.ErrOTPExpired
	}
	sc.Log.SetUser(u.ID)
	return t, u, refusals.Admit(u, s.Now())
}

// provenBy returns the address or number of the user that a token proves. A number
// may be stored with its plus sign.
func (r Redemption) provenBy(t *redeemable, u *auth.User) string {
	switch {
	case t.Type == auth.TokenPhoneChange:
		return u.NewPhone
	case r.Phone != "":
		return strings.TrimPrefix(u.Phone, "+")
	case t.Type == auth.TokenEmailChangeNew:
		return u.NewEmail
	}
	return u.Email
}

// apply applies the token and returns the action for the audit log: "" when the
// other half of a change of address is missing.
func (s Service) apply(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, t *redeemable, u *auth.User) (auth.Action, error) {
	switch t.Type {
	case auth.TokenEmailChangeNew, auth.TokenEmailChangeCurrent:
		return s.changeEmail(ctx, tx, sc, t, u)
	default:
		action := auth.ActionUserSignedUp // of an invitation too
		if t.Type == auth.TokenRecovery && u.EmailConfirmed() {
			action = auth.ActionLogin
		}
		return action, s.confirm(ctx, tx, sc, t, u)
	}
}

// confirm marks the address as confirmed: every mailed token proves ownership.
// The token of a sign-up makes its password the user's. One that came with no
// sign-up keeps none that may be somebody else's.
func (s Service) confirm(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, t *redeemable, u *auth.User) error {
	switch {
	case u.EmailConfirmed():
		return nil
	case u.InvitedAt != nil: // the mail that was sent is recorded in invited_at, as in the reference
		return s.ConfirmEmail(ctx, tx, u, tenantdb.ConfirmationSentAt(nil))
	case t.signup != nil:
		return s.ConfirmSignup(ctx, tx, sc, u, *t.signup)
	case t.Type == auth.TokenRecovery:
		return s.ProveEmail(ctx, tx, sc, u)
	}
	return s.ConfirmEmail(ctx, tx, u)
}

// changeEmail applies one of the confirmations of a change of address. With
// secure change both addresses must confirm, in any order.
func (s Service) changeEmail(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, t *redeemable, u *auth.User) (auth.Action, error) {
	if u.NewEmail == "" {
		return "", auth.ErrOTPExpired
	}
	if sc.Tenant.Config.MailerSecureEmailChange && u.EmailChangeConfirmStatus == 0 && u.Email != "" {
		return "", tx.UpdateUser(ctx, u, s.Now(), tenantdb.EmailChangeConfirmStatus(1))
	}
	if t.Type == auth.TokenEmailChangeCurrent && u.EmailChangeConfirmStatus == 0 {
		return "", auth.ErrOTPExpired // the new address has confirmed nothing
	}
	return auth.ActionUserModified, s.ChangeEmail(ctx, tx, u, u.NewEmail, true)
}

// Method is the amr method of a PKCE exchange that began with a verification
// type.
func Method(typ string) auth.Method {
	if typ == "signup" {
		return auth.MethodEmailSignup
	}
	return auth.Method(typ)
}

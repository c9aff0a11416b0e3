package verify

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service redeems one-time tokens.
type Service struct {
	Sessions session.Sessions
	Guesses  *ratelimit.Limiter // of codes, by address; holds nothing else, so that no flood can push them out
	Now      func() time.Time
}

// Redemption presents a one-time token: Link alone, or Email with Code.
type Redemption struct {
	Type   string // signup, invite, magiclink, recovery, email_change or email
	Link   string
	Email  string
	Code   string
	ByLink bool // opened by a browser, so that a PKCE flow goes on with a code
}

func (r Redemption) pkce() bool { return strings.HasPrefix(r.Link, token.PKCEPrefix) }

// Outcome is a session, a code (PKCE), or that the other half is awaited.
type Outcome struct {
	Tokens  *session.Tokens
	Code    string
	Halfway bool
	Type    string // of the token, where the request said email
}

// purposes says which stored tokens each verification type may redeem.
var purposes = map[string][]auth.TokenType{
	"signup":       {auth.TokenConfirmation},
	"invite":       {auth.TokenConfirmation},
	"magiclink":    {auth.TokenRecovery},
	"recovery":     {auth.TokenRecovery},
	"email":        {auth.TokenConfirmation, auth.TokenRecovery},
	"email_change": {auth.TokenEmailChangeNew, auth.TokenEmailChangeCurrent},
}

// Redeem consumes the token and does what it is good for. auth.ErrOTPExpired
// covers wrong, used, expired and unknown alike.
func (s Service) Redeem(ctx context.Context, sc *tenants.Scope, r Redemption) (*Outcome, error) {
	types, ok := purposes[r.Type]
	switch {
	case !ok && r.Email != "": // a code of no type is a wrong code, as in the reference
		return nil, auth.ErrOTPExpired
	case !ok:
		return nil, auth.ErrValidation.Saying("Unsupported verification type")
	}
	guess := guessRule(sc)
	if r.Email != "" {
		if err := s.Guesses.Allow(ctx, sc.Tenant.Ref, guess, r.Email); err != nil {
			return nil, err
		}
	}
	var out Outcome
	var p *auth.Principal
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) (err error) {
		p, err = s.redeem(ctx, tx, sc, r, types, &out)
		return err
	})
	if r.Email != "" && !errors.Is(err, auth.ErrOTPExpired) {
		s.Guesses.Refund(ctx, sc.Tenant.Ref, guess, r.Email)
	}
	if err != nil || p == nil {
		return &out, err
	}
	out.Tokens, err = s.Sessions.Answer(sc, p)
	return &out, err
}

// guessRule lets ten wrong codes pass for an address, and ten more in the time
// that a code lives: of a million codes.
func guessRule(sc *tenants.Scope) ratelimit.Rule {
	return ratelimit.Rule{Name: "verify_address", Events: 10, Per: max(sc.Tenant.Config.OTPTTL(), time.Minute), Burst: 10}
}

func (s Service) redeem(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Redemption, types []auth.TokenType, out *Outcome) (*auth.Principal, error) {
	t, u, err := s.find(ctx, tx, sc, r, types)
	if err != nil {
		return nil, err
	}
	if u.Banned(s.Now()) {
		return nil, auth.ErrTokenUserBanned
	}
	if err := tx.ConsumeToken(ctx, t.ID); err != nil {
		return nil, err
	}
	out.Type = r.typeOf(t)
	done, err := s.apply(ctx, tx, sc, t, u)
	if err != nil {
		return nil, err
	}
	if !done {
		out.Halfway = true
		return nil, nil
	}
	if r.ByLink && r.pkce() {
		out.Code, err = s.issueCode(ctx, tx, u, r.Type)
		return nil, err
	}
	return s.Sessions.Begin(ctx, tx, sc, u, auth.MethodOTP)
}

// typeOf is the request's type; where that is email, which stands for two types,
// the one that the token has.
func (r Redemption) typeOf(t *auth.OneTimeToken) string {
	switch {
	case r.Type != "email":
		return r.Type
	case t.Type == auth.TokenConfirmation:
		return "signup"
	default:
		return "magiclink"
	}
}

// find gives the token, if it is still good, and its user, locked.
func (s Service) find(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Redemption, types []auth.TokenType) (*auth.OneTimeToken, *auth.User, error) {
	hash := token.HashLink(r.Link)
	if r.Email != "" {
		hash = token.OneTimeOf(sc.Tenant.Secrets.OTPKey, r.Email, r.Code).Hash
	}
	t, err := tx.TokenByHash(ctx, hash, types...)
	if err != nil {
		return nil, nil, err
	}
	if !s.Now().Before(t.CreatedAt.Add(sc.Tenant.Config.OTPTTL())) {
		return nil, nil, auth.ErrOTPExpired
	}
	u, err := tx.UserByID(ctx, t.UserID, true)
	if errors.Is(err, auth.ErrUserNotFound) || (err == nil && u.DeletedAt != nil) {
		return nil, nil, auth.ErrOTPExpired
	}
	return &t, &u, err
}

// apply does what the token is good for; done is false when a change of address
// waits for its other half.
func (s Service) apply(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, t *auth.OneTimeToken, u *auth.User) (done bool, err error) {
	switch t.Type {
	case auth.TokenEmailChangeNew, auth.TokenEmailChangeCurrent:
		return s.changeEmail(ctx, tx, sc, t, u)
	case auth.TokenConfirmation:
		action := "user_signedup"
		if u.InvitedAt != nil {
			action = "invite_accepted"
		}
		return true, s.confirm(ctx, tx, sc, u, action, "team")
	default:
		return true, s.confirm(ctx, tx, sc, u, "login", "account")
	}
}

// confirm marks the address as proved: every mailed token proves that.
func (s Service) confirm(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, action, logType string) error {
	now := s.Now()
	if !u.EmailConfirmed() {
		if u.InvitedAt != nil {
			u.ConfirmationSentAt = nil // as in the reference: what was sent is invited_at's
		}
		if err := u.ConfirmEmail(now); err != nil {
			return err
		}
		if err := tx.SaveEmail(ctx, u); err != nil {
			return err
		}
		// A link of the same purpose that is still under way is not needed.
		if err := tx.DeleteTokens(ctx, u.ID, auth.TokenConfirmation); err != nil {
			return err
		}
	}
	return session.Record(ctx, tx, sc, u, action, logType, map[string]any{"provider": auth.ProviderEmail}, now)
}

// changeEmail takes one step of a change of address. With secure change both
// addresses must confirm, in any order.
func (s Service) changeEmail(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, t *auth.OneTimeToken, u *auth.User) (done bool, err error) {
	now := s.Now()
	if u.NewEmail == "" {
		return false, auth.ErrOTPExpired
	}
	if sc.Tenant.Config.SecureEmailChange() && u.EmailChangeConfirmStatus == 0 && u.Email != "" {
		u.EmailChangeConfirmStatus, u.UpdatedAt = 1, now
		return false, tx.SaveUser(ctx, u)
	}
	if t.Type == auth.TokenEmailChangeCurrent && u.EmailChangeConfirmStatus == 0 {
		return false, auth.ErrOTPExpired // the new address has confirmed nothing
	}
	old := u.Email
	// What was proved of the old address says nothing of the new one.
	u.EmailConfirmedAt, u.ConfirmedAt = nil, u.PhoneConfirmedAt
	if err := u.SetEmail(u.NewEmail, now); err != nil {
		return false, err
	}
	if err := u.ConfirmEmail(now); err != nil {
		return false, err
	}
	if err := tx.ChangeEmail(ctx, u); err != nil {
		return false, err
	}
	return true, session.Record(ctx, tx, sc, u, "user_modified", "user", map[string]any{"old_email": old, "new_email": u.Email}, now)
}

// issueCode gives the PKCE exchange that the link belongs to its code.
func (s Service) issueCode(ctx context.Context, tx *tenantdb.Tx, u *auth.User, typ string) (string, error) {
	f, err := tx.OpenFlowState(ctx, u.ID, Method(typ))
	if err != nil {
		return "", err
	}
	code := uuid.NewString()
	return code, tx.IssueCode(ctx, f.ID, code, s.Now())
}

// Method is the amr method that a PKCE exchange of a verification type begins
// with.
func Method(typ string) auth.Method {
	if typ == "signup" {
		return auth.MethodEmailSignup
	}
	return auth.Method(typ)
}

package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service changes accounts.
type Service struct {
	users.Users
	Mailer   *mail.Mailer
	Texter   *sms.Texter
	Hasher   *password.Hasher
	Strength strength.Checker
	Guesses  *ratelimit.Limiter // of nonces and current passwords, by user
	Remote   Remote
}

// Remote signs users out at the identity provider that vouched for a session.
type Remote interface {
	// SignOut returns where the browser goes to sign out there too; "" for nowhere.
	SignOut(ctx context.Context, sc *tenants.Scope, session uuid.UUID, to redirect.Asked) (string, error)
}

// Change is the requested change; empty fields stay as they are.
type Change struct {
	Email           string // lower-case, and not the current one
	Phone           string // normalized, and not the current one
	Channel         message.Channel
	Password        *string
	CurrentPassword *string
	Nonce           string // from Reauthenticate's message
	Data            map[string]any
	RedirectTo      redirect.Asked
	PKCE            pkce.Challenge
}

// Change applies the change and returns the user as it is now.
// auth.ErrSamePassword, auth.ErrCurrentNeeded, auth.ErrCurrentPassword, weak_password,
// auth.ErrEmailExists, auth.ErrPhoneExists, auth.ErrEmailRate,
// auth.ErrInsufficientAAL, auth.ErrAnonymousPassword, auth.ErrSSOManaged, and for a new number the
// errors of sms.Texter.Post.
func (s Service) Change(ctx context.Context, sc *tenants.Scope, p *auth.Principal, c Change) (*auth.User, error) {
	if c.Email != "" || c.Phone != "" || c.Password != nil {
		if p.User.IsSSOUser {
			return nil, auth.ErrSSOManaged
		}
		if err := p.CheckAAL(); err != nil {
			return nil, err
		}
	}
	if c.Password != nil && p.User.IsAnonymous && p.User.Email == "" && p.User.Phone == "" {
		return nil, auth.ErrAnonymousPassword
	}
	nonceNeeded, err := s.checkNonceGiven(sc, p, c)
	if err != nil {
		return nil, err
	}
	if !nonceNeeded {
		return s.change(ctx, sc, p, c, "")
	}
	var u *auth.User
	rule := ratelimit.Codes("reauthentication", nonceTTL(sc, &p.User))
	err = s.Guesses.Guess(ctx, sc.Tenant.Ref, rule, p.User.ID.String(), auth.ErrReauthInvalid, func() error {
		hash, err := s.nonceHash(ctx, sc, p, c.Nonce)
		if err == nil {
			u, err = s.change(ctx, sc, p, c, hash)
		}
		return err
	})
	return u, err
}

// change hashes the new password and runs the transaction of the change. nonce is
// the digest of the nonce to use up; "" for none.
func (s Service) change(ctx context.Context, sc *tenants.Scope, p *auth.Principal, c Change, nonce string) (*auth.User, error) {
	hash, err := s.newPassword(ctx, sc, p, c)
	if err != nil {
		return nil, err
	}
	var text *sms.Outgoing
	if c.Phone != "" {
		text, err = s.Texter.Begin(ctx, sc, sms.Request{Purpose: "phone_change", Phone: c.Phone, Channel: c.Channel})
		if err != nil {
			return nil, err
		}
	}
	var u auth.User
	run := func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		locked, err := s.Sessions.Lock(ctx, tx, p)
		if err != nil {
			return err
		}
		if nonce != "" {
			if err := s.consumeNonce(ctx, tx, sc, locked, nonce); err != nil {
				return err
			}
		}
		if err := s.apply(ctx, tx, sc, p, locked, c, hash); err != nil {
			return err
		}
		if c.Email != "" {
			letter := mail.Letter{User: locked, RedirectTo: c.RedirectTo.Target(ctx, sc), PKCE: c.PKCE.Given()}
			if err := out.PutEmailChange(ctx, letter); err != nil {
				return err
			}
		}
		if c.Phone != "" {
			text.Join(tx)
			if err := text.Put(ctx, sms.Text{Kind: message.PhoneChange, Token: auth.TokenPhoneChange, User: locked}); err != nil {
				return err
			}
		}
		u, err = tx.Settle(ctx, locked.ID)
		return err
	}
	if c.Email != "" {
		err = s.Mailer.Post(ctx, sc, mail.Request{Purpose: "email_change", Address: c.Email}, run)
	} else {
		err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return run(tx, nil) })
	}
	if text != nil {
		text.End(ctx, err)
	}
	return &u, err
}

// newPassword checks and hashes the new password, before any transaction; it
// returns "" when the password does not change.
func (s Service) newPassword(ctx context.Context, sc *tenants.Scope, p *auth.Principal, c Change) (string, error) {
	if c.Password == nil {
		return "", nil
	}
	if err := s.Strength.Check(ctx, sc, *c.Password); err != nil {
		return "", err
	}
	if p.User.HasPassword() {
		if err := s.checkCurrentGiven(ctx, sc, p, c); err != nil {
			return "", err
		}
		if c.CurrentPassword != nil {
			if err := s.checkCurrent(ctx, sc, p, *c.CurrentPassword); err != nil {
				return "", err
			}
		}
		same, _, err := s.Hasher.Verify(ctx, sc.Tenant.Ref, p.User.EncryptedPassword, *c.Password)
		if err != nil {
			return "", err
		}
		if same {
			return "", auth.ErrSamePassword
		}
	}
	return s.Hasher.Hash(ctx, sc.Tenant.Ref, *c.Password)
}

// wrongCurrent limits the wrong current passwords of a user: whoever has a session
// is not to find the password by it.
var wrongCurrent = ratelimit.Rule{Name: "current_password", Events: 10, Per: 15 * time.Minute, Burst: 10}

// checkCurrent returns auth.ErrCurrentPassword for a wrong password.
func (s Service) checkCurrent(ctx context.Context, sc *tenants.Scope, p *auth.Principal, current string) error {
	return s.Guesses.Guess(ctx, sc.Tenant.Ref, wrongCurrent, p.User.ID.String(), auth.ErrCurrentPassword, func() error {
		ok, _, err := s.Hasher.Verify(ctx, sc.Tenant.Ref, p.User.EncryptedPassword, current)
		if err == nil && !ok {
			err = auth.ErrCurrentPassword
		}
		return err
	})
}

func (s Service) apply(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, u *auth.User, c Change, hash string) error {
	if c.Data != nil {
		data, err := s.SetUserMetadata(u, c.Data)
		if err != nil {
			return err
		}
		if err := tx.UpdateUser(ctx, u, s.Now(), data); err != nil {
			return err
		}
	}
	if hash != "" {
		if err := s.SetPassword(ctx, tx, sc, u, hash, session.AllBut(p.Session.ID), audit.Self); err != nil {
			return err
		}
	}
	if c.Email != "" {
		if err := s.beginEmailChange(ctx, tx, sc, u, c); err != nil {
			return err
		}
	}
	if c.Phone != "" {
		if err := s.beginPhoneChange(ctx, tx, sc, u, c.Phone); err != nil {
			return err
		}
	}
	return audit.Self(ctx, tx, sc, u, auth.ActionUserModified, s.Now())
}

// Scope selects the sessions that a logout ends.
type Scope string

// The scopes of a logout; an empty one is global.
const (
	ScopeGlobal Scope = "global"
	ScopeLocal  Scope = "local"
	ScopeOthers Scope = "others"
)

// Logout ends sessions. For a token without a session, every session is another
// one, and there is no local one: auth.ErrSessionNotFound. With remote, the user is to be
// signed out at the identity provider that vouched for the session too: the address is
// where the browser goes for that, and remote where it comes back to; "" for nowhere.
func (s Service) Logout(ctx context.Context, sc *tenants.Scope, p *auth.Principal, scope Scope, remote *redirect.Asked) (address string, err error) {
	which, ok := map[Scope]session.Which{
		"": session.All, ScopeGlobal: session.All,
		ScopeLocal: session.Only(p.Session.ID), ScopeOthers: session.AllBut(p.Session.ID),
	}[scope]
	if !ok {
		return "", auth.ErrValidation.Saying("scope: must be global, local or others")
	}
	if scope == ScopeLocal && p.Session.ID == uuid.Nil {
		return "", auth.ErrSessionNotFound
	}
	if remote != nil && scope != ScopeOthers && s.Remote != nil && p.Session.ID != uuid.Nil {
		if address, err = s.Remote.SignOut(ctx, sc, p.Session.ID, *remote); err != nil {
			return "", err
		}
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		return s.Sessions.End(ctx, tx, sc, &p.User, which, session.CauseLogout)
	})
	return address, err
}

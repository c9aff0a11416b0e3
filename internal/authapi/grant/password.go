package grant

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service redeems grants.
type Service struct {
	Sessions session.Sessions
	Hasher   *password.Hasher
	Guesses  *ratelimit.Limiter // of passwords, by address; holds nothing else, so that no flood can push them out
	Now      func() time.Time
}

// PasswordTokens is the answer to the password grant: it also tells whether the
// password would still be accepted as a new one.
type PasswordTokens struct {
	session.Tokens
	WeakPassword *password.Weakness `json:"weak_password"`
}

// wrongPasswords is how many failures an account may see before even the right
// password has to wait: it slows down guessing from many addresses.
var wrongPasswords = ratelimit.Rule{Name: "password_address", Events: 60, Per: 5 * time.Minute, Burst: 60}

// Password signs in by e-mail and password. auth.ErrCredentials for a wrong
// password and for an unknown address, after the same work. Whether the user is
// banned or unconfirmed is told only to who knows the password.
func (s Service) Password(ctx context.Context, sc *tenants.Scope, email, pass string) (*PasswordTokens, error) {
	if err := s.Guesses.Allow(ctx, sc.Tenant.Ref, wrongPasswords, email); err != nil {
		return nil, err
	}
	hash, upgrade, err := s.checkPassword(ctx, sc, email, pass)
	if !errors.Is(err, auth.ErrCredentials) {
		s.Guesses.Refund(ctx, sc.Tenant.Ref, wrongPasswords, email)
	}
	if err != nil {
		return nil, err
	}
	var p *auth.Principal
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		p, err = s.signIn(ctx, tx, sc, email, hash, upgrade)
		return err
	})
	if err != nil {
		return nil, err
	}
	tokens, err := s.Sessions.Answer(sc, p)
	if err != nil {
		return nil, err
	}
	return &PasswordTokens{Tokens: *tokens, WeakPassword: password.PolicyOf(&sc.Tenant.Config).Weakness(pass)}, nil
}

// checkPassword compares outside of any transaction, as it takes long. It gives
// the hash that matched, and a better one where that should replace it.
func (s Service) checkPassword(ctx context.Context, sc *tenants.Scope, email, pass string) (hash, upgrade string, err error) {
	var u auth.User
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		u, err = tx.UserByEmail(ctx, email, false)
		return err
	})
	if err != nil && !errors.Is(err, auth.ErrUserNotFound) {
		return "", "", err
	}
	if err != nil || !u.HasPassword() {
		if err := s.Hasher.Dummy(ctx, sc.Tenant.Ref, pass); err != nil {
			return "", "", err
		}
		return "", "", auth.ErrCredentials
	}
	ok, weak, err := s.Hasher.Verify(ctx, sc.Tenant.Ref, u.EncryptedPassword, pass)
	if err != nil {
		return "", "", err
	}
	if !ok {
		return "", "", auth.ErrCredentials
	}
	if weak {
		// An imported password may be one that bcrypt does not take; its hash stays as it is.
		upgrade, err = s.Hasher.Hash(ctx, sc.Tenant.Ref, pass)
		if errors.Is(err, password.ErrTooLong) || errors.Is(err, password.ErrNUL) {
			err = nil
		}
	}
	return u.EncryptedPassword, upgrade, err
}

func (s Service) signIn(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, email, hash, upgrade string) (*auth.Principal, error) {
	u, err := tx.UserByEmail(ctx, email, true)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return nil, auth.ErrCredentials
	case err != nil:
		return nil, err
	case u.EncryptedPassword != hash: // changed while we compared
		return nil, auth.ErrCredentials
	case u.Banned(s.Now()):
		return nil, auth.ErrUserBanned
	case !u.EmailConfirmed() && !sc.Tenant.Config.MailerAllowUnverifiedEmailSignIn:
		return nil, auth.ErrEmailUnconfirmed
	}
	if upgrade != "" {
		u.EncryptedPassword = upgrade
	}
	if err := session.Record(ctx, tx, sc, &u, "login", "account", map[string]any{"provider": auth.ProviderEmail}, s.Now()); err != nil {
		return nil, err
	}
	return s.Sessions.Begin(ctx, tx, sc, &u, auth.MethodPassword)
}

package grant

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/contact"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Password is the grant of a password and an e-mail address or a phone number.
type Password struct {
	Sessions session.Sessions
	Hasher   *password.Hasher
	Strength strength.Checker
	Guesses  *ratelimit.Limiter // of passwords, by address; not shared, so that no flood can evict them
	// Attempts is told each comparison with a user's password; nil tells nobody.
	Attempts Attempts
}

// Attempts is code of a project that runs after a user's password was compared.
type Attempts interface {
	// NoAttempt takes about the time of PasswordAttempt, for an address of nobody.
	NoAttempt(ctx context.Context, sc *tenants.Scope) error
	// PasswordAttempt refuses the attempt by an error.
	PasswordAttempt(ctx context.Context, sc *tenants.Scope, user uuid.UUID, valid bool, out func(ctx context.Context, tx *tenantdb.Tx, user uuid.UUID) error) error
}

// PasswordTokens is the answer to the password grant: it also says whether the
// password would be accepted as a new one.
type PasswordTokens struct {
	session.Tokens
	WeakPassword *password.Weakness `json:"weak_password"`
}

// Redeem implements Grant.
func (g Password) Redeem(ctx context.Context, sc *tenants.Scope, members Members) (any, error) {
	var req struct {
		Email    string `json:"email"`
		Phone    string `json:"phone"`
		Password string `json:"password"`
	}
	if err := members.Decode(&req); err != nil {
		return nil, err
	}
	err := contact.Contact{Email: req.Email, Phone: req.Phone}.Check(&sc.Tenant.Config, contact.Faults{
		Both:     auth.ErrValidation.Saying("Only an email address or phone number should be provided on login"),
		PhoneOff: auth.ErrPhoneDisabled,
		Neither:  auth.ErrValidation.Saying("missing email or phone"),
		EmailOff: auth.ErrEmailDisabled,
	})
	if err != nil {
		return nil, err
	}
	var who login
	if req.Phone != "" {
		who.phone, err = auth.NormalizePhone(req.Phone)
	} else {
		who.email, err = auth.NormalizeEmail(req.Email)
	}
	if err != nil { // an invalid address or number belongs to no user, and the reference says no more
		return nil, auth.ErrCredentials.Because(err)
	}
	if err := users.CompanyOnly(ctx, sc, who.email); err != nil {
		return nil, err
	}
	return g.signIn(ctx, sc, who, req.Password)
}

// login names a user by an address or a number.
type login struct{ email, phone string }

// password returns the id and the encrypted password of the user; "" for none.
func (l login) password(ctx context.Context, tx *tenantdb.Tx) (user uuid.UUID, hash string, err error) {
	if l.phone != "" {
		return tx.PasswordByPhone(ctx, l.phone)
	}
	return tx.PasswordByEmail(ctx, l.email)
}

// user returns the user, locked.
func (l login) user(ctx context.Context, tx *tenantdb.Tx) (auth.User, error) {
	if l.phone != "" {
		return tx.UserByPhone(ctx, l.phone, true)
	}
	return tx.UserByEmail(ctx, l.email, true)
}

// signedInFrom reports whether the user has a session that began at an address.
func (l login) signedInFrom(ctx context.Context, tx *tenantdb.Tx, address string) (bool, error) {
	if l.phone != "" {
		return tx.PhoneSignedInFrom(ctx, l.phone, address)
	}
	return tx.SignedInFrom(ctx, l.email, address)
}

func (l login) provider() string {
	if l.phone != "" {
		return auth.ProviderPhone
	}
	return auth.ProviderEmail
}

// refusals are the errors for accounts that may have no session.
func (l login) refusals(cfg *tenants.Config) session.Refusals {
	r := session.Refusals{Gone: auth.ErrCredentials, Banned: auth.ErrUserBanned}
	switch {
	case l.phone != "":
		r.UnconfirmedPhone = auth.ErrPhoneUnconfirmed
	case !cfg.MailerAllowUnverifiedEmailSignIn:
		r.Unconfirmed = auth.ErrEmailUnconfirmed
	}
	return r
}

// signIn returns auth.ErrCredentials for a wrong password and for an unknown
// address, after the same work. Only somebody who knows the password learns
// that the user is banned or unconfirmed.
func (g Password) signIn(ctx context.Context, sc *tenants.Scope, who login, pass string) (*PasswordTokens, error) {
	var c comparison
	err := g.guess(ctx, sc, who, pass, func() (err error) {
		c, err = g.checkPassword(ctx, sc, who, pass)
		return err
	})
	if err == nil || errors.Is(err, auth.ErrCredentials) {
		if told := g.tell(ctx, sc, c, err == nil); told != nil {
			return nil, told
		}
	}
	if err != nil {
		return nil, err
	}
	tokens, err := g.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		return g.provePassword(ctx, tx, sc, who, c.hash, c.upgrade)
	})
	if err != nil {
		return nil, err
	}
	return &PasswordTokens{Tokens: *tokens, WeakPassword: g.Strength.Weakness(ctx, sc, pass)}, nil
}

// comparison is the result of comparing a password.
type comparison struct {
	user    uuid.UUID // uuid.Nil if nothing was compared
	hash    string    // that matched
	upgrade string    // a better one, if it should be replaced
}

// tell tells the project's hook of a comparison. Attempts that a limit refused, and
// those at nobody's account, are none.
func (g Password) tell(ctx context.Context, sc *tenants.Scope, c comparison, valid bool) error {
	switch {
	case g.Attempts == nil:
		return nil
	case c.user == uuid.Nil:
		return g.Attempts.NoAttempt(ctx, sc)
	}
	return g.Attempts.PasswordAttempt(ctx, sc, c.user, valid, func(ctx context.Context, tx *tenantdb.Tx, user uuid.UUID) error {
		return g.Sessions.End(ctx, tx, sc, &auth.User{ID: user}, session.All, session.CauseAdmin)
	})
}

// checkPassword compares outside of any transaction, because it takes long.
func (g Password) checkPassword(ctx context.Context, sc *tenants.Scope, who login, pass string) (c comparison, err error) {
	var user uuid.UUID
	err = sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		user, c.hash, err = who.password(ctx, tx)
		return err
	})
	if err != nil {
		return comparison{}, err
	}
	if c.hash == "" {
		if err := g.Hasher.Dummy(ctx, sc.Tenant.Ref, pass); err != nil {
			return comparison{}, err
		}
		return comparison{}, auth.ErrCredentials
	}
	ok, weak, err := g.Hasher.Verify(ctx, sc.Tenant.Ref, c.hash, pass)
	if err != nil {
		return comparison{}, err
	}
	c.user = user
	if !ok {
		return c, auth.ErrCredentials
	}
	if weak {
		// An imported password may be longer than bcrypt's limit; it is not
		// rehashed.
		if c.upgrade, err = g.Hasher.Hash(ctx, sc.Tenant.Ref, pass); errors.Is(err, password.ErrTooLong) {
			err = nil
		}
	}
	return c, err
}

// provePassword checks that the compared hash is still the user's, and writes a
// better hash of the password.
func (g Password) provePassword(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, who login, hash, upgrade string) (*session.Proof, error) {
	u, err := who.user(ctx, tx)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return nil, auth.ErrCredentials
	case err != nil:
		return nil, err
	case u.EncryptedPassword != hash: // changed during the comparison
		return nil, auth.ErrCredentials
	}
	if upgrade != "" && !u.Gone() {
		if err := tx.UpdateUser(ctx, &u, g.Sessions.Now(), tenantdb.EncryptedPassword(upgrade)); err != nil {
			return nil, err
		}
	}
	return &session.Proof{
		User: &u, Method: auth.MethodPassword, Refusals: who.refusals(&sc.Tenant.Config),
		Action: auth.ActionLogin, Traits: audit.ByProvider(who.provider()),
	}, nil
}

package signup

import (
	"context"
	"encoding/json"
	"errors"
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
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service registers users.
type Service struct {
	users.Users
	Mailer   *mail.Mailer
	Texter   *sms.Texter
	Hasher   *password.Hasher
	Strength strength.Checker
}

// Registration is a validated request by Email, in lower case, or by Phone.
type Registration struct {
	Email, Phone string
	Channel      message.Channel // of the message to Phone
	Password     string
	Data         map[string]any
	RedirectTo   redirect.Asked
	PKCE         pkce.Challenge
}

// Result is a session, or the user who must confirm.
type Result struct {
	Tokens *session.Tokens
	User   *auth.User
}

// Register signs up a user. auth.ErrUserExists only with autoconfirm;
// weak_password; auth.ErrEmailRate.
func (s Service) Register(ctx context.Context, sc *tenants.Scope, r Registration) (*Result, error) {
	cfg := &sc.Tenant.Config
	if err := s.Strength.Check(ctx, sc, r.Password); err != nil {
		return nil, err
	}
	hash, err := s.Hasher.Hash(ctx, sc.Tenant.Ref, r.Password)
	if err != nil {
		return nil, err
	}
	if r.autoconfirmed(cfg) {
		tokens, err := s.registerConfirmed(ctx, sc, r, hash)
		return &Result{Tokens: tokens}, err
	}
	u, err := s.registerUnconfirmed(ctx, sc, r, hash)
	return &Result{User: u}, err
}

func newUser(id uuid.UUID, r Registration, hash string, confirmed bool) users.New {
	if r.Phone != "" {
		return users.SignedUpByPhone(id, r.Phone, r.Data, hash, confirmed)
	}
	return users.SignedUp(id, r.Email, r.Data, hash, confirmed)
}

// registerConfirmed creates a confirmed user and a session. A repeated sign-up is
// committed to the audit log before it is refused.
func (s Service) registerConfirmed(ctx context.Context, sc *tenants.Scope, r Registration, hash string) (*session.Tokens, error) {
	taken := false
	tokens, err := s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
		u, err := s.confirmedUser(ctx, tx, sc, r, hash)
		action := auth.ActionUserSignedUp
		if taken = u != nil && errors.Is(err, auth.ErrUserExists); taken {
			action, err = auth.ActionUserRepeatedSignUp, nil
		}
		if err != nil {
			return nil, err
		}
		if _, err := audit.User(ctx, tx, sc, u, action, r.traits(), s.Now()); err != nil || taken {
			return nil, err
		}
		return &session.Proof{
			User: u, Method: auth.MethodPassword, Action: auth.ActionLogin, Traits: r.traits(),
			Refusals: session.Refusals{Gone: auth.ErrUserNotFound},
		}, nil
	})
	if err == nil && taken {
		err = auth.ErrUserExists
	}
	return tokens, err
}

// confirmedUser creates the user, or replaces one who signed up while the
// project required confirmation and never confirmed: without confirmation an
// address belongs to the latest sign-up. With auth.ErrUserExists it returns the
// user who has the address.
func (s Service) confirmedUser(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Registration, hash string) (*auth.User, error) {
	u, err := r.user(ctx, tx)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return s.Create(ctx, tx, sc, newUser(uuid.New(), r, hash, true))
	case err != nil:
		return nil, err
	case u.Gone():
		return &u, auth.ErrUserExists
	case r.Phone != "":
		return &u, s.replaceUnconfirmedPhone(ctx, tx, sc, &u, newUser(u.ID, r, hash, true))
	}
	return &u, s.ReplaceUnconfirmed(ctx, tx, &u, newUser(u.ID, r, hash, true))
}

// registerUnconfirmed creates an unconfirmed user and sends the confirmation
// mail. The limit on repeated requests counts every address. It is reported
// only for addresses that already have a user, so that the answer does not
// reveal whether a user exists.
func (s Service) registerUnconfirmed(ctx context.Context, sc *tenants.Scope, r Registration, hash string) (answer *auth.User, err error) {
	defer mail.EqualizeTime(ctx, time.Now())
	now := s.Now() // of all times in the answer, which else would tell a written row
	s.Users.Now = func() time.Time { return now }
	err = s.post(ctx, sc, r, func(tx *tenantdb.Tx, throttled error, send deliver) error {
		if err := s.AskBefore(ctx, tx, sc, newUser(uuid.New(), r, hash, false)); err != nil {
			return err
		}
		u, err := r.user(ctx, tx)
		switch {
		case errors.Is(err, auth.ErrUserNotFound):
			answer, err = s.pending(ctx, tx, sc, r, hash, send)
			return err
		case err != nil:
			return err
		case throttled != nil:
			return throttled
		case r.confirmed(&u), u.Gone():
			answer, err = s.obfuscated(ctx, tx, sc, &u, r)
			return err
		}
		answer, err = s.repeated(ctx, tx, sc, &u, r, hash, send)
		return err
	})
	return answer, err
}

// repeated is a sign-up with the address of an unconfirmed user. It is kept apart
// with its password and data until its own token confirms the address, because
// nobody has proved ownership yet. Where an admin created the user, the token
// confirms that account.
//
// A sign-up that is kept apart is mailed even right after a mail that another
// process sent: without a mail of its own it would be lost, and a refusal would
// reveal the user.
func (s Service) repeated(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, r Registration, hash string, send deliver) (*auth.User, error) {
	answer, err := s.preview(ctx, tx, u.ID, r)
	if err != nil {
		return nil, err
	}
	origin, err := s.origin(ctx, tx, u, r)
	if err != nil {
		return nil, err
	}
	switch {
	case origin.Public:
		err = s.sendApart(ctx, tx, sc, u, answer.UserMetadata, r, hash, send)
	case !s.recent(ctx, sc, u, r):
		err = s.send(ctx, tx, sc, u, r, send)
	}
	return answer, err
}

// pending creates the user who must confirm.
func (s Service) pending(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Registration, hash string, send deliver) (*auth.User, error) {
	u, err := s.Create(ctx, tx, sc, newUser(uuid.New(), r, hash, false))
	if err != nil {
		return nil, err
	}
	if err := tx.BeginSignup(ctx, u.ID, s.Now()); err != nil {
		return nil, err
	}
	if err := s.send(ctx, tx, sc, u, r, send); err != nil {
		return nil, err
	}
	settled, err := tx.Settle(ctx, u.ID)
	return &settled, err
}

// send mails a link that confirms the user as they are.
func (s Service) send(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, r Registration, send deliver) error {
	if err := r.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailSignup, s.Now()); err != nil {
		return err
	}
	return s.put(ctx, tx, sc, u, r, func() error { return send(ctx, u, nil) })
}

// sendApart mails a link that makes this sign-up the user's. The mail shows the
// metadata of this sign-up, not those of another.
func (s Service) sendApart(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, metadata json.RawMessage, r Registration, hash string, send deliver) error {
	recipient := *u
	recipient.UserMetadata = metadata
	signup := r.PKCE.Keep(auth.Signup{Password: hash, Data: r.Data})
	return s.put(ctx, tx, sc, u, r, func() error { return send(ctx, &recipient, signup) })
}

func (s Service) put(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, r Registration, send func() error) error {
	now := s.Now()
	if _, err := audit.User(ctx, tx, sc, u, auth.ActionUserConfirmationRequested, r.traits(), now); err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u, now, tenantdb.ConfirmationSentAt(&now)); err != nil {
		return err
	}
	return send()
}

// obfuscated answers for a taken address as for a new one, including repeated
// requests, which get the same id. The reference leaves its identities empty,
// and so reveals that the address has a user.
func (s Service) obfuscated(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, taken *auth.User, r Registration) (*auth.User, error) {
	u, err := s.preview(ctx, tx, token.ObfuscatedID(sc.Tenant.Secrets.OTPKey, r.Email+r.Phone), r)
	if err != nil {
		return nil, err
	}
	_, err = audit.User(ctx, tx, sc, taken, auth.ActionUserRepeatedSignUp, r.traits(), s.Now())
	return u, err
}

// preview is the user that a registration would create: the answer when nothing
// of the existing user may be shown. Its JSON is written as the database writes
// it.
func (s Service) preview(ctx context.Context, tx *tenantdb.Tx, id uuid.UUID, r Registration) (*auth.User, error) {
	u, err := s.Preview(newUser(id, r, "", false))
	if err != nil {
		return nil, err
	}
	now := s.Now()
	u.ConfirmationSentAt = &now
	return u, tx.Normalize(ctx, &u.AppMetadata, &u.UserMetadata, &u.Identities[0].Data)
}

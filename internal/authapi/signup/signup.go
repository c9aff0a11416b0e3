package signup

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service registers users.
type Service struct {
	Sessions session.Sessions
	Mailer   *mail.Mailer
	Hasher   *password.Hasher
	Now      func() time.Time
}

// Registration is a request that was validated; Email is lower-case.
type Registration struct {
	Email, Password string
	Data            map[string]any
	RedirectTo      redirect.Asked
	PKCE            pkce.Challenge
}

// Result is a session, or the user who is to be confirmed.
type Result struct {
	Tokens *session.Tokens
	User   *auth.User
}

// Register signs a user up. auth.ErrUserExists only with autoconfirm;
// weak_password; auth.ErrEmailRate.
func (s Service) Register(ctx context.Context, sc *tenants.Scope, r Registration) (*Result, error) {
	cfg := &sc.Tenant.Config
	if err := password.PolicyOf(cfg).Check(r.Password); err != nil {
		return nil, err
	}
	hash, err := s.Hasher.Hash(ctx, sc.Tenant.Ref, r.Password)
	if err != nil {
		return nil, err
	}
	if cfg.MailerAutoconfirm {
		return s.confirmed(ctx, sc, r, hash)
	}
	return s.unconfirmed(ctx, sc, r, hash)
}

// confirmed signs up and in at once.
func (s Service) confirmed(ctx context.Context, sc *tenants.Scope, r Registration, hash string) (*Result, error) {
	var p *auth.Principal
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := s.claim(ctx, tx, sc, r, hash)
		if err != nil {
			return err
		}
		p, err = s.Sessions.Begin(ctx, tx, sc, u, auth.MethodPassword)
		return err
	})
	if errors.Is(err, auth.ErrEmailExists) { // another request was first
		err = auth.ErrUserExists
	}
	if err != nil {
		return nil, err
	}
	tokens, err := s.Sessions.Answer(sc, p)
	return &Result{Tokens: tokens}, err
}

// claim makes the user, or makes over one who signed up while the project still
// asked for confirmation and never answered: without confirmation an address is
// whose who says so.
func (s Service) claim(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Registration, hash string) (*auth.User, error) {
	u, err := tx.UserByEmail(ctx, r.Email, true)
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return s.create(ctx, tx, sc, r, hash, true)
	case err != nil:
		return nil, err
	case !unclaimed(&u):
		return nil, auth.ErrUserExists
	}
	return &u, s.makeOver(ctx, tx, sc, &u, r, hash)
}

// unclaimed reports whether a user came by a sign-up of which nothing followed.
// Whom an admin made, invited or gave rights stays out of strangers' reach. That a
// confirmation was sent says little, as anybody may ask for one; but only a
// sign-up leaves the identity's data as the user's metadata.
func unclaimed(u *auth.User) bool {
	identity := u.EmailIdentity()
	if identity == nil {
		return false
	}
	var app, user, said map[string]any
	err := errors.Join(json.Unmarshal(u.AppMetadata, &app), json.Unmarshal(u.UserMetadata, &user), json.Unmarshal(identity.Data, &said))
	return err == nil && reflect.DeepEqual(app, signedUp) && reflect.DeepEqual(user, said) &&
		u.ConfirmedAt == nil && u.ConfirmationSentAt != nil && u.InvitedAt == nil && u.LastSignInAt == nil &&
		u.BannedUntil == nil && u.Phone == "" && u.Role == auth.RoleAuthenticated
}

// signedUp is the app_metadata of whoever has signed up by e-mail.
var signedUp = map[string]any{"provider": auth.ProviderEmail, "providers": []any{auth.ProviderEmail}}

// makeOver leaves of the earlier sign-up only the user's id.
func (s Service) makeOver(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, r Registration, hash string) error {
	now, identity := s.Now(), u.EmailIdentity()
	old := *u
	old.Identities = nil
	fresh, err := old.AddEmailIdentity(r.Data, now)
	if err != nil {
		return err
	}
	u.EncryptedPassword, u.UserMetadata, identity.Data = hash, fresh.Data, fresh.Data
	u.ForgetFlows()
	if err := u.ConfirmEmail(now); err != nil {
		return err
	}
	if err := tx.SaveEmail(ctx, u); err != nil {
		return err
	}
	if err := tx.EndFlows(ctx, u.ID); err != nil {
		return err
	}
	return session.Record(ctx, tx, sc, u, "user_signedup", "team", map[string]any{"provider": auth.ProviderEmail}, now)
}

// purpose is what mails are spaced out by; asking for the link again is of the
// same.
const purpose = "signup"

// unconfirmed signs up and sends the mail that confirms.
func (s Service) unconfirmed(ctx context.Context, sc *tenants.Scope, r Registration, hash string) (*Result, error) {
	if err := s.Mailer.Prepare(ctx, sc); err != nil {
		return nil, err
	}
	// Counted for every address, and told of every address that somebody has by
	// now, which is so of all that were asked for before.
	refused := s.Mailer.Throttle(ctx, sc, purpose, r.Email)
	var answer *auth.User
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByEmail(ctx, r.Email, true)
		switch {
		case errors.Is(err, auth.ErrUserNotFound):
			if answer, err = s.create(ctx, tx, sc, r, hash, false); err != nil {
				return err
			}
			return s.send(ctx, tx, sc, answer, r)
		case err != nil:
			return err
		case refused != nil:
			return refused
		case u.EmailConfirmed():
			return s.madeUp(ctx, tx, sc, &u, r, &answer)
		}
		if !s.Mailer.Recent(sc, u.ConfirmationSentAt) {
			if err := s.send(ctx, tx, sc, &u, r); err != nil {
				return err
			}
		}
		answer, err = asFresh(&u, r, s.Now())
		return err
	})
	if errors.Is(err, auth.ErrEmailExists) { // another request was first, and sent the mail
		err = auth.ErrEmailRate.After(time.Second)
	}
	if err != nil {
		if refused == nil {
			s.Mailer.Forgive(ctx, sc, purpose, r.Email)
		}
		return nil, err
	}
	s.Mailer.Wake(sc)
	return &Result{User: answer}, nil
}

func (s Service) create(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, r Registration, hash string, confirmed bool) (*auth.User, error) {
	now := s.Now()
	u, err := newUser(r, confirmed, now)
	if err != nil {
		return nil, err
	}
	u.EncryptedPassword = hash
	if err := tx.CreateUser(ctx, u); err != nil {
		return nil, err
	}
	if err := tx.CreateIdentity(ctx, u.EmailIdentity()); err != nil {
		return nil, err
	}
	action := "user_confirmation_requested"
	if confirmed {
		action = "user_signedup"
	}
	return u, session.Record(ctx, tx, sc, u, action, "team", map[string]any{"provider": auth.ProviderEmail}, now)
}

// newUser makes the user and the identity that a registration asks for.
func newUser(r Registration, confirmed bool, now time.Time) (*auth.User, error) {
	u := auth.NewUser(now)
	u.Email = r.Email
	if confirmed {
		u.EmailConfirmedAt, u.ConfirmedAt = &now, &now
	}
	if err := u.AddProvider(auth.ProviderEmail); err != nil {
		return nil, err
	}
	i, err := u.AddEmailIdentity(r.Data, now)
	if err != nil {
		return nil, err
	}
	u.UserMetadata = i.Data
	return u, nil
}

func (s Service) send(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, r Registration) error {
	now := s.Now()
	if err := r.PKCE.Begin(ctx, tx, u.ID, auth.MethodEmailSignup, now); err != nil {
		return err
	}
	u.ConfirmationSentAt = &now
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	return s.Mailer.Put(ctx, tx, sc, mail.Letter{
		Kind: message.Confirmation, User: u, To: u.Email, Token: auth.TokenConfirmation, Verify: "signup",
		RedirectTo: r.RedirectTo.Target(&sc.Tenant.Config), PKCE: r.PKCE.Given(),
	})
}

// madeUp answers for an address that is taken as for a fresh one, asking again
// included. Its identities are empty, by which the SDKs' users can tell, as with
// the reference.
func (s Service) madeUp(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, taken *auth.User, r Registration, answer **auth.User) error {
	now := s.Now()
	u, err := newUser(r, false, now)
	if err != nil {
		return err
	}
	u.Identities, u.ConfirmationSentAt = []auth.Identity{}, &now
	*answer = u
	return session.Record(ctx, tx, sc, taken, "user_repeated_signup", "user", map[string]any{"provider": auth.ProviderEmail}, now)
}

// asFresh is the answer for an unconfirmed user who signs up again: nothing of
// what was said the first time.
func asFresh(u *auth.User, r Registration, now time.Time) (*auth.User, error) {
	fresh, err := newUser(r, false, now)
	if err != nil {
		return nil, err
	}
	fresh.ID = u.ID
	fresh.Identities = nil
	if _, err := fresh.AddEmailIdentity(r.Data, now); err != nil {
		return nil, err
	}
	fresh.UserMetadata = fresh.Identities[0].Data
	fresh.ConfirmationSentAt = u.ConfirmationSentAt
	return fresh, nil
}

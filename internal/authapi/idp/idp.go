// Package idp is the step that all sign-ins at external identity providers have
// in common, whether the browser came back from the provider or an app presents
// an ID token: it finds the project's provider, and signs in or links the person
// that the provider describes. It owns no route and asks no provider.
package idp

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service signs in whom a provider describes.
type Service struct {
	users.Users
	Mailer *mail.Mailer
}

// Person is whom a provider describes, and what for.
type Person struct {
	users.ProviderUser
	LinkTo     *uuid.UUID // the user who gets the identity; nil to sign in
	LinkedBy   uuid.UUID  // the session that asked for it; Nil for none
	RedirectTo string     // where the link of a confirmation mail leads
}

// refusals are the errors for an account that may have no session.
var refusals = session.Refusals{Gone: auth.ErrUserNotFound, Banned: auth.ErrUserBanned}

// SignIn begins a session. auth.ErrSignupDisabled, auth.ErrUserBanned,
// auth.ErrIdentityExists; auth.ErrEmailUnproved when the user must first confirm
// an address that the provider has not verified.
func (s Service) SignIn(ctx context.Context, sc *tenants.Scope, p Person) (tokens *session.Tokens, err error) {
	err = s.proved(ctx, sc, p, func(admit admission) (err error) {
		tokens, err = s.Sessions.SignIn(ctx, sc, func(tx *tenantdb.Tx) (*session.Proof, error) {
			u, err := admit(tx)
			if u == nil || err != nil {
				return nil, err
			}
			return &session.Proof{
				User: u, Method: auth.MethodOAuth, Action: auth.ActionLogin, Traits: audit.ByProvider(p.Provider), Refusals: refusals,
			}, nil
		})
		return err
	})
	return tokens, err
}

// Admit is SignIn without the session: then runs in the transaction with the
// user, whose session begins later.
func (s Service) Admit(ctx context.Context, sc *tenants.Scope, p Person, then func(tx *tenantdb.Tx, u *auth.User) error) error {
	return s.proved(ctx, sc, p, func(admit admission) error {
		return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
			u, err := admit(tx)
			if u == nil || err != nil {
				return err
			}
			return then(tx, u)
		})
	})
}

// admission returns the user of a person in a transaction; nil when the user must
// confirm the address first.
type admission func(tx *tenantdb.Tx) (*auth.User, error)

// proved runs the transaction of run. When that found that the user must confirm
// the address, it mails the link.
func (s Service) proved(ctx context.Context, sc *tenants.Scope, p Person, run func(admission) error) error {
	var unproved *auth.User
	err := run(func(tx *tenantdb.Tx) (*auth.User, error) {
		unproved = nil
		u, err := s.user(ctx, tx, sc, p)
		if err != nil {
			return nil, err
		}
		if needsProof(sc, p, u) {
			unproved = u
			return nil, nil
		}
		return u, nil
	})
	if err == nil && unproved != nil {
		err = s.askForProof(ctx, sc, p, unproved)
	}
	return err
}

// user finds or creates the user, or links the identity to the user who asked
// for it.
func (s Service) user(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p Person) (*auth.User, error) {
	if p.LinkTo != nil {
		return s.link(ctx, tx, sc, p)
	}
	u, how, err := s.Resolve(ctx, tx, sc, p.ProviderUser)
	if err != nil {
		return nil, err
	}
	actions := map[users.Resolution]auth.Action{users.Created: auth.ActionUserSignedUp, users.Linked: auth.ActionIdentityLinked}
	if action, ok := actions[how]; ok {
		if _, err := audit.User(ctx, tx, sc, u, action, audit.ByProvider(p.Provider), s.Now()); err != nil {
			return nil, err
		}
	}
	if sc.Tenant.Config.MailerAutoconfirm && u.Email != "" && !u.EmailConfirmed() {
		err = s.ConfirmEmail(ctx, tx, u)
	}
	return u, err
}

// link links the identity to the user who asked for it, if the session that asked
// has not ended meanwhile: the request to the provider takes its time.
// auth.ErrSessionNotFound, auth.ErrSSOManaged.
func (s Service) link(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p Person) (*auth.User, error) {
	u, err := s.ByID(ctx, tx, *p.LinkTo)
	if err != nil {
		return nil, err
	}
	sc.Log.SetUser(u.ID)
	if refused := refusals.Admit(u, s.Now()); refused != nil {
		return nil, refused
	}
	if u.IsSSOUser {
		return nil, auth.ErrSSOManaged
	}
	if p.LinkedBy != uuid.Nil {
		stands, err := tx.SessionStands(ctx, p.LinkedBy) // the user is locked
		if err != nil {
			return nil, err
		}
		if !stands {
			return nil, auth.ErrSessionNotFound
		}
	}
	if err := s.LinkProvider(ctx, tx, sc, u, p.ProviderUser); err != nil {
		return nil, err
	}
	_, err = audit.User(ctx, tx, sc, u, auth.ActionIdentityLinked, audit.ByProvider(p.Provider), s.Now())
	return u, err
}

// needsProof reports whether a sign-in must wait until the user has confirmed an
// address that the provider has not verified.
func needsProof(sc *tenants.Scope, p Person, u *auth.User) bool {
	return p.LinkTo == nil && u.Email != "" && !u.EmailConfirmed() && u.PhoneConfirmedAt == nil &&
		!sc.Tenant.Config.MailerAllowUnverifiedEmailSignIn
}

// askForProof mails a link that confirms the address, and returns
// auth.ErrEmailUnproved.
func (s Service) askForProof(ctx context.Context, sc *tenants.Scope, p Person, unproved *auth.User) error {
	req := mail.Request{Purpose: mail.Signups, Address: unproved.Email, ReportLater: true}
	err := s.Mailer.Post(ctx, sc, req, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		u, err := s.ByID(ctx, tx, unproved.ID)
		if err != nil {
			return err
		}
		if out.Throttled != nil || u.EmailConfirmed() || s.Mailer.Recent(ctx, sc, u.ConfirmationSentAt) {
			return nil
		}
		now := s.Now()
		if err := tx.UpdateUser(ctx, u, now, tenantdb.ConfirmationSentAt(&now)); err != nil {
			return err
		}
		return out.Put(ctx, mail.Letter{Kind: message.Confirmation, User: u, RedirectTo: p.RedirectTo})
	})
	if err != nil {
		return fmt.Errorf("mail a confirmation: %w", err)
	}
	return auth.ErrEmailUnproved
}

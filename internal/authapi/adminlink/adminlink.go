package adminlink

import (
	"context"
	"errors"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service generates links.
type Service struct {
	users.Users
	Mailer   *mail.Mailer
	Hasher   *password.Hasher
	Strength strength.Checker
}

// Link is a generated link.
type Link struct {
	mail.Link
	User *auth.User
	Type Type
}

// Generate writes a token without a mail. auth.ErrEmailExists if a confirmed
// user needs no such link, or has the new address; auth.ErrUserNotFound if the
// type needs an existing user. A magic link for an unknown address creates the
// user, as in the reference, and so does a sign-up link.
func (s Service) Generate(ctx context.Context, sc *tenants.Scope, o *Order) (*Link, error) {
	link := Link{Type: o.Type}
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		letter, err := s.begin(ctx, tx, sc, o)
		if err != nil {
			return err
		}
		if link.Link, err = s.Mailer.Link(ctx, tx, sc, letter); err != nil {
			return err
		}
		if letter.Kind == message.Confirmation {
			link.Type = Signup
		}
		u, err := tx.Settle(ctx, letter.User.ID)
		link.User = &u
		return err
	})
	return &link, err
}

// Send writes a token as Generate does, and its mail. auth.ErrEmailExists for the
// invitation of a confirmed user; auth.ErrEmailRate.
func (s Service) Send(ctx context.Context, sc *tenants.Scope, o *Order) (*auth.User, error) {
	var u auth.User
	err := s.Mailer.Post(ctx, sc, mail.Request{}, func(tx *tenantdb.Tx, out *mail.Outgoing) error {
		letter, err := s.begin(ctx, tx, sc, o)
		if err != nil {
			return err
		}
		if err := out.Put(ctx, letter); err != nil {
			return err
		}
		u, err = tx.Settle(ctx, letter.User.ID)
		return err
	})
	return &u, err
}

// begin finds or creates the user, writes the changes of the link's type, and
// returns the letter for the link.
func (s Service) begin(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, o *Order) (mail.Letter, error) {
	found, err := tx.UserByEmail(ctx, o.Email, true)
	unknown := errors.Is(err, auth.ErrUserNotFound)
	if err != nil && !unknown {
		return mail.Letter{}, err
	}
	letter := mail.Letter{Kind: letterKinds[o.Type], User: &found, RedirectTo: o.RedirectTo, ToNew: o.Type == EmailChangeNew}
	switch {
	case o.Type == Signup || o.Type == Invite:
		letter.User, err = s.register(ctx, tx, sc, &found, unknown, o)
	case o.Type == MagicLink && unknown:
		letter.Kind = message.Confirmation
		letter.User, err = s.register(ctx, tx, sc, &found, unknown, o)
	case unknown || found.Gone():
		err = auth.ErrUserNotFound
	case o.Type == MagicLink || o.Type == Recovery:
		err = s.recovery(ctx, tx, sc, &found)
	default:
		err = s.emailChange(ctx, tx, sc, &found, o)
	}
	return letter, err
}

var letterKinds = map[Type]message.Kind{
	Signup: message.Confirmation, Invite: message.Invite, MagicLink: message.MagicLink, Recovery: message.Recovery,
	EmailChangeCurrent: message.EmailChange, EmailChangeNew: message.EmailChange,
}

// register creates the user, or updates an unconfirmed one with the admin's
// data, and marks the confirmation as sent.
func (s Service) register(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, unknown bool, o *Order) (*auth.User, error) {
	if !unknown && (u.EmailConfirmed() || u.Gone()) {
		return nil, auth.ErrEmailExists
	}
	now := s.Now()
	changes := []tenantdb.UserChange{tenantdb.ConfirmationSentAt(&now)}
	action := auth.ActionUserConfirmationRequested
	if o.Type == Invite {
		changes, action = append(changes, tenantdb.InvitedAt(&now)), auth.ActionUserInvited
	}
	if unknown {
		var err error
		u, err = s.Create(ctx, tx, sc, o.user())
		if err != nil {
			return nil, err
		}
	} else {
		if err := s.replace(ctx, tx, sc, u, o); err != nil {
			return nil, err
		}
	}
	if err := tx.UpdateUser(ctx, u, now, changes...); err != nil {
		return nil, err
	}
	return u, audit.Admin(ctx, tx, sc, u, action, now)
}

// user is the user that an order creates.
func (o *Order) user() users.New {
	return users.New{
		ByAdmin: true, Email: o.Email, Password: o.Hash, UserMetadata: o.Data,
		Identities: []users.Identity{users.EmailIdentity(o.Email, nil)}, SoughtFirst: true,
	}
}

// replace gives an unconfirmed user the admin's password and data. A stranger who
// created the user keeps no way in.
func (s Service) replace(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o *Order) error {
	origin, err := s.Unproved(ctx, tx, u)
	if err != nil {
		return err
	}
	if origin.Public {
		if _, err := auth.MergeMetadata(nil, o.Data); err != nil {
			return err
		}
		return s.TakeOver(ctx, tx, sc, u, o.user())
	}
	data, err := s.SetUserMetadata(u, o.Data)
	if err != nil {
		return err
	}
	// Where unconfirmed users may sign in.
	if err := s.Sessions.End(ctx, tx, sc, u, session.All, session.CauseAdmin); err != nil {
		return err
	}
	return tx.UpdateUser(ctx, u, s.Now(), data, tenantdb.EncryptedPassword(o.Hash))
}

// recovery marks a link that signs in an existing user.
func (s Service) recovery(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User) error {
	now := s.Now()
	if err := tx.UpdateUser(ctx, u, now, tenantdb.RecoverySentAt(&now)); err != nil {
		return err
	}
	return audit.Admin(ctx, tx, sc, u, auth.ActionUserRecoveryRequested, now)
}

// emailChange begins a change of address and marks one of its two links as
// sent. Earlier confirmations are cleared: one side's link must not confirm for
// both.
func (s Service) emailChange(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, o *Order) error {
	if err := s.BeginEmailChange(ctx, tx, u, o.NewEmail); err != nil {
		return err
	}
	return audit.Admin(ctx, tx, sc, u, auth.ActionUserModified, s.Now())
}

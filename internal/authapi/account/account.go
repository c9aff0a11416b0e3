package account

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Service changes accounts.
type Service struct {
	Mailer *mail.Mailer
	Hasher *password.Hasher
	Now    func() time.Time
}

// Change is what a user asks to be changed; what is empty stays.
type Change struct {
	Email           string // lower-case, and not the current one
	Password        *string
	CurrentPassword *string
	Data            map[string]any
	RedirectTo      redirect.Asked
	PKCE            pkce.Challenge
}

// Change applies the change and gives the user as it is now. auth.ErrSamePassword,
// auth.ErrCurrentPassword, weak_password, auth.ErrEmailExists, auth.ErrEmailRate, auth.ErrInsufficientAAL.
func (s Service) Change(ctx context.Context, sc *tenants.Scope, p *auth.Principal, c Change) (*auth.User, error) {
	if (c.Email != "" || c.Password != nil) && p.User.HasVerifiedFactor() && p.Session.AAL != auth.AAL2 {
		return nil, auth.ErrInsufficientAAL
	}
	hash, err := s.newPassword(ctx, sc, p, c)
	if err != nil {
		return nil, err
	}
	if c.Email != "" {
		if err := s.Mailer.Prepare(ctx, sc); err != nil {
			return nil, err
		}
	}
	var u auth.User
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		if u, err = s.lock(ctx, tx, p); err != nil {
			return err
		}
		return s.apply(ctx, tx, sc, p, &u, c, hash)
	})
	if err != nil {
		return nil, err
	}
	if c.Email != "" {
		s.Mailer.Wake(sc)
	}
	return &u, nil
}

// lock gives the user as they are now. Hashing took its time: who was signed out,
// banned or deleted meanwhile changes nothing any more.
func (s Service) lock(ctx context.Context, tx *tenantdb.Tx, p *auth.Principal) (auth.User, error) {
	u, err := tx.UserByID(ctx, p.User.ID, true)
	switch {
	case errors.Is(err, auth.ErrUserNotFound) || (err == nil && u.DeletedAt != nil):
		return u, auth.ErrTokenUserGone
	case err != nil:
		return u, err
	case u.Banned(s.Now()):
		return u, auth.ErrTokenUserBanned
	}
	if p.Session.ID == uuid.Nil {
		return u, nil // the token belongs to no session
	}
	stands, err := tx.SessionStands(ctx, p.Session.ID)
	if err == nil && !stands {
		err = auth.ErrSessionNotFound
	}
	return u, err
}

// newPassword checks and hashes the new password, before any transaction; ""
// when none is asked for.
func (s Service) newPassword(ctx context.Context, sc *tenants.Scope, p *auth.Principal, c Change) (string, error) {
	if c.Password == nil {
		return "", nil
	}
	if err := password.PolicyOf(&sc.Tenant.Config).Check(*c.Password); err != nil {
		return "", err
	}
	if p.User.HasPassword() {
		if c.CurrentPassword != nil {
			ok, _, err := s.Hasher.Verify(ctx, sc.Tenant.Ref, p.User.EncryptedPassword, *c.CurrentPassword)
			if err != nil {
				return "", err
			}
			if !ok {
				return "", auth.ErrCurrentPassword
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

func (s Service) apply(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, u *auth.User, c Change, hash string) error {
	now := s.Now()
	u.UpdatedAt = now
	if c.Data != nil {
		merged, err := auth.MergeMetadata(u.UserMetadata, c.Data)
		if err != nil {
			return err
		}
		u.UserMetadata = merged
	}
	if hash != "" {
		if err := s.setPassword(ctx, tx, sc, p, u, hash); err != nil {
			return err
		}
	}
	if c.Email != "" {
		if err := s.changeEmail(ctx, tx, sc, u, c); err != nil {
			return err
		}
	}
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	if err := session.Record(ctx, tx, sc, u, "user_modified", "user", nil, now); err != nil || c.Email == "" {
		return err
	}
	// Last: a mail counts against the project's limit whatever becomes of the rest.
	return SendEmailChange(ctx, tx, sc, s.Mailer, u, c.RedirectTo.Target(&sc.Tenant.Config), c.PKCE.Given())
}

// setPassword also ends the other sessions, and whatever else somebody may have
// begun who was in the account: links, a change of address, exchanges. This is
// what people do who fear for their account.
func (s Service) setPassword(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, p *auth.Principal, u *auth.User, hash string) error {
	u.EncryptedPassword = hash
	if err := tx.DeleteOtherSessions(ctx, u.ID, p.Session.ID); err != nil {
		return err
	}
	u.ForgetFlows()
	if err := tx.EndFlows(ctx, u.ID); err != nil {
		return err
	}
	return session.Record(ctx, tx, sc, u, "user_updated_password", "user", nil, s.Now())
}

// Scope says which of the user's sessions a logout ends.
type Scope string

// The scopes of a logout; an empty one is global.
const (
	ScopeGlobal Scope = "global"
	ScopeLocal  Scope = "local"
	ScopeOthers Scope = "others"
)

// Logout ends sessions. To a token that belongs to no session all are others, and
// none is local: auth.ErrSessionNotFound.
func (s Service) Logout(ctx context.Context, sc *tenants.Scope, p *auth.Principal, scope Scope) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		var err error
		switch scope {
		case ScopeGlobal, "":
			err = tx.DeleteSessions(ctx, p.User.ID)
		case ScopeLocal:
			if p.Session.ID == uuid.Nil {
				return auth.ErrSessionNotFound
			}
			err = tx.DeleteSession(ctx, p.Session.ID)
		case ScopeOthers:
			err = tx.DeleteOtherSessions(ctx, p.User.ID, p.Session.ID)
		default:
			err = auth.ErrValidation.Saying("scope: must be global, local or others")
		}
		if err != nil {
			return err
		}
		return session.Record(ctx, tx, sc, &p.User, "logout", "account", nil, s.Now())
	})
}

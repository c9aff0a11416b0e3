package recovery

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/account"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/pkce"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Handler serves /recover and /resend.
type Handler struct{ Service Service }

// Mount adds the routes; each has a limit of its own.
func (h Handler) Mount(r gin.IRouter, recoverLimit, resendLimit gin.HandlerFunc) {
	r.POST("/recover", recoverLimit, web.Tenant(http.StatusOK, h.recover))
	r.POST("/resend", resendLimit, web.Tenant(http.StatusOK, h.resend))
}

// Request is the body of both routes and their query.
type Request struct {
	Type  string `json:"type"` // of /resend: signup or email_change
	Email string `json:"email"`
	Phone string `json:"phone"`
	pkce.Challenge
	redirectTo string
}

// BindQuery implements web.QueryBinder.
func (r *Request) BindQuery(q url.Values, _ func(string) string) error {
	r.redirectTo = q.Get("redirect_to")
	return nil
}

type empty struct{}

func (h Handler) recover(ctx context.Context, sc *tenants.Scope, req *Request) (empty, error) {
	email, err := checked(sc, req)
	if err != nil {
		return empty{}, err
	}
	return empty{}, h.Service.Send(ctx, sc, email, "recovery", func(ctx context.Context, tx *tenantdb.Tx, u *auth.User) (bool, error) {
		return true, h.Service.recover(ctx, tx, sc, u, req)
	})
}

func (h Handler) resend(ctx context.Context, sc *tenants.Scope, req *Request) (empty, error) {
	switch req.Type {
	case "signup", "email_change":
	case "sms", "phone_change":
		return empty{}, auth.ErrPhoneOff
	default:
		return empty{}, auth.ErrValidation.Saying("type: must be signup or email_change")
	}
	email, err := checked(sc, req)
	if err != nil {
		return empty{}, err
	}
	return empty{}, h.Service.Send(ctx, sc, email, req.Type, func(ctx context.Context, tx *tenantdb.Tx, u *auth.User) (bool, error) {
		return h.Service.resend(ctx, tx, sc, u, req)
	})
}

func checked(sc *tenants.Scope, req *Request) (string, error) {
	switch {
	case req.Phone != "" && req.Email != "":
		return "", auth.ErrValidation.Saying("Only an email address or phone number should be provided")
	case req.Phone != "":
		return "", auth.ErrPhoneOff
	case !sc.Tenant.Config.ExternalEmailEnabled:
		return "", auth.ErrEmailOff
	}
	if err := req.Check(); err != nil {
		return "", err
	}
	return auth.NormalizeEmail(req.Email)
}

// Service sends links.
type Service struct {
	Mailer *mail.Mailer
	Now    func() time.Time
}

// Send runs send for the user with the address, in one transaction. Where there
// is no such user, or send says that there is nothing to send, the answer is the
// same.
func (s Service) Send(ctx context.Context, sc *tenants.Scope, email, purpose string, send func(context.Context, *tenantdb.Tx, *auth.User) (bool, error)) error {
	if err := s.Mailer.Prepare(ctx, sc); err != nil {
		return err
	}
	sent := false
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		u, err := tx.UserByEmail(ctx, email, true)
		if errors.Is(err, auth.ErrUserNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		sent, err = send(ctx, tx, &u)
		return err
	})
	switch {
	case err != nil:
		return err
	case !sent:
		return s.Mailer.Throttle(sc, purpose, email)
	}
	s.Mailer.Wake(sc)
	return nil
}

func (s Service) recover(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, req *Request) error {
	if err := s.Mailer.TooSoon(sc, u.RecoverySentAt); err != nil {
		return err
	}
	now := s.Now()
	u.RecoverySentAt = &now
	if err := tx.SaveUser(ctx, u); err != nil {
		return err
	}
	if err := req.Begin(ctx, tx, u.ID, auth.MethodRecovery, now); err != nil {
		return err
	}
	if err := session.Record(ctx, tx, sc, u, "user_recovery_requested", "user", nil, now); err != nil {
		return err
	}
	return s.Mailer.Put(ctx, tx, sc, mail.Letter{
		Kind: message.Recovery, User: u, To: u.Email, Token: auth.TokenRecovery, Verify: "recovery",
		RedirectTo: redirect.Target(&sc.Tenant.Config, req.redirectTo), PKCE: req.Given(),
	})
}

func (s Service) resend(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, u *auth.User, req *Request) (bool, error) {
	now, target := s.Now(), redirect.Target(&sc.Tenant.Config, req.redirectTo)
	switch {
	case req.Type == "signup" && !u.EmailConfirmed():
		if err := s.Mailer.TooSoon(sc, u.ConfirmationSentAt); err != nil {
			return false, err
		}
		u.ConfirmationSentAt = &now
		if err := tx.SaveUser(ctx, u); err != nil {
			return false, err
		}
		if err := req.Begin(ctx, tx, u.ID, auth.MethodEmailSignup, now); err != nil {
			return false, err
		}
		return true, s.Mailer.Put(ctx, tx, sc, mail.Letter{
			Kind: message.Confirmation, User: u, To: u.Email, Token: auth.TokenConfirmation, Verify: "signup", RedirectTo: target, PKCE: req.Given(),
		})
	case req.Type == "email_change" && u.NewEmail != "":
		if err := s.Mailer.TooSoon(sc, u.EmailChangeSentAt); err != nil {
			return false, err
		}
		// Both get a new link, so what one side confirmed counts no more: with two
		// links that side could confirm for both.
		u.EmailChangeSentAt, u.EmailChangeConfirmStatus = &now, 0
		if err := tx.SaveUser(ctx, u); err != nil {
			return false, err
		}
		if err := req.Begin(ctx, tx, u.ID, auth.MethodEmailChange, now); err != nil {
			return false, err
		}
		return true, account.SendEmailChange(ctx, tx, sc, s.Mailer, u, target, req.Given())
	}
	return false, nil
}

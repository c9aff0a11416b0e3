package adminlink

import (
	"context"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
)

// Type is the purpose of a link.
type Type string

// The types of link.
const (
	Signup             Type = "signup"
	MagicLink          Type = "magiclink"
	Recovery           Type = "recovery"
	Invite             Type = "invite"
	EmailChangeCurrent Type = "email_change_current"
	EmailChangeNew     Type = "email_change_new"
)

// Order is a validated request for a link.
type Order struct {
	Type       Type
	Email      string // lower-case
	NewEmail   string // lower-case, for the two changes of address
	Hash       string // of the password, for Signup
	Data       map[string]any
	RedirectTo string
}

// Check validates a request and hashes its password.
func (s Service) Check(ctx context.Context, sc *tenants.Scope, req *Request) (*Order, error) {
	cfg := &sc.Tenant.Config
	order := &Order{Type: req.Type, Data: req.Data, RedirectTo: req.Target(ctx, sc, req.RedirectTo)}
	var err error
	if order.Email, err = auth.NormalizeEmail(req.Email); err != nil {
		return nil, err
	}
	switch req.Type {
	case MagicLink, Recovery, Invite:
	case Signup:
		order.Hash, err = s.hash(ctx, sc, req.Password)
	case EmailChangeCurrent, EmailChangeNew:
		order.NewEmail, err = newEmail(cfg, req, order.Email)
	default:
		err = auth.ErrValidation.Saying("type: must be signup, magiclink, recovery, invite, email_change_current or email_change_new")
	}
	return order, err
}

func (s Service) hash(ctx context.Context, sc *tenants.Scope, pass string) (string, error) {
	if pass == "" {
		return "", auth.ErrValidation.Saying("Signup requires a valid password")
	}
	if err := s.Strength.Check(ctx, sc, pass); err != nil {
		return "", err
	}
	return s.Hasher.Hash(ctx, sc.Tenant.Ref, pass)
}

func newEmail(cfg *tenants.Config, req *Request, current string) (string, error) {
	if req.Type == EmailChangeCurrent && !cfg.MailerSecureEmailChange {
		return "", auth.ErrValidation.Saying("Enable secure email change to generate link for current email")
	}
	email, err := auth.NormalizeEmail(req.NewEmail)
	if err != nil {
		return "", auth.ErrValidation.Saying("new_email: a valid email address is required")
	}
	if email == current {
		return "", auth.ErrValidation.Saying("new_email: must differ from the current one")
	}
	return email, nil
}

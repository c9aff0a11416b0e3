package mail

import (
	"context"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// SignInNotice is a mail about a sign-in from a new device. Its link ends the session,
// and signs nobody in.
type SignInNotice struct {
	User   *auth.User
	SignIn message.SignIn
	// Link is the URL of the mail's button, and Secret what of it is secret.
	Link, Secret string
	ExpiresIn    time.Duration // of the link
}

// Prepare is called before a transaction in which PutSignIn may be. It returns
// auth.ErrEmailRate for a project that has used up its notices.
func (m *Mailer) Prepare(ctx context.Context, sc *tenants.Scope) error {
	return m.reserve(ctx, sc, m.noticeLimit(&sc.Tenant.Config))
}

// PutSignIn counts a notice against the project's limit of notices, and writes it. It is sent if
// and only if the transaction commits. auth.ErrEmailRate.
func (m *Mailer) PutSignIn(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, n SignInNotice) error {
	if err := m.Limiter.Allow(ctx, sc.Tenant.Ref, m.noticeLimit(&sc.Tenant.Config), ""); err != nil {
		return err
	}
	mail, err := m.renderFor(ctx, sc, message.NewDevice, n.User, message.Data{
		ConfirmationURL: n.Link, SendingTo: n.User.Email, OldEmail: n.User.Email, SignIn: n.SignIn, ExpiresIn: n.ExpiresIn,
	}, n.Secret)
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { m.Dispatcher.Wake(sc.Tenant.Ref) })
	return enqueue(ctx, tx, sc, mail)
}

package mail

import (
	"context"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// noticesOfUser bounds the notices to one user, who must not use up the notices of
// the project by adding and removing factors.
var noticesOfUser = ratelimit.Rule{Name: "mail_notice", Events: 10, Per: 24 * time.Hour, Burst: 10}

// Notice is a mail that tells a user what happened to their account.
type Notice struct {
	Kind       message.Kind // of message.Notices
	User       *auth.User
	FactorType string // of a notice about a factor
	Provider   string // of a notice about an identity
}

// Notices writes the notices of one transaction: they are sent if and only if it
// commits.
type Notices struct {
	mailer *Mailer
	sc     *tenants.Scope
	on     bool
	put    bool
}

// Notify is called before a transaction that may put notices of a kind. A project that
// has the kind off gets none.
func (m *Mailer) Notify(ctx context.Context, sc *tenants.Scope, kind message.Kind) (*Notices, error) {
	n := &Notices{mailer: m, sc: sc, on: sc.Tenant.Config.Notifies(string(kind))}
	if !n.on {
		return n, nil
	}
	return n, m.Dispatcher.Prepare(ctx, sc.Tenant.Ref)
}

// PostTo sends a mail of a kind to an address that may be nobody's, if compose, which
// runs in its transaction, returns no error. auth.ErrEmailRate.
func (m *Mailer) PostTo(ctx context.Context, sc *tenants.Scope, kind message.Kind, d message.Data, compose func(tx *tenantdb.Tx) error) error {
	r := Request{Purpose: string(kind), Address: d.SendingTo}
	return m.Post(ctx, sc, r, func(tx *tenantdb.Tx, out *Outgoing) error {
		if err := compose(tx); err != nil {
			return err
		}
		if err := m.Limiter.Allow(ctx, sc.Tenant.Ref, m.limit(&sc.Tenant.Config), ""); err != nil {
			return err
		}
		mail, err := m.renderFor(ctx, sc, kind, &auth.User{}, d, d.ConfirmationURL)
		if err != nil {
			return err
		}
		out.put++
		return enqueue(ctx, tx, sc, mail)
	})
}

// Insist is Notify for a kind that the project cannot switch off where it is asked for.
func (m *Mailer) Insist(ctx context.Context, sc *tenants.Scope) (*Notices, error) {
	return &Notices{mailer: m, sc: sc, on: true}, m.Dispatcher.Prepare(ctx, sc.Tenant.Ref)
}

// Put writes a notice to the user's confirmed address, if there is one. What it tells
// has happened, so limits on mails drop the notice and are no error; the project's
// developers read of it in the log.
func (n *Notices) Put(ctx context.Context, tx *tenantdb.Tx, x Notice) error {
	m, sc := n.mailer, n.sc
	if !n.on || x.User.Email == "" || !x.User.EmailConfirmed() || x.User.Gone() {
		return nil
	}
	err := m.Limiter.Allow(ctx, sc.Tenant.Ref, noticesOfUser, x.User.ID.String())
	if err == nil {
		err = m.Limiter.Allow(ctx, sc.Tenant.Ref, m.noticeLimit(&sc.Tenant.Config), "")
	}
	if errors.Is(err, auth.ErrEmailRate) || errors.Is(err, auth.ErrRequestRate) {
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Warning, Code: "mail_notice_dropped",
			Message: "A user was not told by mail what happened to their account, because a limit on mails was reached.",
			Detail:  map[string]any{"template": string(x.Kind)},
		})
		return nil
	}
	if err != nil {
		return err
	}
	mail, err := m.renderFor(ctx, sc, x.Kind, x.User, message.Data{SendingTo: x.User.Email, OldEmail: x.User.Email, FactorType: x.FactorType, Provider: x.Provider})
	if err != nil {
		return err
	}
	sealed, err := Seal(sc.Tenant, mail)
	if err != nil {
		return err
	}
	n.put = true
	return tx.Enqueue(ctx, mail.ID, string(message.Mails), sealed)
}

// End is called with the result of the transaction.
func (n *Notices) End(err error) {
	if err == nil && n.put {
		n.mailer.Dispatcher.Wake(n.sc.Tenant.Ref)
	}
}

// Package mail puts a one-time token and the mail that carries it into the
// transaction of a flow: the mail goes out if and only if the flow commits. It
// owns how often mails may go out, and the link that they carry; what they look
// like is message's, when they are due is each flow's.
package mail

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Dispatcher delivers the mails that lie in the outboxes: an outbox.Queue.
type Dispatcher interface {
	Prepare(ctx context.Context, ref tenants.Ref) error
	Wake(ref tenants.Ref)
}

// Mailer writes mails.
type Mailer struct {
	Dispatcher Dispatcher
	Limiter    *ratelimit.Limiter
	Now        func() time.Time
	Logger     *slog.Logger // slog.Default() when nil
	// SharedPerHour is the most mails an hour of a project without a mail server
	// of its own; 0 is no limit but the project's.
	SharedPerHour int
}

// Letter is one mail to write.
type Letter struct {
	Kind       message.Kind
	User       *auth.User
	To         string         // where it goes and what the code belongs to
	Token      auth.TokenType // under which its token is stored
	Verify     string         // the type parameter of the link
	RedirectTo string
	PKCE       bool
}

// TooSoon refuses a signed-in user a second mail of a kind within the project's
// smtp_max_frequency; lastSent may be nil.
func (m *Mailer) TooSoon(sc *tenants.Scope, lastSent *time.Time) error {
	if wait := m.wait(sc, lastSent); wait > 0 {
		return tooSoon(wait)
	}
	return nil
}

// Recent reports whether a mail of a kind went to a user within the project's
// smtp_max_frequency. Then no other goes, but whoever asked without being signed
// in is not told: that there was one says that the user exists.
func (m *Mailer) Recent(sc *tenants.Scope, lastSent *time.Time) bool { return m.wait(sc, lastSent) > 0 }

func (m *Mailer) wait(sc *tenants.Scope, lastSent *time.Time) time.Duration {
	gap := spacing(sc)
	if lastSent == nil || gap <= 0 {
		return 0
	}
	return lastSent.Add(gap).Sub(m.Now())
}

func tooSoon(wait time.Duration) *fault.Error {
	seconds := int(math.Ceil(wait.Seconds()))
	return auth.ErrEmailRate.Saying(fmt.Sprintf(auth.TextEmailTooSoon, seconds)).After(wait)
}

// Throttle counts requests for a mail by address, before it is known whether
// anybody has that address, so that a refusal tells nothing.
func (m *Mailer) Throttle(ctx context.Context, sc *tenants.Scope, purpose, address string) error {
	gap := spacing(sc)
	if gap <= 0 {
		return nil
	}
	return m.Limiter.Allow(ctx, sc.Tenant.Ref, throttle(gap, purpose), address)
}

// Forgive takes a Throttle back, for a request that failed.
func (m *Mailer) Forgive(ctx context.Context, sc *tenants.Scope, purpose, address string) {
	if gap := spacing(sc); gap > 0 {
		m.Limiter.Refund(ctx, sc.Tenant.Ref, throttle(gap, purpose), address)
	}
}

func throttle(gap time.Duration, purpose string) ratelimit.Rule {
	return ratelimit.Rule{
		Name: "mail_address", Events: 1, Per: gap, Burst: 1,
		Refusal: func(wait time.Duration) *fault.Error { return tooSoon(min(wait, gap)) },
	}.For(purpose)
}

func spacing(sc *tenants.Scope) time.Duration {
	return time.Duration(sc.Tenant.Config.SMTPMaxFrequency) * time.Second
}

// limit is the project's own, and the operator's where the operator's mail server
// sends for it: a project may not spend that server's good name.
func (m *Mailer) limit(sc *tenants.Scope) ratelimit.Rule {
	n := sc.Tenant.Config.RateLimitEmailSent
	if m.SharedPerHour > 0 && sc.Tenant.Config.SMTPHost == "" {
		n = min(n, m.SharedPerHour)
	}
	return ratelimit.EmailSent(n)
}

// Prepare must be called before the transaction in which Put is, and before it
// is known whether anybody has the address: a project that has used up its mails
// refuses everybody alike.
func (m *Mailer) Prepare(ctx context.Context, sc *tenants.Scope) error {
	if err := m.Limiter.Peek(ctx, sc.Tenant.Ref, m.limit(sc), ""); err != nil {
		return err
	}
	return m.Dispatcher.Prepare(ctx, sc.Tenant.Ref)
}

// Wake must be called after that transaction committed.
func (m *Mailer) Wake(sc *tenants.Scope) { m.Dispatcher.Wake(sc.Tenant.Ref) }

// Put counts the mail against the project's limit, and writes its token and the
// mail. It gives the token, for those who deliver it otherwise.
func (m *Mailer) Put(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, l Letter) error {
	if err := m.Limiter.Allow(ctx, sc.Tenant.Ref, m.limit(sc), ""); err != nil {
		return err
	}
	once, err := m.PutToken(ctx, tx, sc, l)
	if err != nil {
		return err
	}
	mail, err := m.render(ctx, sc, l, once)
	if err != nil {
		return err
	}
	sealed, err := Seal(sc.Tenant, mail)
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, mail.ID, string(message.Mails), sealed)
}

// PutToken writes the letter's token without a mail.
func (m *Mailer) PutToken(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, l Letter) (token.OneTime, error) {
	once := token.NewOneTime(sc.Tenant.Secrets.OTPKey, l.To, sc.Tenant.Config.MailerOTPLength)
	err := tx.PutToken(ctx, &auth.OneTimeToken{
		ID: uuid.New(), UserID: l.User.ID, Type: l.Token, Hash: once.Hash, RelatesTo: l.To, CreatedAt: m.Now(),
	})
	return once, err
}

// Link is the address that a letter's button leads to. Its parameters come in the
// reference's order, which test suites look for in mails.
func (l Letter) Link(t *tenants.Tenant, once token.OneTime) string {
	link := t.Issuer() + "/verify?token=" + url.QueryEscape(l.linkToken(once)) + "&type=" + url.QueryEscape(l.Verify)
	if l.RedirectTo != "" {
		link += "&redirect_to=" + url.QueryEscape(l.RedirectTo)
	}
	return link
}

func (l Letter) linkToken(once token.OneTime) string {
	if l.PKCE {
		return token.PKCEPrefix + once.Link
	}
	return once.Link
}

// render makes the mail. A template of the project that does not run is replaced
// by the default, and the log tells why.
func (m *Mailer) render(ctx context.Context, sc *tenants.Scope, l Letter, once token.OneTime) (message.Message, error) {
	data := map[string]any{}
	_ = json.Unmarshal(orEmpty(l.User.UserMetadata), &data) // what SQL put there and is no object counts as empty
	mail, err := message.Render(l.Kind, templates(&sc.Tenant.Config), l.To, message.Data{
		ProjectName: sc.Tenant.Name, SiteURL: sc.Tenant.Config.SiteURL, ConfirmationURL: l.Link(sc.Tenant, once),
		Email: l.User.Email, NewEmail: l.User.NewEmail, OldEmail: l.User.Email, SendingTo: l.To,
		Token: once.Code, TokenHash: l.linkToken(once), RedirectTo: l.RedirectTo, Data: data,
	})
	if err != nil {
		return mail, fmt.Errorf("render %s: %w", l.Kind, err)
	}
	if mail.TemplateError != nil {
		cmp.Or(m.Logger, slog.Default()).WarnContext(ctx, "mail template replaced by the default",
			"project", string(sc.Tenant.Ref), "kind", string(l.Kind), "error", fault.Clip(mail.TemplateError.Error(), 500))
	}
	mail.ID, mail.CreatedAt = uuid.New(), m.Now()
	return mail, nil
}

func templates(c *tenants.Config) message.Templates {
	return message.Templates{
		Subjects: map[message.Kind]string{
			message.Confirmation: c.MailerSubjectConfirmation, message.Invite: c.MailerSubjectInvite,
			message.Recovery: c.MailerSubjectRecovery, message.EmailChange: c.MailerSubjectEmailChange,
		},
		Contents: map[message.Kind]string{
			message.Confirmation: c.MailerTemplateConfirmation, message.Invite: c.MailerTemplateInvite,
			message.Recovery: c.MailerTemplateRecovery, message.EmailChange: c.MailerTemplateEmailChange,
		},
	}
}

func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

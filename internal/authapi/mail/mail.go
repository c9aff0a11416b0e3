// Package mail writes one-time tokens and the mails that carry them, in the
// transaction of a flow: a mail is sent if and only if the flow commits. It
// owns the limits on mails, the token, the link, the outbox row and waking the
// dispatcher. Package message owns what mails look like; each flow decides when
// to send one.
package mail

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Dispatcher delivers the mails in the outboxes: an outbox.Queue.
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
	// SharedPerHour is the hourly limit of mails for a project without its own
	// mail server; 0 means only the project's limit.
	SharedPerHour int
}

// TooSoon refuses a second mail of a kind to a signed-in user within the
// project's smtp_max_frequency; lastSent may be nil.
func (m *Mailer) TooSoon(sc *tenants.Scope, lastSent *time.Time) error {
	return m.spacing(sc).Since(lastSent, m.Now())
}

// Recent reports whether a mail of a kind was sent to a user within the
// project's smtp_max_frequency. Then no other is sent. A requester who is not
// signed in must not learn of it, because an earlier mail shows that the user
// exists.
func (m *Mailer) Recent(ctx context.Context, sc *tenants.Scope, lastSent *time.Time) bool {
	recent := m.TooSoon(sc, lastSent) != nil
	if recent {
		sc.Log.Add(ctx, projectlog.Entry{
			Level: projectlog.Info, Code: "mail_suppressed",
			Message: "A mail was not sent, because the user had got one of this kind within the time of smtp_max_frequency. The answer does not say so.",
			Detail:  map[string]any{"smtp_max_frequency": sc.Tenant.Config.SMTPMaxFrequency},
		})
	}
	return recent
}

// Since is the time after which Recent takes a mail for recent.
func (m *Mailer) Since(sc *tenants.Scope) time.Time { return m.Now().Add(-max(0, m.spacing(sc).Gap)) }

// The purposes of requests for mails.
const (
	// Signups is the purpose of sign-ups. Only sign-ups count: if a request for the
	// link counted too, it would reveal whether an address is new, because a sign-up
	// with a new one is never refused.
	Signups    = "signup"
	OTPs       = "otp"
	Recoveries = "recovery"
)

// Resends is the purpose of requests to mail a link of this type again.
func Resends(typ string) string { return "resend " + typ }

// Request is a request for mails.
type Request struct {
	// Purpose and Address identify mails that are spaced out: a second request
	// within the project's smtp_max_frequency is refused. It is counted before
	// the address is looked up, so that the refusal reveals nothing. With
	// Address "" nothing is counted.
	Purpose, Address string
	// After is another purpose, whose requests space out this one too; "" for
	// none.
	After string
	// ReportLater lets the flow decide whether to report the refusal: see
	// Outgoing.Throttled.
	ReportLater bool
}

// Outgoing collects the mails of one transaction.
type Outgoing struct {
	// Throttled is the refusal of a Request with ReportLater; nil when it is
	// not too soon.
	Throttled error

	mailer *Mailer
	sc     *tenants.Scope
	tx     *tenantdb.Tx
	put    int
}

// Post opens a transaction and runs compose in it, which does the work of the
// flow and puts its mails into out. They are sent if and only if the
// transaction commits. A project that has used up its mails refuses every
// request before compose runs. It returns auth.ErrEmailRate or the error of
// compose.
func (m *Mailer) Post(ctx context.Context, sc *tenants.Scope, r Request, compose func(tx *tenantdb.Tx, out *Outgoing) error) error {
	if err := m.reserve(ctx, sc, m.limit(&sc.Tenant.Config)); err != nil {
		return err
	}
	out := &Outgoing{mailer: m, sc: sc, Throttled: m.throttle(ctx, sc, r)}
	if out.Throttled != nil && !r.ReportLater {
		return out.Throttled
	}
	err := sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		out.tx, out.put = tx, 0
		return compose(tx, out)
	})
	if err != nil {
		if out.Throttled == nil {
			m.spacing(sc).Refund(ctx, sc.Tenant.Ref, r.Purpose, r.Address)
		}
		return err
	}
	if out.put > 0 {
		m.Dispatcher.Wake(sc.Tenant.Ref)
	}
	return nil
}

// Put counts a mail against the project's limit, and writes its token and the
// mail. It comes last in compose, because the mail counts even if the rest
// fails. It writes nothing to a user who may have no session, as l.User says:
// the token would be refused.
func (o *Outgoing) Put(ctx context.Context, l Letter) error {
	m, sc := o.mailer, o.sc
	if l.User.Gone() || l.User.Banned(m.Now()) {
		return nil
	}
	sc.Log.SetUser(l.User.ID)
	if err := m.Limiter.Allow(ctx, sc.Tenant.Ref, m.limit(&sc.Tenant.Config), ""); err != nil {
		return err
	}
	once, err := m.putToken(ctx, o.tx, sc, l)
	if err != nil {
		return err
	}
	mail, err := m.render(ctx, sc, l, once)
	if err != nil {
		return err
	}
	o.put++
	return enqueue(ctx, o.tx, sc, mail)
}

func enqueue(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, mail message.Message) error {
	sealed, err := Seal(sc.Tenant, mail)
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, mail.ID, string(message.Mails), sealed)
}

// PutEmailChange mails the links of the letter's user's pending change of
// address: to the new address and, with secure change, to the current one.
func (o *Outgoing) PutEmailChange(ctx context.Context, l Letter) error {
	l.Kind = message.EmailChange
	if o.sc.Tenant.Config.MailerSecureEmailChange && l.User.Email != "" {
		if err := o.Put(ctx, l); err != nil {
			return err
		}
	}
	l.ToNew = true
	return o.Put(ctx, l)
}

// Link is a letter's link without a mail, for an admin to deliver.
type Link struct {
	URL   string
	Token string // in the link
	Code  string // to be typed in instead
}

// Link writes the letter's token and returns the link.
func (m *Mailer) Link(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, l Letter) (Link, error) {
	once, err := m.putToken(ctx, tx, sc, l)
	return Link{URL: l.link(sc.Tenant, once), Token: once.Link, Code: once.Code}, err
}

func (m *Mailer) putToken(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, l Letter) (token.OneTime, error) {
	to := strings.ToLower(l.to()) // the code is looked up by the typed address, in lower case
	once := token.NewOneTime(sc.Tenant.Secrets.OTPKey, to, sc.Tenant.Config.MailerOTPLength)
	if l.Signup != nil {
		signup := *l.Signup
		signup.ID, signup.UserID, signup.Email, signup.TokenHash, signup.CreatedAt = uuid.New(), l.User.ID, to, once.Hash, m.Now()
		return once, tx.PutSignup(ctx, &signup)
	}
	err := tx.PutToken(ctx, &auth.OneTimeToken{
		ID: uuid.New(), UserID: l.User.ID, Type: l.token(), Hash: once.Hash, RelatesTo: to, CreatedAt: m.Now(),
	})
	return once, err
}

func (m *Mailer) throttle(ctx context.Context, sc *tenants.Scope, r Request) error {
	spacing := m.spacing(sc)
	if r.After != "" {
		if err := spacing.Peek(ctx, sc.Tenant.Ref, r.After, r.Address); err != nil {
			return err
		}
	}
	return spacing.Allow(ctx, sc.Tenant.Ref, r.Purpose, r.Address)
}

func (m *Mailer) spacing(sc *tenants.Scope) ratelimit.Spacing {
	return ratelimit.Spacing{
		Limiter: m.Limiter, Name: "mail_address", Refusal: auth.ErrEmailRate,
		Gap: time.Duration(sc.Tenant.Config.SMTPMaxFrequency) * time.Second,
	}
}

// Count counts a mail that no flow sends against the limit of a project with this
// configuration, or returns auth.ErrEmailRate.
func (m *Mailer) Count(ctx context.Context, ref tenants.Ref, c *tenants.Config) error {
	return m.Limiter.Allow(ctx, ref, m.limit(c), "")
}

// limit is the project's limit and, for the operator's mail server, at most the
// operator's: a project must not use up that server's reputation.
func (m *Mailer) limit(c *tenants.Config) ratelimit.Rule {
	n := c.RateLimitEmailSent
	if m.SharedPerHour > 0 && c.SMTPHost == "" {
		n = min(n, m.SharedPerHour)
	}
	return ratelimit.EmailSent(n)
}

// noticeLimit is as many notices as limit has mails, on top of them: who uses up the
// mails of a project, for which it is enough to ask for codes, must not silence the
// warnings about what they do next.
func (m *Mailer) noticeLimit(c *tenants.Config) ratelimit.Rule {
	rule := m.limit(c)
	rule.Name = "notices_sent"
	return rule
}

// reserve refuses a project that has used up its mails of a limit, and notes that the
// project may have mails to deliver.
func (m *Mailer) reserve(ctx context.Context, sc *tenants.Scope, limit ratelimit.Rule) error {
	if err := m.Limiter.Peek(ctx, sc.Tenant.Ref, limit, ""); err != nil {
		return err
	}
	return m.Dispatcher.Prepare(ctx, sc.Tenant.Ref)
}

// render renders the mail. If the project's template fails, the default
// replaces it and the error is logged.
func (m *Mailer) render(ctx context.Context, sc *tenants.Scope, l Letter, once token.OneTime) (message.Message, error) {
	return m.renderFor(ctx, sc, l.Kind, l.User, message.Data{
		ConfirmationURL: l.link(sc.Tenant, once), NewEmail: l.User.NewEmail, OldEmail: l.User.Email, SendingTo: l.to(),
		Token: once.Code, TokenHash: l.linkToken(once), RedirectTo: l.RedirectTo, ExpiresIn: sc.Tenant.Config.OTPTTL(),
	}, once.Code, once.Link)
}

// renderFor renders a mail of a kind to d.SendingTo, with what templates show of every
// user. secrets are kept out of the log.
func (m *Mailer) renderFor(ctx context.Context, sc *tenants.Scope, kind message.Kind, u *auth.User, d message.Data, secrets ...string) (message.Message, error) {
	d.ProjectName, d.SiteURL, d.Email, d.Data = sc.Tenant.Name, sc.Tenant.Config.SiteURL, u.Email, map[string]any{}
	_ = json.Unmarshal(orEmpty(u.UserMetadata), &d.Data) // not an object (SQL may write one) counts as empty
	own := sc.Tenant.Config.Mail(string(kind))
	mail, err := message.Render(kind, message.Template{Subject: own.Subject, Content: own.Content}, d.SendingTo, d)
	if err != nil {
		return mail, fmt.Errorf("render %s: %w", kind, err)
	}
	if mail.TemplateError != nil {
		cmp.Or(m.Logger, slog.Default()).WarnContext(ctx, "mail template replaced by the default",
			"project", string(sc.Tenant.Ref), "kind", string(kind), "error", fault.Clip(mail.TemplateError.Error(), 500))
		sc.Log.Add(ctx, projectlog.Entry{
			Code: "mail_template_failed", Message: "The project's mail template failed; the mail was sent with the default one.",
			Detail:  map[string]any{"template": string(kind), "error": mail.TemplateError.Error()},
			Secrets: secrets,
		})
	}
	mail.ID, mail.CreatedAt = uuid.New(), m.Now()
	mail.RequestID, mail.UserID = sc.RequestID, u.ID
	return mail, nil
}

func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

// Package sms writes one-time codes and the text messages that carry them, in the
// transaction of a flow: a message is sent if and only if the flow commits. It
// owns the limits on messages, the guards against SMS pumping, the code and the
// outbox row. Package smsgateway owns the gateways; each flow decides when to
// send a message.
//
// Everything that can refuse a request is decided by its number and the project's
// settings, before a user is looked up: so no refusal reveals whether a number has
// a user. For the same reason no request waits for the gateway.
package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/e164"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/smsgateway"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Dispatcher delivers the messages in the outboxes: an outbox.Queue.
type Dispatcher interface {
	Prepare(ctx context.Context, ref tenants.Ref) error
	Wake(ref tenants.Ref)
}

// Texter writes text messages.
type Texter struct {
	Dispatcher Dispatcher
	Limiter    *ratelimit.Limiter
	Now        func() time.Time
	// Client makes the requests to gateways that check codes.
	Client *http.Client
	// Capture says that the messages of projects without a gateway go into the
	// captured inbox.
	Capture bool
}

// Request is a request for a text message.
type Request struct {
	// Purpose and Phone identify messages that are spaced out: a second request
	// within the project's sms_max_frequency is refused. It is counted before the
	// number is looked up, so that the refusal reveals nothing.
	Purpose string
	Phone   string // normalized
	Channel message.Channel
	// ReportLater lets the flow decide whether to report the refusal: see
	// Outgoing.Throttled.
	ReportLater bool
}

// Outgoing writes the message of one transaction.
type Outgoing struct {
	// Throttled is the refusal of a Request with ReportLater; nil when it is not
	// too soon.
	Throttled error

	texter  *Texter
	sc      *tenants.Scope
	request Request
	tx      *tenantdb.Tx
	number  e164.Number
	test    string // the fixed code of the number
	id      uuid.UUID
	put     bool
}

// TestMessage is the id of a message to a number with a fixed code, as in the
// reference.
const TestMessage = "test-otp"

// Post opens a transaction and runs compose in it, which does the work of the flow
// and puts a message into out. It is sent if and only if the transaction commits.
// The id is that of the message, whether or not compose puts one.
//
// auth.ErrValidation for a number that cannot exist or a channel that the gateway
// does not have; auth.ErrSMSFailed for a country to which the project does not
// send, and for a project without a gateway; auth.ErrSMSRate; the error of compose.
func (t *Texter) Post(ctx context.Context, sc *tenants.Scope, r Request, compose func(tx *tenantdb.Tx, out *Outgoing) error) (id string, err error) {
	out, err := t.Begin(ctx, sc, r)
	if err != nil {
		return "", err
	}
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		out.Join(tx)
		return compose(tx, out)
	})
	out.End(ctx, err)
	return out.ID(), err
}

// Begin is the part of Post before its transaction, for a flow that opens the
// transaction itself. It has the errors of Post.
func (t *Texter) Begin(ctx context.Context, sc *tenants.Scope, r Request) (*Outgoing, error) {
	out := &Outgoing{texter: t, sc: sc, request: r, id: uuid.New(), test: sc.Tenant.Config.TestOTP(r.Phone, t.Now())}
	var err error
	if out.number, err = t.admit(ctx, sc, r, out.test != ""); err != nil {
		return nil, err
	}
	if out.Throttled = t.spacing(sc, r.Purpose).Allow(ctx, sc.Tenant.Ref, r.Purpose, r.spaced()); out.Throttled != nil && !r.ReportLater {
		return nil, out.Throttled
	}
	return out, nil
}

// Join sets the transaction that the message belongs to. A transaction that is run
// again joins again.
func (o *Outgoing) Join(tx *tenantdb.Tx) { o.tx, o.put = tx, false }

// End is called with the result of the transaction.
func (o *Outgoing) End(ctx context.Context, err error) {
	switch {
	case err != nil && o.Throttled == nil:
		o.texter.spacing(o.sc, o.request.Purpose).Refund(ctx, o.sc.Tenant.Ref, o.request.Purpose, o.request.spaced())
	case err == nil && o.put:
		o.texter.Dispatcher.Wake(o.sc.Tenant.Ref)
	}
}

// ID is the id of the message, whether or not one was put.
func (o *Outgoing) ID() string {
	if o.test != "" {
		return TestMessage
	}
	return o.id.String()
}

// admit checks everything that depends on the number and the settings only. A
// number with a fixed code gets no message, so no limit but the spacing counts it.
func (t *Texter) admit(ctx context.Context, sc *tenants.Scope, r Request, test bool) (e164.Number, error) {
	cfg := &sc.Tenant.Config
	if err := t.checkChannel(sc, r.Channel); err != nil {
		return e164.Number{}, err
	}
	if test {
		return e164.Number{Digits: r.Phone}, nil
	}
	number, ok := e164.Parse(r.Phone)
	switch {
	case !ok:
		return number, auth.ErrBadPhone
	case !cfg.SMSAllowed(number.Country):
		t.refuse(ctx, sc, number, "sms_country_refused", "A text message was not sent, because sms_allowed_countries does not have the country of the number.", nil)
		return number, auth.ErrSMSFailed.Saying("Text messages to this country are not sent")
	case cfg.SMSGateway().Provider == "" && !t.captures(sc):
		t.refuse(ctx, sc, number, "sms_gateway_missing", "A text message was not sent, because the project has no SMS gateway. Set sms_provider and the settings of the gateway.", nil)
		return number, auth.ErrSMSFailed
	}
	for _, limit := range t.limits(sc, number) {
		if err := t.Limiter.Peek(ctx, sc.Tenant.Ref, limit.rule, limit.identifier); err != nil {
			t.refuse(ctx, sc, number, "sms_limit_reached", "A text message was not sent, because the project has used up "+limit.setting+".",
				map[string]any{"setting": limit.setting})
			return number, err
		}
	}
	return number, t.Dispatcher.Prepare(ctx, sc.Tenant.Ref)
}

// errChannel has the text of the reference.
var errChannel = auth.ErrValidation.Saying("Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider.")

// captures reports whether the messages of a project without a gateway are
// captured.
func (t *Texter) captures(sc *tenants.Scope) bool { return t.Capture || sc.Tenant.Capture }

func (t *Texter) checkChannel(sc *tenants.Scope, channel message.Channel) error {
	gateway := sc.Tenant.Config.SMSGateway()
	switch channel {
	case message.SMS:
		return nil
	case message.WhatsApp:
		if smsgateway.SendsWhatsApp(gateway) || gateway.Provider == "" && t.captures(sc) {
			return nil
		}
	}
	return errChannel
}

// limit is a limit on the messages of a project.
type limit struct {
	rule                ratelimit.Rule
	identifier, setting string
}

func (t *Texter) limits(sc *tenants.Scope, number e164.Number) []limit {
	cfg := &sc.Tenant.Config
	out := []limit{{ratelimit.SMSSent(cfg.RateLimitSMSSent), "", "rate_limit_sms_sent"}}
	if cfg.RateLimitSMSCountry > 0 {
		out = append(out, limit{ratelimit.SMSCountry(cfg.RateLimitSMSCountry), number.Prefix, "rate_limit_sms_country"})
	}
	return out
}

// refuse tells the project's developers why no message goes to a number. The
// answer says less.
func (t *Texter) refuse(ctx context.Context, sc *tenants.Scope, n e164.Number, code, text string, more map[string]any) {
	detail := map[string]any{"prefix": n.Prefix, "country": n.Country, "verdict": "refused"}
	for name, value := range more {
		detail[name] = value
	}
	sc.Log.Add(ctx, projectlog.Entry{Level: projectlog.Warning, Code: code, Message: text, Detail: detail})
}

// TooSoon refuses a second message of a kind to a signed-in user within the
// project's sms_max_frequency; lastSent may be nil.
func (t *Texter) TooSoon(sc *tenants.Scope, lastSent *time.Time) error {
	return t.spacing(sc, "").Since(lastSent, t.Now())
}

func (t *Texter) spacing(sc *tenants.Scope, purpose string) ratelimit.Spacing {
	gap := sc.Tenant.Config.SMSMaxFrequency
	if purpose == SecondFactors {
		gap = sc.Tenant.Config.MFAPhoneMaxFrequency
	}
	return ratelimit.Spacing{
		Limiter: t.Limiter, Name: "sms_number", Refusal: auth.ErrSMSRate,
		Gap: time.Duration(gap) * time.Second,
	}
}

// spaced is the number that a request counts for; "" for a request without a
// purpose, which the flow spaces out by the user.
func (r Request) spaced() string {
	if r.Purpose == "" {
		return ""
	}
	return r.Phone
}

// Text is a message to be written.
type Text struct {
	Kind  message.Kind
	Token auth.TokenType
	User  *auth.User
	// Signup is the sign-up that the code belongs to, and is stored with; nil for a
	// code of the user.
	Signup *auth.Signup
}

// Put counts the message against the project's limits, and writes its code and the
// message to the number of the request. It comes last in compose, because the
// message counts even if the rest fails. It writes nothing to a user who may have
// no session: the code would be refused.
func (o *Outgoing) Put(ctx context.Context, m Text) error {
	if m.User.Gone() || m.User.Banned(o.texter.Now()) {
		return nil
	}
	o.sc.Log.SetUser(m.User.ID)
	if err := o.count(ctx); err != nil {
		return err
	}
	code, hash := o.code()
	if err := o.putToken(ctx, m, hash); err != nil || o.test != "" {
		return err
	}
	return o.enqueue(ctx, m.User, message.Message{Kind: m.Kind, Code: code, Text: o.sc.Tenant.Config.SMSText(code)}, o.sc.Tenant.Config.SMSOTPTTL())
}

// count counts the message against the project's limits.
func (o *Outgoing) count(ctx context.Context) error {
	if o.test != "" {
		return nil
	}
	for _, limit := range o.texter.limits(o.sc, o.number) {
		if err := o.texter.Limiter.Allow(ctx, o.sc.Tenant.Ref, limit.rule, limit.identifier); err != nil {
			return err
		}
	}
	return nil
}

// code returns the code and the digest to store. Where the gateway makes the code,
// the digest is of nothing that can be typed in: its row says that a code was sent.
func (o *Outgoing) code() (code, hash string) {
	cfg, key, phone := &o.sc.Tenant.Config, o.sc.Tenant.Secrets.OTPKey, o.number.Digits
	switch {
	case o.test != "":
		return o.test, token.OneTimeOf(key, phone, o.test).Hash
	case smsgateway.MakesCodes(cfg.SMSGateway()):
		return "", token.HashLink(uuid.NewString())
	}
	once := token.NewOneTime(key, phone, cfg.SMSOTPLength)
	return once.Code, once.Hash
}

func (o *Outgoing) putToken(ctx context.Context, m Text, hash string) error {
	now := o.texter.Now()
	if m.Signup != nil {
		signup := *m.Signup
		signup.ID, signup.UserID, signup.Email, signup.TokenHash, signup.CreatedAt = uuid.New(), m.User.ID, o.number.Digits, hash, now
		return o.tx.PutSignup(ctx, &signup)
	}
	return o.tx.PutToken(ctx, &auth.OneTimeToken{
		ID: uuid.New(), UserID: m.User.ID, Type: m.Token, Hash: hash, RelatesTo: o.number.Digits, CreatedAt: now,
	})
}

// enqueue writes the message of which kind, code and text are given. It has no text
// where the gateway makes the code.
func (o *Outgoing) enqueue(ctx context.Context, u *auth.User, text message.Message, life time.Duration) error {
	sc, now := o.sc, o.texter.Now()
	text.ID, text.Channel, text.To, text.CreatedAt, text.ExpiresAt = o.id, o.request.Channel, o.number.Digits, now, now.Add(life)
	text.RequestID, text.UserID = sc.RequestID, u.ID
	if text.Code == "" {
		text.Text = ""
	}
	raw, err := json.Marshal(text)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	sealed, err := outbox.Seal(sc.Tenant, o.id, raw)
	if err != nil {
		return err
	}
	o.put = true
	return o.tx.Enqueue(ctx, o.id, string(message.Texts), sealed)
}

// Remote reports whether the project's gateway compares the codes of a number.
func (t *Texter) Remote(sc *tenants.Scope, phone string) bool {
	cfg := &sc.Tenant.Config
	return smsgateway.MakesCodes(cfg.SMSGateway()) && cfg.TestOTP(phone, t.Now()) == ""
}

// CheckRemote has the gateway compare a code, outside of any transaction; wrong
// when the gateway did not send it or has used it up. A gateway that fails is
// reported to the developers, and the code is refused as a wrong one.
func (t *Texter) CheckRemote(ctx context.Context, sc *tenants.Scope, phone, code string, wrong error) error {
	gateway := sc.Tenant.Config.SMSGateway()
	verifier := smsgateway.NewVerifier(gateway, sc.Tenant.Secrets.Settings, t.Client)
	if verifier == nil {
		return wrong
	}
	right, err := verifier.Check(ctx, phone, code)
	if err != nil {
		sc.Log.Add(ctx, projectlog.Entry{
			Code: "sms_check_failed", Message: "The SMS gateway did not check a code; the code was refused.",
			Detail: map[string]any{"gateway": gateway.Provider, "error": err.Error()}, Secrets: []string{code, sc.Tenant.Secrets.Settings[gateway.Secret]},
		})
		return wrong
	}
	if !right {
		return wrong
	}
	return nil
}

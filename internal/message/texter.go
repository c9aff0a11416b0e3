package message

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/smsgateway"
	"github.com/reevehq/reeve/tenants"
)

// ErrNoGateway is the error of a project whose text messages no gateway takes.
var ErrNoGateway = errors.New("no SMS gateway: set sms_provider and its settings")

// ErrExpired is the error of a text message whose code ended before it could be
// delivered.
var ErrExpired = errors.New("the code of the message has expired")

// Texter is the Sender of text messages by a gateway. A message is never sent
// after its code has ended.
type Texter struct {
	Gateway smsgateway.Gateway // nil for none
	Now     func() time.Time
}

// Send implements Sender. A gateway that fails is tried again for this message
// only: others go on, because a code lives for a minute.
func (t Texter) Send(ctx context.Context, _ tenants.Ref, m Message) error {
	switch {
	case !m.ExpiresAt.IsZero() && !t.Now().Before(m.ExpiresAt):
		return outbox.Refused(ErrExpired)
	case t.Gateway == nil:
		return outbox.Refused(ErrNoGateway)
	}
	err := t.Gateway.Send(ctx, smsgateway.Text{To: m.To, Body: m.Text, Code: m.Code, WhatsApp: m.Channel == WhatsApp})
	if e := (*smsgateway.Error)(nil); errors.As(err, &e) && e.Permanent {
		return outbox.Refused(err)
	}
	if err != nil {
		return outbox.Deferred(err)
	}
	return nil
}

// TextReporter is an outbox.Observer that writes to the projects' logs why text
// messages are not delivered.
type TextReporter struct {
	Log *projectlog.Log
	// Secrets returns the secret settings of a project, which are removed from
	// what a gateway says.
	Secrets func(ref tenants.Ref) []string
}

// Delivered implements outbox.Observer.
func (TextReporter) Delivered(tenants.Ref) {}

// Failed implements outbox.Observer.
func (r TextReporter) Failed(ref tenants.Ref, f outbox.Failure) {
	var m Message
	_ = json.Unmarshal(f.Row.Payload, &m) // an undecodable one is reported without its recipient
	e := projectlog.Entry{
		Project: string(ref), Level: projectlog.Error, RequestID: m.RequestID, UserID: m.UserID,
		Detail: map[string]any{
			"recipient": m.To, "channel": string(m.Channel), "message_id": m.ID.String(), "attempts": f.Row.Attempts + 1,
		},
		Secrets: append(r.Secrets(ref), m.Code),
	}
	if g := (*smsgateway.Error)(nil); errors.As(f.Err, &g) {
		e.Detail["gateway"], e.Detail["gateway_status"], e.Detail["gateway_code"], e.Detail["gateway_text"] = g.Gateway, g.Status, g.Code, g.Text
	}
	switch {
	case errors.Is(f.Err, ErrExpired):
		e.Code, e.Message = "sms_expired", "A text message was not sent, because its code had expired before the gateway took it (setting sms_otp_exp)."
	case errors.Is(f.Err, ErrNoGateway):
		e.Code, e.Message = "sms_gateway_missing", "A text message was not sent, because the project has no SMS gateway. Set sms_provider and the settings of the gateway."
	case outbox.Permanent(f.Err):
		e.Code, e.Message = "sms_refused", "The SMS gateway refused a text message; it is not tried again."
	case f.GivenUp:
		e.Code, e.Message = "sms_given_up", "A text message could not be delivered for too long; it is not tried again."
	default:
		e.Level, e.Code, e.Message = projectlog.Warning, "sms_deferred", "The SMS gateway did not take a text message; it is tried again until its code expires."
	}
	r.Log.Add(context.Background(), e)
}

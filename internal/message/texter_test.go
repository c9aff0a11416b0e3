package message

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/smsgateway"
)

type gateway struct {
	err  error
	sent []smsgateway.Text
}

func (g *gateway) Send(_ context.Context, t smsgateway.Text) error {
	g.sent = append(g.sent, t)
	return g.err
}

func TestTexter(t *testing.T) {
	t.Parallel()
	now := time.Now()
	m := Message{Channel: WhatsApp, To: "14155552671", Text: "Your code is 123456", Code: "123456", ExpiresAt: now.Add(time.Minute)}
	send := func(g *gateway, at time.Time) error {
		return Texter{Gateway: g, Now: func() time.Time { return at }}.Send(t.Context(), "ref", m)
	}
	g := &gateway{}
	if err := send(g, now); err != nil || len(g.sent) != 1 || g.sent[0] != (smsgateway.Text{To: m.To, Body: m.Text, Code: m.Code, WhatsApp: true}) {
		t.Errorf("%v, sent %+v", err, g.sent)
	}
	if err := send(g, m.ExpiresAt); !errors.Is(err, ErrExpired) || !outbox.Permanent(err) || len(g.sent) != 1 {
		t.Errorf("after the code has ended: %v, sent %d", err, len(g.sent))
	}
	if err := send(&gateway{err: &smsgateway.Error{Permanent: true}}, now); !outbox.Permanent(err) {
		t.Errorf("a refusal is not permanent: %v", err)
	}
	if err := send(&gateway{err: &smsgateway.Error{}}, now); err == nil || outbox.Permanent(err) || outbox.Unreachable(err) {
		t.Errorf("a gateway that is away: %v", err)
	}
	err := Texter{Now: time.Now}.Send(t.Context(), "ref", m)
	if !errors.Is(err, ErrNoGateway) || !outbox.Permanent(err) {
		t.Errorf("without a gateway: %v", err)
	}
}

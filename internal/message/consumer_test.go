package message

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/tenants"
)

var errInbox = errors.New("inbox is down")

// recorder is a Sender.
type recorder struct {
	got []Message
	err error
}

func (r *recorder) Send(_ context.Context, _ tenants.Ref, m Message) error {
	r.got = append(r.got, m)
	return r.err
}

func TestConsumer(t *testing.T) {
	t.Parallel()
	sender := &recorder{}
	c := Consumer{Sender: func(_ context.Context, ref tenants.Ref) (Sender, error) {
		if ref != testRef {
			return nil, errInbox
		}
		return sender, nil
	}}
	if _, err := c.Open(t.Context(), "another"); !errors.Is(err, errInbox) || outbox.Permanent(err) {
		t.Errorf("without a sender: %v", err)
	}
	deliver, err := c.Open(t.Context(), testRef)
	if err != nil {
		t.Fatal(err)
	}
	row := func(m Message) outbox.Row {
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return outbox.Row{ID: uuid.New(), Payload: raw, CreatedAt: time.Now().UTC()}
	}
	full := row(Message{ID: uuid.New(), Kind: Recovery, To: "jane@example.com", CreatedAt: time.Unix(1, 0).UTC()})
	bare := row(Message{Kind: Invite})
	for _, r := range []outbox.Row{full, bare} {
		if err := deliver(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if m := sender.got[0]; m.To != "jane@example.com" || m.ID == full.ID || !m.CreatedAt.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v", m)
	}
	if m := sender.got[1]; m.ID != bare.ID || !m.CreatedAt.Equal(bare.CreatedAt) {
		t.Errorf("without an id and a time of its own: %+v", m)
	}
	sender.err = outbox.Refused(errors.New("550 no such user"))
	if err := deliver(t.Context(), full); !outbox.Permanent(err) || !strings.HasPrefix(err.Error(), "recovery: ") {
		t.Errorf("refused: %v", err)
	}
	sender.got = nil
	if err := deliver(t.Context(), outbox.Row{Payload: []byte("{")}); !outbox.Permanent(err) || len(sender.got) != 0 {
		t.Errorf("what is no message: %v", err)
	}
}

func TestCaptureKeepsTheMessage(t *testing.T) {
	t.Parallel()
	s := &inbox{}
	m := Message{ID: uuid.New()}
	if err := (Capture{Store: s}).Send(t.Context(), testRef, m); err != nil || s.ref != testRef || s.m.ID != m.ID {
		t.Fatal(err, s)
	}
	s.err = errInbox
	if err := (Capture{Store: s}).Send(t.Context(), testRef, m); !errors.Is(err, errInbox) || outbox.Permanent(err) {
		t.Fatal(err)
	}
}

type inbox struct {
	ref tenants.Ref
	m   Message
	err error
}

func (i *inbox) SaveMessage(_ context.Context, ref tenants.Ref, m Message) error {
	i.ref, i.m = ref, m
	return i.err
}

package flowtest

import (
	"context"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/message"
)

// Mails opens the messages in the project's outbox, oldest first.
func (p *Project) Mails(tb testing.TB) []message.Message {
	tb.Helper()
	var out []message.Message
	p.connected(tb, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT id, payload FROM reeve.outbox WHERE dead_at IS NULL ORDER BY created_at`)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var payload []byte
		_, err = pgx.ForEachRow(rows, []any{&id, &payload}, func() error {
			m, err := mail.Open(p.Tenant(), id, payload)
			out = append(out, m)
			return err
		})
		return err
	})
	return out
}

// Mail returns the newest message to an address; there must be one.
func (p *Project) Mail(tb testing.TB, to string) message.Message {
	tb.Helper()
	mails := p.Mails(tb)
	for i := len(mails) - 1; i >= 0; i-- {
		if mails[i].To == to {
			return mails[i]
		}
	}
	tb.Fatalf("no mail to %s among %d", to, len(mails))
	return message.Message{}
}

// EmptyOutbox deletes all messages.
func (p *Project) EmptyOutbox(tb testing.TB) {
	tb.Helper()
	p.Exec(tb, `DELETE FROM reeve.outbox`)
}

// LinkQuery is the query of a message's action link, which must lead to the
// project's /verify.
func (p *Project) LinkQuery(tb testing.TB, m message.Message) url.Values {
	tb.Helper()
	if len(m.Links) == 0 {
		tb.Fatalf("mail %q has no link", m.Subject)
	}
	return p.VerifyQuery(tb, m.Links[0])
}

// VerifyQuery is the query of a link to the project's /verify.
func (p *Project) VerifyQuery(tb testing.TB, link string) url.Values {
	tb.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Scheme+"://"+u.Host+u.Path != p.Tenant().Issuer()+"/verify" {
		tb.Fatalf("link %q does not lead to %s/verify", link, p.Tenant().Issuer())
	}
	return u.Query()
}

// FollowLink opens a message's action link as a person does, and returns where
// the browser ends.
func (p *Project) FollowLink(tb testing.TB, m message.Message) *url.URL {
	tb.Helper()
	res := p.Do(tb, "GET", "/verify?"+p.LinkQuery(tb, m).Encode(), nil, Key("")).Want(303)
	u, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

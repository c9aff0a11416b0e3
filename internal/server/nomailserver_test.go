package server_test

import (
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestMailsWaitForAMailServer: without a mail server, a sign-up succeeds and
// its mail stays in the outbox; it is sent once there is a server.
func TestMailsWaitForAMailServer(t *testing.T) {
	t.Parallel()
	without := servertest.Start(t, func(c *config.Config) { c.Mail.Capture = false })
	p := without.Project(t, "mute", nil)
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "password123"}).Expect(t, http.StatusOK)
	conn, err := pgx.Connect(t.Context(), p.AdminURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	eventually(t, "the mail was tried", func() bool {
		var waiting int
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM reeve.outbox WHERE dead_at IS NULL AND next_attempt_at > clock_timestamp()`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		return waiting == 1
	})
	without.Stop()
	p.Reeve = without.Replica(t)
	eventually(t, "the mail arrives", func() bool {
		var mails []servertest.Mail
		p.Reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/inbox", nil).Expect(t, http.StatusOK).Into(t, &mails)
		return len(mails) == 1 && mails[0].To == "ann@example.com"
	})
}

package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/tenants"
)

// warnings keeps what is logged as a warning or an error.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Enabled implements slog.Handler.
func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w *warnings) Handle(ctx context.Context, r slog.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slog.NewTextHandler(&w.text, nil).Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (w *warnings) WithAttrs(attrs []slog.Attr) slog.Handler { return attributed{w, attrs} }

// attributed are warnings with attributes of their logger.
type attributed struct {
	*warnings
	attrs []slog.Attr
}

// Handle implements slog.Handler.
func (a attributed) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(a.attrs...)
	return a.warnings.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (a attributed) WithAttrs(attrs []slog.Attr) slog.Handler {
	return attributed{a.warnings, slices.Concat(a.attrs, attrs)}
}

// WithGroup implements slog.Handler.
func (w *warnings) WithGroup(string) slog.Handler { return w }

func (w *warnings) taken() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.text.Reset()
	return w.text.String()
}

// naming takes what is about a project: the process may warn of something else, such
// as a slow disk.
func (w *warnings) naming(ref string) string {
	var out strings.Builder
	for line := range strings.Lines(w.taken()) {
		if strings.Contains(line, ref) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// TestPause: what a paused project still has, and that another one notices nothing.
func TestPause(t *testing.T) {
	t.Parallel()
	logged := &warnings{}
	reeve := servertest.StartWith(t, func(o *server.Options) { o.Logger = slog.New(logged) })
	p, other := reeve.Project(t, "paused", map[string]any{"mailer_autoconfirm": true}), reeve.Project(t, "other", map[string]any{"mailer_autoconfirm": true})
	s, theirs := p.SignUp(t, annEmail, annPassword), other.SignUp(t, annEmail, annPassword)
	own := servertest.Connect(t, p.DatabaseURL)
	manage := func(method, path string, body any) *servertest.Answer {
		return reeve.Manage(t, method, "/v1/projects/"+p.Ref+path, body)
	}
	logged.taken()
	keys := p.Do(t, http.MethodGet, "/.well-known/jwks.json", nil).Expect(t, 200).Body

	began := time.Now()
	if got := manage(http.MethodPost, "/pause", nil).Expect(t, 200).JSON(t)["status"]; got != "INACTIVE" {
		t.Fatalf("pause: %v", got)
	}
	t.Logf("a pause took %v", time.Since(began))
	p.As(t, s.AccessToken, http.MethodGet, "/user", nil).Refused(t, 503, "project_paused")
	p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": s.RefreshToken}).Refused(t, 503, "project_paused")
	if got := p.Do(t, http.MethodGet, "/.well-known/jwks.json", nil).Expect(t, 200).Body; !bytes.Equal(got, keys) {
		t.Errorf("JWKS: %s", got)
	}
	if a := reeve.Do(t, http.MethodGet, p.Auth("/.well-known/jwks.json"), nil, "apikey", other.PublishableKey); a.Status != 401 {
		t.Errorf("another project's key: %d", a.Status)
	}
	if err := own.Ping(t.Context()); err == nil {
		t.Error("the owner's session is left")
	}
	if conn, err := pgx.Connect(t.Context(), p.DatabaseURL); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the owner can connect")
	}
	for path, status := range map[string]int{
		"": 200, "/health?services=auth,db": 200, "/logs": 200, "/usage": 200, "/api-keys": 200, "/config/auth": 200, "/branches": 200,
		"/advisors/security": 409,
	} {
		manage(http.MethodGet, path, nil).Expect(t, status)
	}
	if got := manage(http.MethodPost, "/branch", map[string]any{"name": "copy"}).Expect(t, 409).JSON(t)["code"]; got != "branch_source_gone" {
		t.Errorf("branch: %v", got)
	}
	manage(http.MethodPatch, "/config/auth", map[string]any{"jwt_exp": 900}).Expect(t, 200)
	var listed struct {
		Projects []struct{ Ref, Status string }
	}
	reeve.Manage(t, http.MethodGet, "/v1/organizations/default/projects", nil).Expect(t, 200).Into(t, &listed)
	for _, l := range listed.Projects {
		if want := map[string]string{p.Ref: "INACTIVE", other.Ref: "ACTIVE_HEALTHY"}[l.Ref]; l.Status != want {
			t.Errorf("%s is %s, want %s", l.Ref, l.Status, want)
		}
	}
	other.As(t, theirs.AccessToken, http.MethodGet, "/user", nil).Expect(t, 200)
	if text := logged.naming(p.Ref); text != "" {
		t.Errorf("warnings while it was paused: %s", text)
	}

	began = time.Now()
	if got := manage(http.MethodPost, "/restore", nil).Expect(t, 200).JSON(t)["status"]; got != "ACTIVE_HEALTHY" {
		t.Fatalf("restore: %v", got)
	}
	t.Logf("a restore took %v", time.Since(began))
	p.As(t, s.AccessToken, http.MethodGet, "/user", nil).Expect(t, 200)
	t.Logf("served again after %v", time.Since(began))
	p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": s.RefreshToken}).Expect(t, 200)

	var entries struct {
		Entries []struct{ Action, Result string }
	}
	reeve.Manage(t, http.MethodGet, "/v1/organizations/default/audit-logs?ref="+p.Ref, nil).Expect(t, 200).Into(t, &entries)
	found := map[string]bool{}
	for _, e := range entries.Entries {
		found[e.Action] = e.Result == "done"
	}
	if !found["pause-project"] || !found["restore-project"] {
		t.Errorf("audit log: %v", entries)
	}
}

// TestPauseKeepsMails: a mail that waits when its project is paused is sent once it
// is restored.
func TestPauseKeepsMails(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "mails", nil)
	admin := servertest.Connect(t, p.AdminURL(t))
	run(t, admin, `CREATE FUNCTION reeve.later() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN NEW.next_attempt_at := pg_catalog.now() + '1 hour'; RETURN NEW; END $$`)
	run(t, admin, "CREATE TRIGGER later BEFORE INSERT ON reeve.outbox FOR EACH ROW EXECUTE FUNCTION reeve.later()")
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": annEmail, "password": annPassword}).Expect(t, 200)
	reeve.Manage(t, http.MethodPost, "/v1/projects/"+p.Ref+"/pause", nil).Expect(t, 200)
	run(t, admin, "DROP TRIGGER later ON reeve.outbox")
	run(t, admin, "UPDATE reeve.outbox SET next_attempt_at = now()")
	marked, err := reeve.Control(t).MarkedOutboxes(t.Context(), string(message.Mails), 10)
	if err != nil || slices.Contains(marked, tenants.Ref(p.Ref)) {
		t.Errorf("marked while it is paused: %v, %v", marked, err)
	}
	if n := count(t, admin, "SELECT count(*) FROM reeve.outbox"); n != 1 {
		t.Errorf("%d mails wait", n)
	}
	reeve.Manage(t, http.MethodPost, "/v1/projects/"+p.Ref+"/restore", nil).Expect(t, 200)
	mail := p.Inbox(t, annEmail, 1)[0]
	p.Do(t, http.MethodPost, "/verify", map[string]any{"type": "signup", "email": annEmail, "token": mail.Code}).Expect(t, 200)
}

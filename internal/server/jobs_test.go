package server_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// TestSweepsRun: some replica removes expired rows.
func TestSweepsRun(t *testing.T) {
	t.Parallel()
	first := servertest.Start(t)
	conn := servertest.Connect(t, first.ControlURL)
	const runs = "SELECT count(*) FROM river.river_job WHERE kind = 'delete_idempotency_keys' AND state = 'completed'"
	eventually(t, "the sweep of a fresh installation", func() bool { return count(t, conn, runs) >= 1 })
	first.Stop()
	run(t, conn, "DELETE FROM river.river_job") // as if its period were over
	run(t, conn, `INSERT INTO idempotency_keys (actor, key, request_hash, created_at)
		VALUES (gen_random_uuid(), 'old', 'x', now() - interval '25 hours'), (gen_random_uuid(), 'young', 'x', now())`)
	for range 2 {
		first.Replica(t)
	}
	eventually(t, "the old key is gone", func() bool {
		return count(t, conn, "SELECT count(*) FROM idempotency_keys WHERE key = 'old'") == 0
	})
	if n := count(t, conn, "SELECT count(*) FROM idempotency_keys WHERE key = 'young'"); n != 1 {
		t.Error("a key that is still good was removed")
	}
}

// TestTidyRuns: an offered project is tidied through the server's connections.
func TestTidyRuns(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "untidy", nil)
	conn := servertest.Connect(t, p.AdminURL(t))
	run(t, conn, `INSERT INTO auth.flow_state (id, provider_type, authentication_method, created_at)
		VALUES (gen_random_uuid(), 'email', 'otp', 'epoch')`)
	run(t, servertest.Connect(t, reeve.ControlURL), `INSERT INTO river.river_job (kind, args, max_attempts, queue, state)
		VALUES ('tidy_project', jsonb_build_object('ref', '`+p.Ref+`'), 3, 'default', 'available')`)
	eventually(t, "the row is gone", func() bool { return count(t, conn, "SELECT count(*) FROM auth.flow_state") == 0 })
	p.Do(t, http.MethodGet, "/settings", nil).Expect(t, http.StatusOK)
}

// TestUsersAreCounted: the number of an offered project's users is stored, for the
// cards of projects.
func TestUsersAreCounted(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "counted", nil)
	for _, email := range []string{"ann@example.com", "bob@example.com"} {
		p.SignUp(t, email, "correct horse battery")
	}
	conn := servertest.Connect(t, reeve.ControlURL)
	for _, ref := range []string{p.Ref, strings.Repeat("z", 20)} { // and of one that is gone
		run(t, conn, `INSERT INTO river.river_job (kind, args, max_attempts, queue, state)
			VALUES ('count_users', jsonb_build_object('ref', '`+ref+`'), 3, 'default', 'available')`)
	}
	eventually(t, "both runs are done", func() bool {
		return count(t, conn, "SELECT count(*) FROM river.river_job WHERE kind = 'count_users' AND state = 'completed'") == 2
	})
	page := reeve.Manage(t, http.MethodGet, "/v1/organizations/default/projects/cards?search=counted", nil).Expect(t, 200).JSON(t)
	if card := page["projects"].([]any)[0].(map[string]any); card["users"] != 2.0 {
		t.Errorf("card: %v", card)
	}
}

// TestJobTablesAreAskedFor: with separate migrations, a process does not start
// without the tables of scheduled jobs.
func TestJobTablesAreAskedFor(t *testing.T) {
	t.Parallel()
	reeve := servertest.StartOn(t, testkit.Database(t), secret.NewMasterKey())
	reeve.Stop()
	start := func() error {
		c := config.Development()
		c.Migrate = false
		c.HTTP.Listen, c.HTTP.PublicURL = "127.0.0.1:0", "http://reeve.test"
		c.Database.ControlURL, c.Database.AdminURL = reeve.ControlURL, testkit.Postgres(t)
		c.Secrets.MasterKeys = []string{reeve.MasterKey}
		c.Database = c.Database.Resolve()
		_, err := server.New(t.Context(), server.Options{Config: c, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Dev: true})
		return err
	}
	run(t, servertest.Connect(t, reeve.ControlURL), "DROP SCHEMA river CASCADE")
	if err := start(); err == nil || !strings.Contains(err.Error(), "reeve migrate") {
		t.Errorf("without job tables: %v", err)
	}
}

package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// replicaEnv makes the test binary a Reeve that can be killed.
const replicaEnv = "REEVE_TEST_REPLICA"

// replicaOrder is that process's input and output.
type replicaOrder struct {
	ControlURL, MasterKey, Answer string
	URL, Token                    string
}

// TestReplicaProcess is not a test: it is the process that other tests kill.
func TestReplicaProcess(t *testing.T) {
	raw := os.Getenv(replicaEnv)
	if raw == "" {
		t.Skip("only in a process of its own")
	}
	var o replicaOrder
	if err := json.Unmarshal([]byte(raw), &o); err != nil {
		t.Fatal(err)
	}
	reeve := servertest.StartOn(t, o.ControlURL, o.MasterKey)
	o.URL, o.Token = reeve.URL, reeve.Token
	answer, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Answer+".tmp", answer, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(o.Answer+".tmp", o.Answer); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or its parent ends
}

// startReplica runs one on the databases of a Reeve, which may have stopped.
func startReplica(t *testing.T, of *servertest.Reeve) (reeve *servertest.Reeve, kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := replicaOrder{ControlURL: of.ControlURL, MasterKey: of.MasterKey, Answer: filepath.Join(t.TempDir(), "answer.json")}
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestReplicaProcess$", "-test.v")
	cmd.Env = append(os.Environ(), replicaEnv+"="+string(raw), testkit.PostgresEnv+"="+testkit.Postgres(t))
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill() // SIGKILL: nothing is finished
		_ = cmd.Wait()         // the error is the kill
	}
	t.Cleanup(kill)
	eventually(t, "the process is up", func() bool {
		answer, err := os.ReadFile(o.Answer)
		return err == nil && json.Unmarshal(answer, &o) == nil
	})
	return &servertest.Reeve{URL: o.URL, Token: o.Token, ControlURL: of.ControlURL, MasterKey: of.MasterKey}, kill
}

// TestMailsSurviveAKill: a process is killed after sign-ups were acknowledged
// and before their mails were settled; the next one delivers each of them once.
func TestMailsSurviveAKill(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]func(*testing.T, *servertest.Project) (reached func() bool, release func()){
		"before delivery":                 holdDelivery,
		"after delivery, not yet removed": holdRemoval,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := servertest.StartOn(t, testkit.Database(t), secret.NewMasterKey())
			p := first.Project(t, "killed", nil)
			first.Stop()
			reached, release := hold(t, p)
			victim, kill := startReplica(t, first)
			q := *p
			q.Reeve = victim
			const users = 5
			for i := range users {
				q.Do(t, http.MethodPost, "/signup", map[string]any{"email": mailbox(i), "password": annPassword}).Expect(t, 200)
			}
			eventually(t, "the delivery has begun", reached)
			kill()
			release()
			leaseOver(t, p)

			next := first.Replica(t)
			q.Reeve = next
			for i := range users {
				mail := q.Inbox(t, mailbox(i), 1)[0]
				q.Do(t, http.MethodPost, "/verify", map[string]any{"type": "signup", "email": mailbox(i), "token": mail.Code}).Expect(t, 200)
			}
			q.Fingerprint(t) // waits until the outbox is empty
			var all []servertest.Mail
			next.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/inbox", nil).Expect(t, 200).Into(t, &all)
			if len(all) != users {
				t.Errorf("%d mails, want %d: %v", len(all), users, all)
			}
		})
	}
}

func mailbox(i int) string { return fmt.Sprintf("user%d@example.com", i) }

// holdDelivery blocks delivery to the inbox until release.
func holdDelivery(t *testing.T, p *servertest.Project) (reached func() bool, release func()) {
	t.Helper()
	control, project := servertest.Connect(t, p.Reeve.ControlURL), servertest.Connect(t, p.AdminURL(t))
	run(t, control, "BEGIN")
	run(t, control, "LOCK TABLE inbox_messages IN SHARE MODE")
	reached = func() bool { return count(t, project, "SELECT count(*) FROM reeve.outbox WHERE attempts > 0") > 0 }
	return reached, func() {
		endClients(t, p.Reeve.ControlURL)
		run(t, control, "ROLLBACK")
	}
}

// holdRemoval allows delivery of mails, and blocks their removal from the
// outbox.
func holdRemoval(t *testing.T, p *servertest.Project) (reached func() bool, release func()) {
	t.Helper()
	control, project := servertest.Connect(t, p.Reeve.ControlURL), servertest.Connect(t, p.AdminURL(t))
	run(t, project, "SELECT pg_advisory_lock(4711)")
	run(t, project, `CREATE FUNCTION reeve.hold() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(4711); RETURN OLD; END $$`)
	run(t, project, "CREATE TRIGGER hold BEFORE DELETE ON reeve.outbox FOR EACH ROW EXECUTE FUNCTION reeve.hold()")
	reached = func() bool { return count(t, control, "SELECT count(*) FROM inbox_messages") > 0 }
	return reached, func() {
		endClients(t, p.AdminURL(t))
		run(t, project, "DROP TRIGGER hold ON reeve.outbox")
		run(t, project, "SELECT pg_advisory_unlock(4711)")
	}
}

// endClients ends the killed process's sessions on the server, as the server
// does when it notices.
func endClients(t *testing.T, database string) {
	t.Helper()
	conn := servertest.Connect(t, database)
	eventually(t, "its sessions have ended", func() bool {
		return count(t, conn, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name = 'reeve' AND datname = current_database()`) == 0
	})
}

// leaseOver expires the killed process's leases.
func leaseOver(t *testing.T, p *servertest.Project) {
	t.Helper()
	conn := servertest.Connect(t, p.AdminURL(t))
	if count(t, conn, "SELECT count(*) FROM reeve.outbox") == 0 {
		t.Fatal("nothing was left to deliver: the kill came too late")
	}
	run(t, conn, "UPDATE reeve.outbox SET locked_until = NULL, next_attempt_at = now()")
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.WithoutCancel(t.Context()), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func count(t *testing.T, conn *pgx.Conn, sql string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

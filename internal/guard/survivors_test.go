//go:build unix

package guard

import (
	"bytes"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

// TestSurvivors: a session that goes on after it was ended is reported, once.
// That it executes a function which Postgres does not interrupt is simulated by
// stopping its process.
func TestSurvivors(t *testing.T) {
	t.Parallel()
	in := install(t, testkit.NewCluster(t).Database(t, "home"))
	var log bytes.Buffer
	now := time.Now()
	in.Logger, in.Now = slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now }
	name := tenants.NewRef().OwnerRole()
	open := in.lastingRole(t, name)
	stopped, other := open().PgConn().PID(), open().PgConn().PID()
	if err := syscall.Kill(int(stopped), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	resume := func() { _ = syscall.Kill(int(stopped), syscall.SIGCONT) }
	t.Cleanup(resume)
	in.Terminate(t.Context(), name, stopped)
	in.Terminate(t.Context(), name, other)
	report := func(after time.Duration, want int) {
		t.Helper()
		now = now.Add(after)
		if err := in.reportSurvivors(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(log.String(), "cannot be ended"); got != want {
			t.Errorf("reported %d times, want %d:\n%s", got, want, log.String())
		}
	}
	report(0, 0)
	for len(in.survivors.ended) > 1 { // the other one ends
		report(0, 0)
	}
	report(survivorAge+time.Second, 1)
	report(time.Second, 1)
	resume()
	for len(in.survivors.ended) > 0 {
		report(0, 1)
	}
}

//go:build unix

package testkit

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/devpg"
)

func TestMain(m *testing.M) { Main(m) }

func TestDatabaseIsEmptyAndDropped(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("use", func(t *testing.T) {
		at := Database(t)
		if other := Database(t); other == at {
			t.Fatal("two databases have one name")
		}
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		name = u.Path[1:]
		// An open connection does not prevent the database from being dropped.
		conn, err := pgx.Connect(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		var current string
		var tables int
		err = conn.QueryRow(t.Context(), "select current_database(), (select count(*) from pg_class where relnamespace = 'public'::regnamespace)").
			Scan(&current, &tables)
		if err != nil || current != name || tables != 0 {
			t.Errorf("connected to %q with %d tables: %v", current, tables, err)
		}
	})
	conn, err := pgx.Connect(t.Context(), Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var left int
	if err := conn.QueryRow(t.Context(), "select count(*) from pg_database where datname = $1", name).Scan(&left); err != nil || left != 0 {
		t.Errorf("%s is left behind: %v", name, err)
	}
}

func TestSweepTakesOnlyTheDead(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dead := exec.Command("/bin/sh", "-c", ":")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(base, fmt.Sprintf("reeve-test-%d-1", dead.Process.Pid))
	stays := []string{
		filepath.Join(base, fmt.Sprintf("reeve-test-%d-1", os.Getpid())),
		filepath.Join(base, "reeve-test-name-1"),
		filepath.Join(base, "other"),
	}
	for _, dir := range append(stays, gone) {
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sweep(t.Context(), base)
	if _, err := os.Stat(gone); err == nil {
		t.Errorf("%s is left behind", gone)
	}
	for _, dir := range stays {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone", dir)
		}
	}
}

func TestStartClusterTakesSettings(t *testing.T) {
	t.Parallel()
	s, err := StartCluster(t.Context(), map[string]string{"max_connections": "23"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if got := setting(t, s, "max_connections"); got != "23" {
		t.Errorf("max_connections = %s", got)
	}
}

func setting(t *testing.T, s *devpg.Server, name string) (value string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), "select current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

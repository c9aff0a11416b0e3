package provision

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/migrations"
)

func execute(ctx context.Context, sql string) func(*pgx.Conn) error {
	return func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	}
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	template := ownTemplate(t)
	w := newWorld(t, template)
	mark := func() (mark string) {
		t.Helper()
		err := w.asAdmin(t.Context(), "postgres", func(conn *pgx.Conn) (err error) {
			mark, err = w.templateMark(t.Context(), conn)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return mark
	}
	oid := func() (oid uint32) {
		t.Helper()
		if err := w.pool.QueryRow(t.Context(), "SELECT oid FROM pg_database WHERE datname = $1", w.Cluster.Template).Scan(&oid); err != nil {
			t.Fatal(err)
		}
		return oid
	}
	first := oid()
	if got := markVersion(mark()); got != migrations.TenantVersion() {
		t.Errorf("template has version %d", got)
	}

	t.Run("again, by several", func(t *testing.T) {
		other := w.replica(t, template)
		var group sync.WaitGroup
		for _, s := range []*Service{w.Service, other, w.Service} {
			group.Go(func() {
				if err := s.Bootstrap(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if oid() != first {
			t.Error("an up-to-date template was built again")
		}
	})
	t.Run("left half made", func(t *testing.T) {
		comment := "COMMENT ON DATABASE " + quote(w.Cluster.Template) + " IS NULL"
		if err := w.asAdmin(t.Context(), "postgres", execute(t.Context(), comment)); err != nil {
			t.Fatal(err)
		}
		if err := w.Bootstrap(t.Context()); err != nil {
			t.Fatal(err)
		}
		if oid() == first || mark() == "" {
			t.Error("an incomplete template was kept")
		}
	})
	t.Run("not to be migrated", func(t *testing.T) {
		asIs := func(s *Service) { s.NoMigrate = true }
		if err := w.replica(t, template, asIs).Bootstrap(t.Context()); err != nil {
			t.Errorf("an up-to-date template: %v", err)
		}
		before := oid()
		ahead := w.replica(t, template, asIs, func(s *Service) { s.Migrations = withMore(t, "CREATE TABLE auth.news (id int);") })
		if err := ahead.Bootstrap(t.Context()); !errors.Is(err, ErrTemplateBehind) || !strings.Contains(err.Error(), "reeve migrate") {
			t.Errorf("a template that is behind: %v", err)
		}
		missing := w.replica(t, ownTemplate(t), asIs)
		if err := missing.Bootstrap(t.Context()); !errors.Is(err, ErrTemplateBehind) {
			t.Errorf("no template: %v", err)
		}
		if oid() != before {
			t.Error("the template was built again")
		}
	})
	t.Run("newer than known", func(t *testing.T) {
		fsys := withMore(t, "CREATE TABLE auth.news (id int);")
		if err := w.replica(t, template, func(s *Service) { s.Migrations = fsys }).Bootstrap(t.Context()); err != nil {
			t.Fatal(err)
		}
		newer := oid()
		if err := w.Bootstrap(t.Context()); err != nil {
			t.Fatal(err)
		}
		if oid() != newer {
			t.Error("an old replica replaced a newer template")
		}
	})
}

// TestBootstrapByWeakAdmin has an admin that may not grant BYPASSRLS.
func TestBootstrapByWeakAdmin(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewCluster(t)
	conn, err := pgx.Connect(t.Context(), cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	if err := execute(t.Context(), "CREATE ROLE weak LOGIN CREATEDB CREATEROLE PASSWORD 'weak'")(conn); err != nil {
		t.Fatal(err)
	}
	admin, err := url.Parse(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	admin.User = url.UserPassword("weak", "weak")
	s, err := open(cluster.Database(t, "control"), secret.NewMasterKey(), admin.String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Control.Close()
	defer s.Close()
	var log bytes.Buffer
	s.Logger = slog.New(slog.NewTextHandler(&log, nil))
	warnings := func() int { return strings.Count(log.String(), "service_role is subject to row level security") }
	if err := s.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := warnings(); n != 1 {
		t.Errorf("%d warnings in:\n%s", n, log.String())
	}
	if err := execute(t.Context(), "ALTER ROLE service_role BYPASSRLS")(conn); err != nil {
		t.Fatal(err)
	}
	if err := s.Bootstrap(t.Context()); err != nil || warnings() != 1 {
		t.Errorf("with BYPASSRLS: %v\n%s", err, log.String())
	}
}

// TestRun keeps warm databases ready while projects are created, and stops
// cleanly.
func TestRun(t *testing.T) {
	w := newWorld(t, func(s *Service) { s.WarmTarget = 2 })
	ignore := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	full := func() {
		t.Helper()
		for {
			var n int
			err := w.Control.Pool().QueryRow(t.Context(), "SELECT count(*) FROM databases WHERE state = 'warm'").Scan(&n)
			if err != nil || n > 2 {
				t.Fatalf("%d warm databases, %v", n, err)
			}
			if n == 2 {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	full()
	for range 3 {
		w.checkServed(t, w.mustCreate(t, NewProject{}).Project.Ref)
	}
	full()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, ignore, goleak.IgnoreTopFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"))
}

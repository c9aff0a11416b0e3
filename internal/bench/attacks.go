//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/manage"
	"github.com/reevehq/reeve/tenants"
)

// held ends a transaction's statements: it stays open.
const held = "SELECT pg_sleep(600)"

// attacks are the ways in which owners can reach what all databases of a
// Postgres server share, and those in which they can occupy Reeve.
var attacks = []attack{
	// A transaction that has read a catalog blocks a statement that locks it,
	// which is refused only afterwards; every new connection waits behind it.
	{name: "lock-pg_database", hostile: 1, run: catalogLocks("pg_database", "pg_catalog.pg_database")},
	{name: "lock-pg_authid", hostile: 1, run: catalogLocks("pg_roles", "pg_catalog.pg_authid")},
	// The same for one database of somebody else.
	{name: "lock-a-database", hostile: 1, run: func(ctx context.Context, s *siege) {
		var parts []func()
		for _, name := range s.victims() {
			victim := pgx.Identifier{name}.Sanitize()
			parts = append(parts, func() {
				s.owners(ctx, 1, "BEGIN", "ALTER ROLE CURRENT_USER IN DATABASE "+victim+" SET work_mem = '5MB'", held)
			})
		}
		for _, name := range s.victims()[:2] {
			victim := pgx.Identifier{name}.Sanitize()
			parts = append(parts, func() { s.owners(ctx, 1, "DROP DATABASE "+victim, "ALTER DATABASE "+victim+" RENAME TO mine") })
		}
		together(parts...)
	}},
	// Settings of a role that all projects share.
	{name: "shared-role", hostile: 2, run: func(ctx context.Context, s *siege) {
		together(
			func() { s.owners(ctx, 2, "BEGIN", "SET ROLE anon", "ALTER ROLE anon SET statement_timeout = 1", held) },
			func() { s.owners(ctx, 2, "SET ROLE anon", "ALTER ROLE anon SET default_transaction_read_only = on") },
		)
	}},
	// A session that listens and is never idle holds back the queue.
	{name: "notify-queue", hostile: 2, run: func(ctx context.Context, s *siege) {
		together(
			func() {
				s.owners(ctx, 3, "LISTEN mine", "DO $$ BEGIN LOOP PERFORM pg_sleep(0.5); COMMIT; END LOOP; END $$")
			},
			func() {
				s.owners(ctx, 3, `DO $$ BEGIN LOOP
					PERFORM pg_notify('mine', repeat('x', 7900) || i) FROM generate_series(1, 2000) AS i; COMMIT;
				END LOOP; END $$`)
			},
		)
	}},
	{name: "lock-table", hostile: 1, run: func(ctx context.Context, s *siege) {
		s.owners(ctx, 8, "BEGIN", "SELECT count(pg_advisory_xact_lock(pg_backend_pid(), i)) FROM generate_series(1, 10000000) AS i", held)
	}},
	// Connections of the owners and, by a trigger that sets their passwords, of
	// the auth roles.
	{
		name: "connections", hostile: 5,
		prepare: func(ctx context.Context, s *siege) error {
			return s.onUsers(ctx, "EXECUTE format('ALTER ROLE %I PASSWORD %L', current_user, 'stolen');")
		},
		run: func(ctx context.Context, s *siege) {
			together(
				func() { s.owners(ctx, 10, held) },
				func() { s.requests(ctx, 1, "sign-up", nil) },
				func() { s.asAuth(ctx, 30, held) },
			)
		},
	},
	// Triggers that sleep in Reeve's connections, and that use the processor.
	{
		name: "trigger-sleeps", hostile: 5,
		prepare: func(ctx context.Context, s *siege) error { return s.onUsers(ctx, "PERFORM pg_sleep(600);") },
		run:     func(ctx context.Context, s *siege) { s.requests(ctx, 64, "sign-up", nil) },
	},
	{
		name: "trigger-burns", hostile: 1,
		prepare: func(ctx context.Context, s *siege) error {
			return s.onUsers(ctx, "LOOP BEGIN LOOP NULL; END LOOP; EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;")
		},
		run: func(ctx context.Context, s *siege) { s.requests(ctx, 64, "sign-up", nil) },
	},
	// A template that html/template needs quadratic time for.
	{name: "templates", hostile: 1, run: func(ctx context.Context, s *siege) {
		body := `{"mailer_templates_confirmation_content":"` + strings.Repeat("‹", 65_000) + `"}`
		s.requests(ctx, 12, given, func(p *project) [][]byte {
			return [][]byte{s.bench.controlRequest("PATCH", manage.Path("projects", p.Ref, "config", "auth"), body)}
		})
	}},
	{name: "json", hostile: 1, run: func(ctx context.Context, s *siege) {
		bombs := []string{
			strings.Repeat(`{"a":`, 150_000) + "1" + strings.Repeat("}", 150_000),
			"[" + strings.Repeat("1,", 450_000) + "1]",
			"[" + strings.Repeat(`"\u0001",`, 90_000) + `1]`,
			`"` + strings.Repeat(`\ud83d\ude00`, 70_000) + `"`,
			strings.Repeat(`{"`+strings.Repeat("k", 90)+`":`, 9_000) + "1" + strings.Repeat("}", 9_000),
		}
		s.requests(ctx, 16, given, func(p *project) (requests [][]byte) {
			for i, bomb := range bombs {
				body := fmt.Sprintf(`{"email":"bomb%d@example.com","password":%q,"data":{"x":%s}}`, i, password, bomb)
				requests = append(requests, s.bench.request(p, "POST", "/signup", body))
			}
			return requests
		})
	}},
	// Databases that are to be migrated, and whose owners hold locks there. Some
	// of the others are to be migrated too.
	{
		name: "upgrades", hostile: 6,
		prepare: func(ctx context.Context, s *siege) error {
			return s.setBack(ctx, s.hostile)
		},
		run: func(ctx context.Context, s *siege) {
			_ = s.setBack(ctx, s.light.cold)
			together(
				func() {
					s.owners(ctx, 2, "BEGIN", "SELECT count(*) FROM auth.users", "SELECT count(*) FROM auth.sessions", held)
				},
				func() { s.requests(ctx, 4, "sign-up", nil) },
			)
		},
	},
	// Everything that an owner may compute and write.
	{name: "queries", hostile: 1, run: func(ctx context.Context, s *siege) {
		together(
			func() { s.owners(ctx, 5, "SELECT count(*) FROM generate_series(1, 1000000000)") },
			func() {
				s.owners(ctx, 3, "CREATE TABLE IF NOT EXISTS public.heap (t text)",
					"INSERT INTO public.heap SELECT repeat('x', 1000) FROM generate_series(1, 50000)", "TRUNCATE public.heap")
			},
		)
	}},
}

func catalogLocks(read, locked string) func(context.Context, *siege) {
	return func(ctx context.Context, s *siege) {
		together(
			func() { s.owners(ctx, 5, "BEGIN", "SELECT count(*) FROM "+read, held) },
			func() { s.owners(ctx, 5, "CREATE RULE r AS ON INSERT TO "+locked+" DO ALSO NOTHING") },
		)
	}
}

// onUsers adds a trigger to auth.users of every hostile project.
func (s *siege) onUsers(ctx context.Context, body string) error {
	for i := range s.hostile {
		if err := s.hostile[i].exec(ctx,
			"CREATE FUNCTION public.hostile() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN "+body+" RETURN NEW; END $f$",
			"CREATE TRIGGER hostile AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.hostile()"); err != nil {
			return err
		}
	}
	return nil
}

// asAuth connects n times as the auth role of each hostile project, with the
// password that its trigger set.
func (s *siege) asAuth(ctx context.Context, n int, statements ...string) {
	var parts []func()
	for _, p := range s.hostile {
		config, err := pgx.ParseConfig(p.DatabaseURL)
		if err != nil {
			continue
		}
		url := fmt.Sprintf("postgres://%s:stolen@%s:%d/%s", tenants.Ref(p.Ref).AuthRole(), config.Host, config.Port, config.Database)
		for range n {
			parts = append(parts, func() { repeat(ctx, url, statements...) })
		}
	}
	together(parts...)
}

// setBack makes Reeve migrate the projects' databases at their next requests.
func (s *siege) setBack(ctx context.Context, projects []project) error {
	var refs []string
	for _, p := range projects {
		refs = append(refs, p.Ref)
	}
	return s.bench.pg.with(ctx, control, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, `UPDATE databases SET schema_version = schema_version - 1 WHERE ref = ANY ($1)`, refs)
		return err
	})
}

//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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
	{name: "lock-pg_database", hostile: 1, run: catalogLocks("pg_database", "pg_catalog.pg_database"), state: heldAndAwaited("l.relation = 1262")},
	{name: "lock-pg_authid", hostile: 1, run: catalogLocks("pg_roles", "pg_catalog.pg_authid"), state: heldAndAwaited("l.relation = 1260")},
	// The same for one database of somebody else.
	{name: "lock-a-database", hostile: 1, state: heldAndAwaited("l.locktype = 'object' AND l.classid = 1262"), run: func(ctx context.Context, s *siege) {
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
	{name: "shared-role", hostile: 2, state: "SELECT bool_or(l.relation = 2964 AND l.mode = 'RowExclusiveLock') FROM l", run: func(ctx context.Context, s *siege) {
		together(
			func() { s.owners(ctx, 2, "BEGIN", "SET ROLE anon", "ALTER ROLE anon SET statement_timeout = 1", held) },
			func() { s.owners(ctx, 2, "SET ROLE anon", "ALTER ROLE anon SET default_transaction_read_only = on") },
		)
	}},
	// A session that listens and is never idle holds back the queue.
	{name: "notify-queue", hostile: 2, state: "SELECT pg_notification_queue_usage() > 0.02", run: func(ctx context.Context, s *siege) {
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
	{name: "lock-table", hostile: 1, state: "SELECT count(*) > " + siegeConnections + " * " + siegeLocks + " / 8 FROM l", run: func(ctx context.Context, s *siege) {
		together(
			func() { s.owners(ctx, 5, "BEGIN", advisoryLocks(40_000), held) },
			func() { s.owners(ctx, 5, "BEGIN", advisoryLocks(1_000_000)) },
		)
	}},
	// Connections of the owners and, by a trigger that sets their passwords, of
	// the auth roles.
	{
		name: "connections", hostile: 12, prepare: stealAuth,
		state: "SELECT count(*) > 0.8 * " + siegeConnections + " FROM s WHERE usesysid IS NOT NULL",
		run:   func(ctx context.Context, s *siege) { s.everySession(ctx, held) },
	},
	// Triggers that sleep in Reeve's connections, and that use the processor.
	{
		name: "trigger-sleeps", hostile: 5, state: "SELECT count(*) > 5 FROM a WHERE wait_event = 'PgSleep'",
		prepare: func(ctx context.Context, s *siege) error { return s.onUsers(ctx, "PERFORM pg_sleep(600);") },
		run:     func(ctx context.Context, s *siege) { s.requests(ctx, 64, "sign-up", nil) },
	},
	{
		name: "trigger-burns", hostile: 1, state: computing(2),
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
		state: `SELECT count(*) > 0 FROM s WHERE s.datid IN (SELECT datid FROM a) AND s.pid NOT IN (SELECT pid FROM a)
			AND EXISTS (SELECT FROM a WHERE a.pid = ANY (pg_blocking_pids(s.pid)))`,
		prepare: func(ctx context.Context, s *siege) error {
			return errors.Join(s.setBack(ctx, s.hostile), s.takeUsers(ctx))
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
	{name: "queries", hostile: 1, state: computing(3), run: func(ctx context.Context, s *siege) {
		together(
			func() { s.owners(ctx, 5, "SELECT count(*) FROM generate_series(1, 1000000000)") },
			func() {
				s.owners(ctx, 3, "CREATE TABLE IF NOT EXISTS public.heap (t text)",
					"INSERT INTO public.heap SELECT repeat('x', 1000) FROM generate_series(1, 50000)", "TRUNCATE public.heap")
			},
		)
	}},
	// All sessions that a project can have compute: in statements that never end,
	// in short ones, in those that catch a cancel, in those that check for none,
	// and in parallel workers.
	busy("processor", "DO $$ BEGIN LOOP NULL; END LOOP; END $$"),
	busy("processor-short", "SELECT count(*) FROM generate_series(1, 200000)"),
	busy("processor-caught", "DO $$ BEGIN LOOP BEGIN LOOP NULL; END LOOP; EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"),
	busy("processor-uninterrupted", uninterrupted(2)),
	busy("processor-planning", "SET join_collapse_limit = 100; SET from_collapse_limit = 100; SET geqo = off", joins(12)),
	{name: "parallel", hostile: 1, state: "SELECT count(*) > 5 FROM a WHERE backend_type = 'parallel worker'", run: func(ctx context.Context, s *siege) {
		s.owners(ctx, 10, "CREATE TABLE IF NOT EXISTS public.big AS SELECT i FROM generate_series(1, 200000) AS i",
			"ALTER TABLE public.big SET (parallel_workers = 64); SET max_parallel_workers_per_gather = 64; SET parallel_setup_cost = 0",
			"SELECT count(*) FROM public.big a WHERE (SELECT count(*) FROM generate_series(1, 1000)) + a.i > 0 AND md5(repeat(a.i::text, 1000)) <> ''")
	}},
	// A session that cannot be ended keeps its role's row locked, so that the role's
	// login cannot be suspended, while others of the project lock a catalog.
	{
		name: "unstoppable", hostile: 1, state: heldAndAwaited("l.relation = 1262"),
		run: func(ctx context.Context, s *siege) {
			together(
				func() {
					s.owners(ctx, 1, "BEGIN", "ALTER ROLE CURRENT_USER PASSWORD "+s.ownerPassword(), uninterrupted(10))
				},
				func() { catalogLocks("pg_database", "pg_catalog.pg_database")(ctx, s) },
			)
		},
	},
	{name: "memory", hostile: 1, state: computing(2), prepare: stealAuth, run: func(ctx context.Context, s *siege) {
		s.everySession(ctx, "SET work_mem = '64MB'; SET hash_mem_multiplier = 2",
			"SELECT count(*) FROM (SELECT i, repeat('x', 100) FROM generate_series(1, 3000000) AS i GROUP BY 1) g")
	}},
}

// uninterrupted computes for that many seconds, about, without checking for
// interrupts.
func uninterrupted(seconds int) string {
	return fmt.Sprintf("SELECT strpos(repeat('a', 1000000), 'b' || repeat('a', %d))", 2_500*seconds)
}

// advisoryLocks takes n places of the lock table, and keeps them in a transaction.
func advisoryLocks(n int) string {
	return fmt.Sprintf("DO $$ BEGIN FOR i IN 1..%d LOOP PERFORM pg_advisory_xact_lock(pg_backend_pid(), i); END LOOP; END $$", n)
}

// joins takes seconds to plan.
func joins(n int) string {
	from, where := "pg_class t0", "true"
	for i := range n {
		from += fmt.Sprintf(", pg_class t%d", i+1)
		where += fmt.Sprintf(" AND t%d.oid = t%d.oid", i, i+1)
	}
	return "EXPLAIN SELECT FROM " + from + " WHERE " + where
}

// heldAndAwaited is the state of one hostile session that has a lock, and one that
// holds or awaits the strongest one.
func heldAndAwaited(lock string) string {
	return "SELECT bool_or(l.mode = 'AccessExclusiveLock') AND bool_or(l.granted AND l.mode <> 'AccessExclusiveLock') FROM l WHERE l.database = 0 AND " + lock
}

// computing is the state of more than n hostile sessions that compute.
func computing(n int) string {
	return fmt.Sprintf("SELECT count(*) > %d FROM a WHERE state = 'active' AND wait_event IS NULL", n)
}

// busy is the attack of a project all of whose sessions compute.
func busy(name string, statements ...string) attack {
	return attack{
		name: name, hostile: 1, prepare: stealAuth, state: computing(14),
		run: func(ctx context.Context, s *siege) { s.everySession(ctx, statements...) },
	}
}

// stealAuth sets the password of each hostile project's auth role, by a trigger.
func stealAuth(ctx context.Context, s *siege) error {
	if err := s.onUsers(ctx, "EXECUTE format('ALTER ROLE %I PASSWORD %L', current_user, 'stolen');"); err != nil {
		return err
	}
	c, err := dial(s.bench.addr, time.Now().Add(time.Minute))
	if err != nil {
		return err
	}
	defer func() { _ = c.net.Close() }()
	for i := range s.hostile {
		if _, err := good(c.do(s.bench.signUpRequest(&s.hostile[i], "stolen@example.com"))); err != nil {
			return err
		}
	}
	return nil
}

// everySession runs the statements in all sessions that the hostile projects can
// have: ten of the owner, eight of the auth role.
func (s *siege) everySession(ctx context.Context, statements ...string) {
	together(
		func() { s.owners(ctx, 10, statements...) },
		func() { s.asAuth(ctx, 8, statements...) },
	)
}

// ownerPassword is a literal of the first hostile project's.
func (s *siege) ownerPassword() string {
	config, err := pgx.ParseConfig(s.hostile[0].DatabaseURL)
	if err != nil {
		return "NULL"
	}
	return "'" + strings.ReplaceAll(config.Password, "'", "''") + "'"
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
		config.User, config.Password = tenants.Ref(p.Ref).AuthRole(), "stolen"
		for range n {
			parts = append(parts, func() { repeat(ctx, config, statements...) })
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

// takeUsers makes the next migration of the hostile projects' databases take the
// strongest lock on auth.users: to give it back to the auth role.
func (s *siege) takeUsers(ctx context.Context) error {
	for _, p := range s.hostile {
		err := s.bench.pg.with(ctx, tenants.Ref(p.Ref).Database(), func(c *pgx.Conn) error {
			_, err := c.Exec(ctx, "ALTER TABLE auth.users OWNER TO CURRENT_USER")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

package migrations_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// attempts are a developer's attempts in a trigger with the auth role's rights.
// Each must end in insufficient_privilege.
var attempts = map[string]string{
	"read the outbox":              `SELECT count(*) FROM reeve.outbox`,
	"read the capability":          `SELECT hash FROM reeve.capability`,
	"read the versions":            `SELECT * FROM reeve.goose_db_version`,
	"insert":                       `INSERT INTO reeve.outbox (id, kind, payload) VALUES (gen_random_uuid(), 'x', 'x')`,
	"update":                       `UPDATE reeve.outbox SET payload = 'x'`,
	"delete":                       `DELETE FROM reeve.outbox`,
	"truncate":                     `TRUNCATE reeve.outbox`,
	"lock":                         `LOCK TABLE reeve.capability`,
	"copy":                         `COPY reeve.outbox TO PROGRAM 'cat'`,
	"add without capability":       `SELECT reeve.outbox_add('', gen_random_uuid(), 'x', 'x')`,
	"add with null":                `SELECT reeve.outbox_add(NULL, gen_random_uuid(), 'x', 'x')`,
	"claim":                        `SELECT * FROM reeve.outbox_claim('guess', 10, '1 hour')`,
	"done":                         `SELECT reeve.outbox_done('guess', gen_random_uuid())`,
	"retry":                        `SELECT reeve.outbox_retry('guess', gen_random_uuid(), 'x', '1 hour')`,
	"release":                      `SELECT reeve.outbox_release('guess', gen_random_uuid(), '1 hour')`,
	"tidy":                         `SELECT reeve.outbox_tidy('guess', '0', 10)`,
	"dead":                         `SELECT reeve.outbox_dead('guess', gen_random_uuid(), 'x')`,
	"pending":                      `SELECT * FROM reeve.outbox_pending('guess')`,
	"claim a kind":                 `SELECT * FROM reeve.outbox_claim_kind('guess', 'email', 10, '1 hour')`,
	"pending of a kind":            `SELECT * FROM reeve.outbox_pending_kind('guess', 'email')`,
	"read the sign-ups":            `SELECT * FROM reeve.signup`,
	"forge a sign-up":              `INSERT INTO reeve.unconfirmed_user VALUES (gen_random_uuid(), false, now(), now())`,
	"begin a sign-up":              `SELECT reeve.signup_first('guess', gen_random_uuid(), now())`,
	"add a sign-up":                `SELECT reeve.signup_add('guess', gen_random_uuid(), gen_random_uuid(), 'a', 'b', false, 'c', NULL, NULL, NULL, now())`,
	"state of sign-ups":            `SELECT * FROM reeve.signup_state('guess', gen_random_uuid())`,
	"find a sign-up":               `SELECT * FROM reeve.signup_find('guess', 'b')`,
	"codes of sign-ups":            `SELECT * FROM reeve.signup_codes('guess', 'a', now(), 5)`,
	"take a sign-up":               `SELECT reeve.signup_take('guess', gen_random_uuid())`,
	"end sign-ups":                 `SELECT reeve.signup_end('guess', ARRAY[gen_random_uuid()])`,
	"tidy sign-ups":                `SELECT reeve.signup_tidy('guess', now(), 5)`,
	"check sign-ups":               `SELECT reeve.signup_check('guess', now(), now(), 5)`,
	"read refreshes":               `SELECT * FROM reeve.session_rotation`,
	"insert and read refreshes":    `INSERT INTO reeve.session_rotation (session_id, at, client, mac) VALUES (gen_random_uuid(), now(), '', '') RETURNING mac`,
	"insert lasting refreshes":     `INSERT INTO reeve.session_rotation (session_id, at, client, mac, stored_at) VALUES (gen_random_uuid(), now(), '', '', 'infinity')`,
	"change refreshes":             `UPDATE reeve.session_rotation SET client = ''`,
	"delete refreshes":             `DELETE FROM reeve.session_rotation`,
	"lock refreshes":               `LOCK TABLE reeve.session_rotation IN SHARE MODE`,
	"list refreshes":               `SELECT * FROM reeve.session_rotations('guess', ARRAY[gen_random_uuid()], 5)`,
	"tidy refreshes":               `SELECT reeve.session_rotation_tidy('guess', 'infinity', 5)`,
	"set the capability":           `SELECT reeve.set_capability(sha256('x'))`,
	"check guesses":                `SELECT reeve.require_capability('guess')`,
	"adopt":                        `SELECT reeve.adopt('a', 'b', 'c')`,
	"create in reeve":              `CREATE FUNCTION reeve.evil() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
	"overload a function":          `CREATE FUNCTION reeve.outbox_add(a text, b uuid, c text, d text) RETURNS void LANGUAGE sql AS ''`,
	"alter a function":             `ALTER FUNCTION reeve.outbox_pending RESET search_path`,
	"drop a function":              `DROP FUNCTION reeve.require_capability`,
	"trigger on the outbox":        `CREATE TRIGGER t BEFORE INSERT ON reeve.outbox EXECUTE FUNCTION public.probe()`,
	"policy on the outbox":         `CREATE POLICY p ON reeve.outbox USING (true)`,
	"through a view":               `CREATE VIEW auth.peek AS SELECT * FROM reeve.outbox; SELECT * FROM auth.peek`,
	"through a definer function":   `CREATE FUNCTION auth.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM reeve.outbox'; SELECT auth.peek()`,
	"through a definer's call":     `CREATE FUNCTION auth.put() RETURNS void LANGUAGE sql SECURITY DEFINER AS $f$SELECT reeve.outbox_add('guess', gen_random_uuid(), 'x', 'x')$f$; SELECT auth.put()`,
	"through a foreign key":        `CREATE TABLE auth.copy (id uuid REFERENCES reeve.outbox)`,
	"through inheritance":          `CREATE TABLE auth.child () INHERITS (reeve.outbox)`,
	"after reset role":             `RESET ROLE; SELECT * FROM reeve.outbox`,
	"after reset authorization":    `RESET SESSION AUTHORIZATION; SELECT * FROM reeve.outbox`,
	"become a superuser":           `ALTER ROLE CURRENT_USER SUPERUSER`,
	"create roles":                 `CREATE ROLE intruder`,
	"plant temporary tables":       `CREATE TEMPORARY TABLE capability (hash bytea)`,
	"own functions over sha256":    `CREATE FUNCTION auth.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT hash FROM reeve.capability'; SET LOCAL search_path = auth, pg_catalog; SELECT reeve.outbox_pending('guess')`,
	"own operator over equals":     `CREATE FUNCTION auth.yes(bytea, bytea) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE OPERATOR auth.= (leftarg = bytea, rightarg = bytea, function = auth.yes); SET LOCAL search_path = auth, pg_catalog; SELECT reeve.outbox_pending('guess')`,
	"run programs":                 `COPY (SELECT 1) TO PROGRAM 'cat'`,
	"read server files":            `SELECT pg_read_file('PG_VERSION')`,
	"connect back from the inside": `CREATE EXTENSION dblink WITH SCHEMA auth`,
}

func TestTriggerWithAuthRightsCannotTouchReeve(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner, auth, admin := p.as(t, p.owner), p.as(t, p.auth), p.admin(t)
	auth.exec("SELECT reeve.outbox_add($1, $2, 'mail', 'sealed')", p.capability, uuid.New())
	before := admin.text("SELECT (o, c)::text FROM reeve.outbox o, reeve.capability c")

	owner.exec(`
		CREATE TABLE public.attempts (name text PRIMARY KEY, statement text, outcome text, ran_as text);
		CREATE FUNCTION public.probe() RETURNS trigger LANGUAGE plpgsql AS $$
		DECLARE a record;
		BEGIN
			FOR a IN SELECT name, statement FROM public.attempts LOOP
				BEGIN
					EXECUTE a.statement;
					UPDATE public.attempts SET outcome = 'done', ran_as = current_user WHERE name = a.name;
				EXCEPTION WHEN OTHERS THEN
					UPDATE public.attempts SET outcome = SQLSTATE, ran_as = current_user WHERE name = a.name;
				END;
			END LOOP;
			RETURN new;
		END $$;
		CREATE TRIGGER probe BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.probe();`)
	owner.exec("GRANT ALL ON public.attempts TO " + p.auth)
	for name, statement := range attempts {
		owner.exec("INSERT INTO public.attempts VALUES ($1, $2)", name, statement)
	}
	owner.exec("INSERT INTO public.attempts VALUES ('become the owner', $1), ('become service_role', 'SET ROLE service_role')", "SET ROLE "+p.owner)
	auth.newUser("ann@example.com")

	rows, err := owner.conn.Query(t.Context(), "SELECT name, coalesce(outcome, ''), coalesce(ran_as, '') FROM public.attempts")
	if err != nil {
		t.Fatal(err)
	}
	var name, outcome, ranAs string
	if _, err := pgx.ForEachRow(rows, []any{&name, &outcome, &ranAs}, func() error {
		if outcome != denied || ranAs != p.auth {
			t.Errorf("%s: %s as %s, want %s as %s", name, outcome, ranAs, denied, p.auth)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if after := admin.text("SELECT (o, c)::text FROM reeve.outbox o, reeve.capability c"); after != before {
		t.Errorf("schema reeve changed from %s to %s", before, after)
	}
}

// A grant that the auth role passes on must have no effect.
func TestAuthRoleCannotPassRightsOn(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	auth := p.as(t, p.auth)
	for _, query := range []string{
		"GRANT USAGE ON SCHEMA reeve TO " + p.owner,
		"GRANT ALL ON ALL TABLES IN SCHEMA reeve TO " + p.owner,
		"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA reeve TO " + p.owner,
	} {
		_, _ = auth.conn.Exec(t.Context(), query) // a warning or an error: only the effect counts
	}
	owner := p.as(t, p.owner)
	owner.refused(denied, "SELECT * FROM reeve.outbox")
	owner.refused(denied, "SELECT reeve.outbox_pending('x')")
}

// A trigger can replace the prepared statements of its session. The capability
// is sent in an unnamed statement, which it cannot replace.
func TestCapabilitySurvivesReplacedStatements(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	owner, auth := p.as(t, p.owner), p.as(t, p.auth)
	owner.exec(`
		CREATE TABLE public.loot (cap text);
		CREATE FUNCTION public.hijack() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM set_config('log_parameter_max_length_on_error', '-1', false);
			PERFORM set_config('search_path', 'auth, public, pg_catalog', false);
			EXECUTE 'DEALLOCATE ALL';
			EXECUTE format('PREPARE %I (text, uuid, text, bytea) AS INSERT INTO public.loot VALUES ($1)', tg_argv[0]);
			RETURN new;
		END $$;`)
	owner.exec("GRANT INSERT ON public.loot TO " + p.auth)
	const add = "SELECT reeve.outbox_add($1, $2, $3, $4)"
	auth.exec("BEGIN")
	auth.exec(add, p.capability, uuid.New(), "mail", []byte("sealed")) // named: this is pgx's default
	auth.exec("ROLLBACK")
	name := auth.text("SELECT name FROM pg_prepared_statements WHERE statement = $1", add)
	owner.exec("CREATE TRIGGER hijack AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.hijack('" + name + "')")

	auth.newUser("ann@example.com")
	if _, err := auth.conn.Exec(t.Context(), add, pgx.QueryExecModeCacheDescribe, p.capability, uuid.New(), "mail", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	if n := owner.count("SELECT count(*) FROM public.loot"); n != 0 {
		t.Errorf("the trigger got the capability %d times", n)
	}
	if n := p.admin(t).count("SELECT count(*) FROM reeve.outbox"); n != 1 {
		t.Errorf("%d messages in the outbox, want 1", n)
	}
}

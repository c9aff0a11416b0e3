package tenantdb_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// A failing trigger of the developer's is not the client's fault: the answer
// shows nothing of it. The log has project, request, function, message and
// SQLSTATE, but not the statement's parameters, even where the server reports
// them.
func TestFailingTrigger(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true }), context.Background()
	f.A.Exec(t, `ALTER DATABASE `+f.A.Tenant().Ref.Database()+` SET log_parameter_max_length_on_error = -1`)
	f.A.ExecAsOwner(t, `CREATE TABLE profiles (id uuid REFERENCES auth.users, nick varchar(3), CONSTRAINT users_email_partial_key UNIQUE (nick));
		INSERT INTO profiles VALUES (NULL, 'abc')`)
	for name, c := range map[string]struct {
		body, code string
		timing     string
	}{
		"raises":               {body: `RAISE EXCEPTION 'top secret'`, code: "P0001"},
		"pretends a duplicate": {body: `RAISE unique_violation USING SCHEMA = 'auth', CONSTRAINT = 'users_email_partial_key', MESSAGE = 'top secret'`, code: "23505"},
		"pretends a long text": {body: `RAISE string_data_right_truncation USING MESSAGE = 'top secret'`, code: "22001"},
		"text too long":        {body: `INSERT INTO public.profiles VALUES (NEW.id, 'abcd')`, code: "22001"},
		"duplicate of its own": {body: `INSERT INTO public.profiles VALUES (NEW.id, 'abc')`, code: "23505"},
		"foreign key":          {body: `INSERT INTO public.profiles VALUES (gen_random_uuid(), 'new')`, code: "23503"},
		"no such table":        {body: `INSERT INTO public.nowhere VALUES (NEW.id)`, code: "42P01"},
		"no right":             {body: `DELETE FROM reeve.outbox`, code: "42501"},
		"at the commit":        {body: `RAISE EXCEPTION 'top secret'`, code: "P0001", timing: "deferred"},
	} {
		create := `CREATE TRIGGER trap AFTER INSERT ON auth.users`
		if c.timing != "" {
			create = `CREATE CONSTRAINT TRIGGER trap AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED`
		}
		f.A.ExecAsOwner(t, `CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN `+c.body+`; RETURN NEW; END $$;
			`+create+` FOR EACH ROW EXECUTE FUNCTION public.trap()`)
		err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, user(f, "ann@example.com")) })
		if !errors.Is(err, auth.ErrTriggerFailed) || fault.From(err).Kind != fault.Internal {
			t.Errorf("%s: %v", name, err)
		} else if told := err.Error(); !strings.Contains(told, "SQLSTATE "+c.code) || !strings.Contains(told, "function public.trap() line 1") && !strings.Contains(told, "function trap() line 1") {
			t.Errorf("%s: the log reads %v", name, err)
		}
		res := f.A.Do(t, "POST", "/signup", flowtest.M{"email": "ann@example.com", "password": "password123"}).WantError(500, "unexpected_failure")
		for _, secret := range []string{"secret", "trap", "SQLSTATE", "profiles", "nowhere"} {
			if strings.Contains(string(res.Raw), secret) {
				t.Errorf("%s: the client reads %s", name, res.Raw)
			}
		}
		log := f.Log.Take()
		for _, want := range []string{"project=" + string(f.A.Tenant().Ref), "request_id=" + res.Header.Get("X-Request-Id"), "SQLSTATE " + c.code, "trap() line 1"} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is not in the log: %s", name, want, log)
			}
		}
		for _, parameter := range []string{"ann@example.com", "$2a$", "parameters"} {
			if strings.Contains(log, parameter) {
				t.Errorf("%s: the log tells %q: %s", name, parameter, log)
			}
		}
		f.A.ExecAsOwner(t, `DROP FUNCTION public.trap() CASCADE`)
	}
	if n := f.A.Count(t, countUsers); n != 0 {
		t.Errorf("%d users", n)
	}
	f.A.SignUp(t, "ann@example.com", "password123") // without the trigger all is well
}

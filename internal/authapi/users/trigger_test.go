package users_test

import (
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

// mark is the body of a trigger that bans the user and adds to the metadata. %s
// is the user's id.
const (
	markNew   = `NEW.raw_app_meta_data := coalesce(NEW.raw_app_meta_data, '{}') || '{"role": "approver"}'; NEW.raw_user_meta_data := coalesce(NEW.raw_user_meta_data, '{}') || '{"tier": "gold"}'`
	markUser  = `UPDATE auth.users SET raw_app_meta_data = raw_app_meta_data || '{"role": "approver"}', raw_user_meta_data = raw_user_meta_data || '{"tier": "gold"}' WHERE id = `
	banNew    = `NEW.banned_until := now() + interval '100 days'`
	banUser   = `UPDATE auth.users SET banned_until = now() + interval '100 days' WHERE id = `
	roleUser  = `UPDATE auth.users SET role = 'editor' WHERE id = `
	inTrigger = ` AND NOT raw_app_meta_data ? 'role'`
)

// triggers are the tables and events on which a developer's SQL writes to a
// user during a flow.
var triggers = map[string]struct{ on, mark, ban string }{
	"users, before insert":   {"BEFORE INSERT ON auth.users", markNew, banNew},
	"users, after insert":    {"AFTER INSERT ON auth.users", markUser + "NEW.id", banUser + "NEW.id"},
	"identities":             {"AFTER INSERT OR UPDATE ON auth.identities", markUser + "NEW.user_id", banUser + "NEW.user_id"},
	"identities, before":     {"BEFORE INSERT OR UPDATE ON auth.identities", markUser + "NEW.user_id", banUser + "NEW.user_id"},
	"sessions":               {"AFTER INSERT ON auth.sessions", markUser + "NEW.user_id", banUser + "NEW.user_id"},
	"one-time tokens":        {"AFTER INSERT ON auth.one_time_tokens", markUser + "NEW.user_id", banUser + "NEW.user_id"},
	"audit":                  {"AFTER INSERT ON auth.audit_log_entries", markUser + "(NEW.payload->>'actor_id')::uuid", banUser + "(NEW.payload->>'actor_id')::uuid"},
	"users, before update":   {"BEFORE UPDATE ON auth.users", markNew, banNew},
	"users, after update":    {"AFTER UPDATE ON auth.users", markUser + "NEW.id" + inTrigger, banUser + "NEW.id AND banned_until IS NULL"},
	"users, at the commit":   {"CONSTRAINT AFTER INSERT OR UPDATE ON auth.users DEFERRABLE INITIALLY DEFERRED", markUser + "NEW.id" + inTrigger, banUser + "NEW.id AND banned_until IS NULL"},
	"a table of profiles":    {"AFTER INSERT ON auth.users", "INSERT INTO public.profiles VALUES (NEW.id)", ""},
	"sessions at the commit": {"CONSTRAINT AFTER INSERT ON auth.sessions DEFERRABLE INITIALLY DEFERRED", markUser + "NEW.user_id", banUser + "NEW.user_id"},
}

// plant creates a trigger in the project's database.
func plant(t *testing.T, p *flowtest.Project, on, body string) {
	t.Helper()
	p.ExecAsOwner(t, `CREATE TABLE IF NOT EXISTS profiles (id uuid);
		CREATE OR REPLACE FUNCTION public.on_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
			$$ BEGIN `+markUser+`NEW.id; RETURN NEW; END $$;
		CREATE OR REPLACE TRIGGER on_profile AFTER INSERT ON profiles FOR EACH ROW EXECUTE FUNCTION public.on_profile();
		CREATE FUNCTION public.planted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
			$$ BEGIN `+body+`; RETURN NEW; END $$;
		CREATE `+timing(on)+` FOR EACH ROW EXECUTE FUNCTION public.planted()`)
}

// forget removes users and trigger, and advances the clock, so that mails may
// be sent again.
func forget(t *testing.T, f *flowtest.Fixture, p *flowtest.Project) {
	t.Helper()
	p.Exec(t, `DROP FUNCTION IF EXISTS public.planted() CASCADE; DELETE FROM auth.users; DELETE FROM reeve.outbox`)
	f.Clock.Advance(time.Hour)
}

// timing puts the trigger's name where SQL wants it.
func timing(on string) string {
	const constraint = "CONSTRAINT "
	if len(on) > len(constraint) && on[:len(constraint)] == constraint {
		return "CONSTRAINT TRIGGER planted " + on[len(constraint):]
	}
	return "TRIGGER planted " + on
}

// flows are the ways to a session or to a user who must confirm. They return
// the response that shows the user, and whether it is a session.
var flows = map[string]struct {
	autoconfirm bool
	run         func(t *testing.T, p *flowtest.Project, planted func()) *flowtest.Response
	skip        map[string]bool // triggers that this flow does not fire
}{
	"sign-up": {true, func(t *testing.T, p *flowtest.Project, planted func()) *flowtest.Response {
		planted()
		return p.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123", "data": m{"n": 1}})
	}, map[string]bool{"one-time tokens": true}},
	"sign-in": {true, func(t *testing.T, p *flowtest.Project, planted func()) *flowtest.Response {
		p.SignUp(t, "ann@example.com", "password123")
		planted()
		return p.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"})
	}, map[string]bool{
		"users, before insert": true, "users, after insert": true, "identities": true, "identities, before": true,
		"one-time tokens": true, "a table of profiles": true,
	}},
	"confirmation": {false, func(t *testing.T, p *flowtest.Project, planted func()) *flowtest.Response {
		p.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).Want(200)
		token := p.LinkQuery(t, p.Mail(t, "ann@example.com")).Get("token")
		planted()
		return p.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": token})
	}, map[string]bool{
		"users, before insert": true, "users, after insert": true, "one-time tokens": true, "a table of profiles": true,
	}},
	"recovery": {false, func(t *testing.T, p *flowtest.Project, planted func()) *flowtest.Response {
		p.SignUp(t, "ann@example.com", "password123")
		p.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
		token := p.LinkQuery(t, p.Mail(t, "ann@example.com")).Get("token")
		planted()
		return p.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": token})
	}, map[string]bool{
		"users, before insert": true, "users, after insert": true, "identities": true, "identities, before": true,
		"one-time tokens": true, "a table of profiles": true,
	}},
	"invitation": {false, func(t *testing.T, p *flowtest.Project, planted func()) *flowtest.Response {
		p.Admin(t, "POST", "/invite", m{"email": "ann@example.com"}).Want(200)
		token := p.LinkQuery(t, p.Mail(t, "ann@example.com")).Get("token")
		planted()
		return p.Do(t, "POST", "/verify", m{"type": "invite", "token_hash": token})
	}, map[string]bool{
		"users, before insert": true, "users, after insert": true, "one-time tokens": true, "a table of profiles": true,
	}},
}

// A trigger's changes to a user stay, whatever flow runs around it, and the
// answer and the access token show them.
func TestTriggersWriteToUsers(t *testing.T) {
	t.Parallel()
	for flow, run := range flows {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = run.autoconfirm })
			for name, trigger := range triggers {
				if run.skip[name] {
					continue
				}
				forget(t, f, f.A)
				res := run.run(t, f.A, func() { plant(t, f.A, trigger.on, trigger.mark) })
				s := res.Session()
				for path, want := range map[string]string{"user.app_metadata.role": "approver", "user.app_metadata.provider": "email", "user.user_metadata.tier": "gold"} {
					if got := res.Get(path); got != want {
						t.Errorf("%s: the answer's %s is %q", name, path, got)
					}
				}
				if got := flowtest.One[string](t, f.A, `SELECT concat_ws(' ', raw_app_meta_data->>'role', raw_user_meta_data->>'tier', last_sign_in_at IS NOT NULL) FROM auth.users`); got != "approver gold t" {
					t.Errorf("%s: the row tells %q", name, got)
				}
				claims := flowtest.Claims(t, s.Access)
				if app, _ := claims["app_metadata"].(map[string]any); app["role"] != "approver" {
					t.Errorf("%s: the token says %v", name, claims)
				}
				if next := f.A.Refresh(t, s.Refresh).Want(200); next.Get("user.app_metadata.role") != "approver" {
					t.Errorf("%s: a refresh answers %s", name, next.Raw)
				}
			}
		})
	}
}

// A user that a trigger bans gets no session, and stays banned.
func TestTriggersBanUsers(t *testing.T) {
	t.Parallel()
	for flow, run := range flows {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = run.autoconfirm })
			for name, trigger := range triggers {
				if run.skip[name] || trigger.ban == "" {
					continue
				}
				forget(t, f, f.A)
				var before int
				res := run.run(t, f.A, func() {
					plant(t, f.A, trigger.on, trigger.ban)
					before = f.A.Count(t, "SELECT count(*) FROM auth.sessions")
				})
				if res.Status/100 != 4 || res.Get("error_code") != "user_banned" {
					t.Errorf("%s: %d %s", name, res.Status, res.Raw)
				}
				if n := f.A.Count(t, "SELECT count(*) FROM auth.users WHERE banned_until > now()"); n != 1 {
					t.Errorf("%s: the user is not banned", name)
				}
				if n := f.A.Count(t, "SELECT count(*) FROM auth.sessions"); n != before {
					t.Errorf("%s: %d sessions, want %d", name, n, before)
				}
			}
		})
	}
}

// Deferred triggers may rely on deferred foreign keys that refer to each other,
// as at a commit.
func TestDeferredTriggersWithDeferredKeys(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	f.A.ExecAsOwner(t, `CREATE TABLE teams (id uuid PRIMARY KEY, leader uuid NOT NULL);
		CREATE TABLE people (id uuid PRIMARY KEY REFERENCES auth.users, team uuid NOT NULL REFERENCES teams DEFERRABLE INITIALLY DEFERRED);
		ALTER TABLE teams ADD FOREIGN KEY (leader) REFERENCES people DEFERRABLE INITIALLY DEFERRED;
		CREATE FUNCTION public.join_team() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
		DECLARE team uuid := gen_random_uuid(); BEGIN
			INSERT INTO people VALUES (NEW.id, team); INSERT INTO teams VALUES (team, NEW.id);
			UPDATE auth.users SET raw_app_meta_data = raw_app_meta_data || '{"role": "leader"}' WHERE id = NEW.id; RETURN NEW;
		END $$;
		CREATE CONSTRAINT TRIGGER "join, now" AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.join_team()`)
	res := f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).Want(200)
	if res.Get("user.app_metadata.role") != "leader" || f.A.Count(t, "SELECT count(*) FROM public.people JOIN public.teams ON team = teams.id") != 1 {
		t.Errorf("%s", res.Raw)
	}
	f.A.ExecAsOwner(t, `ALTER TABLE teams ADD CONSTRAINT known FOREIGN KEY (id) REFERENCES people DEFERRABLE INITIALLY DEFERRED NOT VALID`)
	f.A.Do(t, "POST", "/signup", m{"email": "bob@example.com", "password": "password123"}).WantError(500, "unexpected_failure")
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 1 {
		t.Errorf("%d users after a key that nothing satisfies", n)
	}
	f.Log.Take()
}

// Deferred triggers are fired in schemas, too, that the auth role may not use.
func TestDeferredTriggersInAPrivateSchema(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	f.A.ExecAsOwner(t, `CREATE SCHEMA private; CREATE TABLE private.profiles (id uuid);
		CREATE FUNCTION private.ban() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN `+banUser+`NEW.id; RETURN NEW; END $$;
		CREATE CONSTRAINT TRIGGER ban AFTER INSERT ON private.profiles DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION private.ban()`)
	plant(t, f.A, "AFTER INSERT ON auth.users", `INSERT INTO private.profiles VALUES (NEW.id)`)
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).WantError(403, "user_banned")
}

// The identity has the address that a trigger made of the new one.
func TestTriggersRewriteAddresses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	plant(t, f.A, "BEFORE UPDATE ON auth.users", `NEW.email := replace(NEW.email, '+tag', '')`)
	f.A.Admin(t, "PUT", "/admin/users/"+ann.UserID, m{"email": "ann2+tag@example.com"}).Want(200)
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(u.email || ' ' || i.email, ', ' ORDER BY u.email) FROM auth.users u JOIN auth.identities i ON i.user_id = u.id`); got != "ann2@example.com ann2@example.com" {
		t.Errorf("users and identities %s", got)
	}
}

// A user can confirm an address although SQL has made the metadata larger than
// auth.MaxMetadata. The user can make the metadata smaller, but not larger.
func TestMetadataThatIsTooLarge(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	plant(t, f.A, "BEFORE INSERT ON auth.users", `NEW.raw_user_meta_data := NEW.raw_user_meta_data || jsonb_build_object('a', repeat('x', 15000), 'b', repeat('x', 15000))`)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	put := func(data m) *flowtest.Response {
		return f.A.Do(t, "PUT", "/user", m{"data": data}, flowtest.User(ann.Access))
	}
	put(m{"c": "more"}).WantError(400, "validation_failed")
	put(m{"a": nil, "c": "more"}).Want(200)
	put(m{"d": "more"}).Want(200)
}

// A refresh heeds what triggers write while it runs, as a sign-in does.
func TestTriggersAtRefresh(t *testing.T) {
	t.Parallel()
	const ann = ` WHERE email = 'ann@example.com'`
	for _, on := range []string{
		"AFTER UPDATE ON auth.sessions", "CONSTRAINT AFTER UPDATE ON auth.sessions DEFERRABLE INITIALLY DEFERRED",
		"BEFORE INSERT ON auth.audit_log_entries", "AFTER INSERT ON auth.audit_log_entries",
	} {
		t.Run(on, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
			refresh := func(body string) *flowtest.Response {
				forget(t, f, f.A)
				s := f.A.SignUp(t, "ann@example.com", "password123")
				plant(t, f.A, on, body)
				return f.A.Refresh(t, s.Refresh)
			}
			for body, code := range map[string]string{
				`UPDATE auth.users SET banned_until = 'infinity'` + ann + ` AND banned_until IS NULL`: "user_banned",
				`UPDATE auth.users SET deleted_at = now()` + ann + ` AND deleted_at IS NULL`:          "refresh_token_not_found",
				`UPDATE auth.users SET aud = 'elsewhere'` + ann + ` AND aud <> 'elsewhere'`:           "refresh_token_not_found",
				`DELETE FROM auth.users` + ann: "refresh_token_not_found",
				`DELETE FROM auth.sessions`:    "session_not_found",
				`RAISE EXCEPTION 'no'`:         "unexpected_failure",
			} {
				if res := refresh(body); res.Status < 400 || res.Get("error_code") != code {
					t.Errorf("%s: %d %s", body, res.Status, res.Raw)
				}
			}
			res := refresh(`UPDATE auth.users SET raw_app_meta_data = '{"role": "approver"}'` + ann + inTrigger).Want(200)
			if app, _ := flowtest.Claims(t, res.Get("access_token"))["app_metadata"].(m); app["role"] != "approver" {
				t.Errorf("the token says %v", app)
			}
			f.Log.Take() // of the failing trigger
		})
	}
}

// An unconfirmed user is shown as the triggers left them.
func TestTriggersWriteToUnconfirmedUsers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, name := range []string{"users, before insert", "users, after insert", "identities", "one-time tokens", "users, before update", "users, at the commit", "a table of profiles"} {
		forget(t, f, f.A)
		plant(t, f.A, triggers[name].on, triggers[name].mark)
		for path, ask := range map[string]func() *flowtest.Response{
			"sign-up": func() *flowtest.Response {
				return f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"})
			},
			"invitation": func() *flowtest.Response { return f.A.Admin(t, "POST", "/invite", m{"email": "bob@example.com"}) },
			"generate_link": func() *flowtest.Response {
				return f.A.Admin(t, "POST", "/admin/generate_link", m{"type": "signup", "email": "cid@example.com", "password": "password123"})
			},
		} {
			if res := ask().Want(200); res.Get("app_metadata.role") != "approver" || res.Get("user_metadata.tier") != "gold" {
				t.Errorf("%s by %s: %s", name, path, res.Raw)
			}
		}
	}
}

// Changes of an account write only their own columns.
func TestTriggersOnChanges(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	plant(t, f.A, "AFTER INSERT OR UPDATE OR DELETE ON auth.identities", markUser+"NEW.user_id; "+roleUser+"NEW.user_id")
	res := f.A.Admin(t, "PUT", "/admin/users/"+ann.UserID, m{"phone": "+4670000001", "email": "ann2@example.com", "user_metadata": m{"n": 1}}).Want(200)
	for path, want := range map[string]string{
		"app_metadata.role": "approver", "user_metadata.tier": "gold", "user_metadata.n": "1", "role": "editor", "email": "ann2@example.com", "phone": "4670000001",
	} {
		if got := res.Get(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	f.A.Exec(t, `UPDATE auth.users SET raw_user_meta_data = '{"kept": true}'`)
	res = f.A.Do(t, "PUT", "/user", m{"data": m{"mine": 1}, "password": "password456"}, flowtest.User(ann.Access)).Want(200)
	if res.Get("user_metadata.kept") != "true" || res.Get("user_metadata.mine") != "1" {
		t.Errorf("metadata %s", res.Raw)
	}
}

// A trigger that suppresses a row is the developer's fault, and reported as
// such.
func TestTriggersSuppressRows(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"users", "identities", "sessions"} {
		f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
		f.A.ExecAsOwner(t, `CREATE FUNCTION public.none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
			CREATE TRIGGER none BEFORE INSERT ON auth.`+table+` FOR EACH ROW EXECUTE FUNCTION public.none()`)
		f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).WantError(500, "unexpected_failure")
		if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
			t.Errorf("%s: %d users", table, n)
		}
		f.Log.Take()
	}
}

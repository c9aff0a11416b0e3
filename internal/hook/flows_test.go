package hook_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// function makes a hook's function in schema public, whose body is PL/pgSQL, as the
// developer, and its uri.
func function(t *testing.T, p *flowtest.Project, name, body string) (uri string) {
	t.Helper()
	p.ExecAsOwner(t, `CREATE OR REPLACE FUNCTION public.`+name+`(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $f$ `+body+` $f$`)
	return "pg-functions://postgres/public/" + name
}

// only is the one call since the last look.
func only(t *testing.T, f *flowtest.Fixture) hook.Call {
	t.Helper()
	calls := f.Calls.Take()
	if len(calls) != 1 {
		t.Fatalf("%d calls: %+v", len(calls), calls)
	}
	return calls[0]
}

// TestTokenFunctions: what becomes of a sign-in and of a refresh with a function that
// does not do as it should, in each mode. Nothing is half done.
func TestTokenFunctions(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	user(t, f.B, "ann@example.com")
	const point = setting.HookCustomAccessToken
	for name, c := range map[string]struct {
		body    string
		status  int
		code    string
		outcome hook.Outcome
	}{
		"refuses":         {`BEGIN RETURN '{"error":{"http_code":403,"message":"No entry"}}'; END`, 403, "unknown", hook.OutcomeRefused},
		"raises":          {`BEGIN RAISE EXCEPTION 'secret detail'; END`, 500, "unexpected_failure", hook.OutcomeFailed},
		"null":            {`BEGIN RETURN NULL; END`, 500, "unexpected_failure", hook.OutcomeFailed},
		"drops a claim":   {`BEGIN RETURN jsonb_build_object('claims', event->'claims' - 'role'); END`, 500, "unexpected_failure", hook.OutcomeFailed},
		"another user":    {`BEGIN RETURN jsonb_set(event, '{claims,sub}', to_jsonb(gen_random_uuid())); END`, 500, "unexpected_failure", hook.OutcomeFailed},
		"another project": {`BEGIN RETURN jsonb_set(event, '{claims,iss}', '"` + f.B.Tenant().Issuer() + `"'); END`, 500, "unexpected_failure", hook.OutcomeFailed},
		"huge":            {`BEGIN RETURN jsonb_build_object('claims', repeat('x', 300000)); END`, 422, "hook_payload_over_size_limit", hook.OutcomeFailed},
		"slow":            {`BEGIN PERFORM pg_sleep(20); RETURN event; END`, 422, "hook_timeout", hook.OutcomeTimeout},
		"becomes another": {`BEGIN EXECUTE 'SET ROLE anon'; RETURN event; END`, 500, "unexpected_failure", hook.OutcomeFailed},
		"writes, refuses": {`BEGIN UPDATE auth.users SET banned_until = 'infinity'; RETURN '{"error":{"message":"No"}}'; END`, 500, "unexpected_failure", hook.OutcomeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			f.A.Hook(t, point, "", setting.HookFailClosed, "")
			tokens := signIn(t, f.A, "ann@example.com").Want(200)
			sessions, counter := f.A.Count(t, `SELECT count(*) FROM auth.sessions`), f.A.Count(t, `SELECT sum(refresh_token_counter) FROM auth.sessions`)
			uri := function(t, f.A, "hook", c.body)
			f.Calls.Take()
			check := func(res *flowtest.Response) {
				t.Helper()
				res.WantError(c.status, c.code)
				if call := only(t, f); call.Outcome != c.outcome || call.Point != point || call.Ref != f.A.Tenant().Ref {
					t.Errorf("recorded %+v", call)
				}
				if strings.Contains(string(res.Raw), "secret") {
					t.Errorf("tells the client: %s", res.Raw)
				}
				if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != sessions {
					t.Errorf("%d sessions, there were %d", n, sessions)
				}
				if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE banned_until IS NOT NULL`); n != 0 {
					t.Error("what the function wrote stayed")
				}
			}
			f.A.Hook(t, point, uri, setting.HookFailClosed, "")
			check(signIn(t, f.A, "ann@example.com"))
			check(refresh(t, f.A, tokens.Get("refresh_token")))
			// An answer with wrong claims is found after the commit.
			rotated := f.A.Count(t, `SELECT sum(refresh_token_counter) FROM auth.sessions`) != counter
			if rotated != slices.Contains([]string{"another user", "another project", "huge"}, name) {
				t.Errorf("rotated: %v", rotated)
			}
			// The client's token is good all the same.
			f.A.Hook(t, point, "", setting.HookFailClosed, "")
			refresh(t, f.A, tokens.Get("refresh_token")).Want(200)

			f.A.Hook(t, point, uri, setting.HookFailOpen, "")
			res := signIn(t, f.A, "ann@example.com")
			if c.outcome == hook.OutcomeRefused {
				check(res)
			} else {
				res.Want(200)
				f.Calls.Take()
			}
			f.A.Hook(t, point, uri, setting.HookShadow, "")
			signIn(t, f.A, "ann@example.com").Want(200)
			if call := only(t, f); call.Outcome != c.outcome || call.Mode != setting.HookShadow {
				t.Errorf("recorded %+v", call)
			}
			signIn(t, f.B, "ann@example.com").Want(200)
			f.A.Exec(t, `UPDATE auth.users SET banned_until = NULL`)
		})
	}
}

// TestShadow: a hook in the shadow changes nothing, and is recorded.
func TestShadow(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	f.A.Hook(t, setting.HookCustomAccessToken, function(t, f.A, "hook", `BEGIN RETURN jsonb_set(event, '{claims,extra}', '1'); END`), setting.HookShadow, "")
	if got := claims(t, signIn(t, f.A, "ann@example.com").Want(200).Get("access_token")); got["extra"] != nil {
		t.Errorf("obeyed: %v", got)
	}
	if call := only(t, f); call.Outcome != hook.OutcomeOK {
		t.Errorf("recorded %+v", call)
	}
}

// TestHookCannotReadTheCapability: the function runs in the session that sends the
// capability; nothing that it can look at has it.
func TestHookCannotReadTheCapability(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	f.A.ExecAsOwner(t, `CREATE TABLE public.seen (what text); GRANT ALL ON public.seen TO supabase_auth_admin`)
	f.A.Hook(t, setting.HookCustomAccessToken, function(t, f.A, "hook", `DECLARE r record; BEGIN
		INSERT INTO public.seen SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid();
		INSERT INTO public.seen SELECT statement FROM pg_prepared_statements;
		INSERT INTO public.seen SELECT statement FROM pg_cursors;
		INSERT INTO public.seen SELECT setting FROM pg_settings;
		INSERT INTO public.seen VALUES (event::text);
		RETURN event; END`), setting.HookFailClosed, "")
	signIn(t, f.A, "ann@example.com").Want(200)
	capability := f.A.Tenant().Secrets.Capability
	if n := f.A.Count(t, `SELECT count(*) FROM public.seen WHERE what LIKE '%' || $1 || '%'`, capability); n != 0 {
		t.Error("the function saw the capability")
	}
	if n := f.A.Count(t, `SELECT count(*) FROM public.seen`); n < 100 {
		t.Errorf("it looked at %d things", n)
	}
	// What it leaves in the session breaks nothing that follows.
	f.A.Hook(t, setting.HookCustomAccessToken, function(t, f.A, "hook", `BEGIN
		PERFORM set_config('search_path', 'public', false), set_config('statement_timeout', '0', false), pg_advisory_lock_shared(1);
		EXECUTE 'LISTEN x';
		RETURN event; END`), setting.HookFailClosed, "")
	for range 3 {
		tokens := signIn(t, f.A, "ann@example.com").Want(200)
		refresh(t, f.A, tokens.Get("refresh_token")).Want(200)
	}
}

// TestUserHooks: a hook sees each new user, and one that it refuses is not there,
// whichever flow would create it.
func TestUserHooks(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.AnonymousUsers, c.MailerAutoconfirm = true, true })
	refuse := function(t, f.A, "refuse", `BEGIN RETURN '{"error":{"http_code":403,"message":"Not here"}}'; END`)
	fail := function(t, f.A, "fail", `BEGIN RAISE EXCEPTION 'x'; END`)
	f.A.ExecAsOwner(t, `CREATE TABLE public.seen (event jsonb, there boolean); GRANT ALL ON public.seen TO supabase_auth_admin`)
	note := function(t, f.A, "note", `BEGIN INSERT INTO public.seen
		SELECT event, EXISTS (SELECT FROM auth.users WHERE id = (event->'user'->>'id')::uuid); RETURN '{}'; END`)
	for name, try := range map[string]func(email string) *flowtest.Response{
		"sign-up": func(email string) *flowtest.Response {
			return f.A.Do(t, "POST", "/signup", flowtest.M{"email": email, "password": "password123"})
		},
		"anonymous": func(string) *flowtest.Response { return f.A.Do(t, "POST", "/signup", flowtest.M{}) },
		"otp":       func(email string) *flowtest.Response { return f.A.Do(t, "POST", "/otp", flowtest.M{"email": email}) },
		"invite": func(email string) *flowtest.Response {
			return f.A.Admin(t, "POST", "/invite", flowtest.M{"email": email})
		},
		"admin": func(email string) *flowtest.Response {
			return f.A.Admin(t, "POST", "/admin/users", flowtest.M{"email": email})
		},
		"link": func(email string) *flowtest.Response {
			return f.A.Admin(t, "POST", "/admin/generate_link", flowtest.M{"type": "signup", "email": email, "password": "password123"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, point := range []string{setting.HookBeforeUserCreated, setting.HookAfterUserCreated} {
				email := strings.ReplaceAll(name, " ", "") + "." + point + "@example.com"
				users := f.A.Count(t, `SELECT count(*) FROM auth.users`)
				mails := f.A.Count(t, `SELECT count(*) FROM reeve.outbox`)
				for _, c := range []struct {
					uri, mode string
					status    int
					code      string
				}{{refuse, setting.HookFailOpen, 403, "unknown"}, {fail, setting.HookFailClosed, 500, "unexpected_failure"}} {
					f.A.Hook(t, point, c.uri, c.mode, "")
					try(email).WantError(c.status, c.code)
					left := f.A.Count(t, `SELECT (SELECT count(*) FROM auth.users) + (SELECT count(*) FROM reeve.outbox)`)
					if left != users+mails {
						t.Errorf("%s: rows of the refused user stay", point)
					}
				}
				f.A.Hook(t, point, note, setting.HookFailClosed, "")
				f.A.Exec(t, `DELETE FROM public.seen`)
				if res := try(email); res.Status != 200 {
					t.Fatalf("%d %s", res.Status, res.Raw)
				}
				after := point == setting.HookAfterUserCreated
				if n := f.A.Count(t, `SELECT count(*) FROM public.seen WHERE there = $1 AND event->'metadata'->>'name' = $2
					AND event->'metadata'->>'ip_address' = '192.0.2.1' AND event->'user'->>'aud' = 'authenticated'
					AND coalesce(event->'user'->>'encrypted_password', '') = ''`,
					after, map[bool]string{false: "before-user-created", true: "after-user-created"}[after]); n != 1 {
					t.Errorf("%s saw %s", point, flowtest.One[string](t, f.A, `SELECT coalesce(string_agg(event::text, ' '), '') FROM public.seen`))
				}
				f.A.Hook(t, point, "", setting.HookFailClosed, "")
			}
		})
	}
	if n := f.B.Count(t, `SELECT count(*) FROM auth.users`); n != 0 {
		t.Errorf("%d users in the other project", n)
	}
}

// TestPasswordHook: the hook is told each comparison, its refusal stays even where the
// password is right, and what its function wrote stays too.
func TestPasswordHook(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	bob := user(t, f.A, "bob@example.com")
	f.A.ExecAsOwner(t, `CREATE TABLE public.failures (user_id uuid); GRANT ALL ON public.failures TO supabase_auth_admin`)
	tokens := signIn(t, f.A, "bob@example.com").Want(200)
	f.A.Hook(t, setting.HookPasswordVerification, function(t, f.A, "hook", `BEGIN
		IF (event->>'valid')::boolean AND (SELECT count(*) FROM public.failures) < 2 THEN RETURN '{"decision":"continue"}'; END IF;
		INSERT INTO public.failures VALUES ((event->>'user_id')::uuid);
		IF (SELECT count(*) FROM public.failures) < 2 THEN RETURN '{"decision":"continue"}'; END IF;
		RETURN '{"decision":"reject","message":"Too many tries","should_logout_user":true}'; END`), setting.HookFailClosed, "")
	wrong := func() *flowtest.Response {
		return f.A.Do(t, "POST", "/token?grant_type=password", flowtest.M{"email": "bob@example.com", "password": "wrong password"})
	}
	f.Calls.Take()
	if res := wrong().WantError(400, "invalid_credentials"); res.Get("msg") != "Invalid login credentials" {
		t.Errorf("%s", res.Raw)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions WHERE user_id = $1`, bob); n != 1 {
		t.Errorf("%d sessions", n)
	}
	if res := wrong().WantError(400, "invalid_credentials"); res.Get("msg") != "Too many tries" {
		t.Errorf("%s", res.Raw)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions WHERE user_id = $1`, bob); n != 0 {
		t.Errorf("%d sessions after should_logout_user", n)
	}
	refresh(t, f.A, tokens.Get("refresh_token")).WantError(400, "refresh_token_not_found")
	if res := signIn(t, f.A, "bob@example.com").WantError(400, "invalid_credentials"); res.Get("msg") != "Too many tries" {
		t.Errorf("the right password: %s", res.Raw)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM public.failures WHERE user_id = $1`, bob); n != 3 {
		t.Errorf("%d failures are written", n)
	}
	if n := len(f.Calls.Take()); n != 3 {
		t.Errorf("%d calls", n)
	}
	// Nobody's account has no hook.
	f.A.Do(t, "POST", "/token?grant_type=password", flowtest.M{"email": "nobody@example.com", "password": "password123"}).WantError(400, "invalid_credentials")
	if n := len(f.Calls.Take()); n != 0 {
		t.Errorf("%d calls for nobody", n)
	}
}

// TestRefreshStatements: a refresh is one statement without a hook, and with a function
// two round trips: the statement, and the function with the commit. So it is where the
// hook does not refuse by failing.
func TestRefreshStatements(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	user(t, f.A, "ann@example.com")
	f.A.Hook(t, setting.HookCustomAccessToken, function(t, f.A, "hook", `BEGIN RETURN jsonb_set(event, '{claims,n}', '1'); END`), setting.HookFailClosed, "")
	tokens := signIn(t, f.A, "ann@example.com").Want(200)
	next := func() (sent [][]string) {
		t.Helper()
		return f.A.Statements(func() {
			tokens = refresh(t, f.A, tokens.Get("refresh_token")).Want(200)
		})
	}
	next() // prepares
	for _, mode := range []string{setting.HookFailClosed, setting.HookFailOpen, setting.HookShadow} {
		f.A.Hook(t, setting.HookCustomAccessToken, function(t, f.A, "hook", `BEGIN RETURN jsonb_set(event, '{claims,n}', '1'); END`), mode, "")
		if sent := next(); len(sent) != 2 || (claims(t, tokens.Get("access_token"))["n"] == 1.0) == (mode == setting.HookShadow) {
			t.Errorf("%s: %d round trips: %q", mode, len(sent), sent)
		}
	}
	// What looks like a refusal and is none costs a second try, and nothing else.
	f.A.Hook(t, setting.HookCustomAccessToken, function(t, f.A, "hook", `BEGIN RETURN jsonb_set(event, '{claims,n}', '{"error":1}'); END`), setting.HookFailClosed, "")
	before := f.A.Count(t, `SELECT max(refresh_token_counter) FROM auth.sessions`)
	next()
	if n := f.A.Count(t, `SELECT max(refresh_token_counter) FROM auth.sessions`); n != before+1 || claims(t, tokens.Get("access_token"))["n"] == nil {
		t.Errorf("the counter went from %d to %d", before, n)
	}
	f.A.Hook(t, setting.HookCustomAccessToken, "", setting.HookFailClosed, "")
	if sent := next(); len(sent) != 1 || len(sent[0]) != 1 {
		t.Errorf("without a hook: %q", sent)
	}
}

// TestOptionalClaims: a project's tokens have the optional claims that it wants, the
// answers beside them have all of the user, and the token is good.
func TestOptionalClaims(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, p := range []*flowtest.Project{f.A, f.B} {
		p.Admin(t, "POST", "/admin/users", flowtest.M{"email": "ann@example.com", "password": "password123", "email_confirm": true, "user_metadata": flowtest.M{"name": "Ann"}}).Want(200)
	}
	for list, want := range map[string]string{
		"amr,app_metadata,user_metadata": "amr app_metadata user_metadata", "app_metadata": "app_metadata", "amr, user_metadata": "amr user_metadata", "": "",
	} {
		f.A.Configure(func(c *tenants.Config) { c.OptionalClaims = list })
		tokens := signIn(t, f.A, "ann@example.com").Want(200)
		for _, res := range []*flowtest.Response{tokens, refresh(t, f.A, tokens.Get("refresh_token")).Want(200)} {
			all, has := claims(t, res.Get("access_token")), ""
			for _, name := range []string{"amr", "app_metadata", "user_metadata"} {
				if _, ok := all[name]; ok {
					has += " " + name
				}
			}
			if strings.TrimSpace(has) != want || all["sub"] == nil || all["role"] != "authenticated" || all["aal"] != "aal1" || all["session_id"] == nil {
				t.Errorf("%q: %v", list, all)
			}
			if res.Get("user.user_metadata.name") != "Ann" {
				t.Errorf("%q: the answer has %s", list, res.Raw)
			}
			if got := f.A.Do(t, "GET", "/user", nil, flowtest.User(res.Get("access_token"))).Want(200); got.Get("user_metadata.name") != "Ann" {
				t.Errorf("%q: /user has %s", list, got.Raw)
			}
		}
	}
	if all := claims(t, signIn(t, f.B, "ann@example.com").Want(200).Get("access_token")); all["user_metadata"] == nil {
		t.Error("the other project's tokens changed")
	}
}

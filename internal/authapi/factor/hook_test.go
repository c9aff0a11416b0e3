package factor_test

import (
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// TestHook: a project's hook is told each code that was compared, before it has any
// effect. What it counts stays when it refuses, and a refusal ends the user's sessions.
func TestHook(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s, d := protected(t, f, f.A, ann)
	low := f.A.SignIn(t, ann, pass)
	other := f.B.SignUp(t, ann, pass)
	f.A.ExecAsOwner(t, `CREATE TABLE public.tries (valid boolean, kind text, factor uuid); GRANT ALL ON public.tries TO supabase_auth_admin;
		CREATE FUNCTION public.hook(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
			PERFORM FROM auth.sessions WHERE user_id = (event->>'user_id')::uuid FOR UPDATE;
			INSERT INTO public.tries VALUES ((event->>'valid')::boolean, event->>'factor_type', (event->>'factor_id')::uuid);
			IF (SELECT count(*) FROM public.tries) > 2 THEN RETURN '{"decision":"reject","message":"Slow down"}'; END IF;
			RETURN '{"decision":"continue"}'; END $$`)
	f.A.Hook(t, setting.HookMFAVerification, "pg-functions://postgres/public/hook", setting.HookFailClosed, "")
	verify(t, f.A, low.Access, d, challenge(t, f.A, low.Access, d), "000000").WantError(422, "mfa_verification_failed")
	verify(t, f.A, low.Access, d, challenge(t, f.A, low.Access, d), d.code(t, f, 0)).Want(200)
	f.Clock.Advance(time.Minute)
	c := challenge(t, f.A, s.Access, d)
	if res := verify(t, f.A, s.Access, d, c, d.code(t, f, 0)).WantError(403, "mfa_verification_rejected"); res.Get("msg") != "Slow down" {
		t.Errorf("%s", res.Raw)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 0 {
		t.Errorf("%d sessions of a user who was refused", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries WHERE kind = 'totp' AND factor = $1`, d.id); n != 3 {
		t.Errorf("%d tries are written", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries WHERE valid`); n != 2 {
		t.Errorf("%d of them valid", n)
	}
	// An answer to no challenge is no try.
	again := f.A.SignIn(t, ann, pass)
	verify(t, f.A, again.Access, d, c, "000000")
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries`); n > 4 {
		t.Errorf("%d tries", n)
	}
	f.B.Do(t, "GET", "/user", nil, flowtest.User(other.Access)).Want(200)
}

// TestHookOfKeys: the hook is told of keys as of codes, and a refused key raises nothing.
func TestHookOfKeys(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, keys)
	s := f.A.SignUp(t, ann, pass)
	k := enrollKey(t, f.A, s.Access)
	f.A.ExecAsOwner(t, `CREATE TABLE public.tries (valid boolean, kind text); GRANT ALL ON public.tries TO supabase_auth_admin;
		CREATE FUNCTION public.hook(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO public.tries VALUES ((event->>'valid')::boolean, event->>'factor_type');
			IF (SELECT count(*) FROM public.tries) > 1 THEN RETURN '{"decision":"reject","message":"Not you"}'; END IF;
			RETURN '{"decision":"continue"}'; END $$`)
	f.A.Hook(t, setting.HookMFAVerification, "pg-functions://postgres/public/hook", setting.HookFailClosed, "")
	s = k.prove(t, f.A, s.Access).Session()
	k.prove(t, f.A, s.Access).WantError(403, "mfa_verification_rejected")
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries WHERE valid AND kind = 'webauthn'`); n != 2 {
		t.Errorf("%d tries are written", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 0 {
		t.Errorf("%d sessions of a user who was refused", n)
	}
}

// TestHookRefusesWrongCodes: a code that a hook refuses because it is wrong counts as a
// guess, however the hook words it.
func TestHookRefusesWrongCodes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	_, d := protected(t, f, f.A, ann)
	f.A.ExecAsOwner(t, `CREATE FUNCTION public.hook(event jsonb) RETURNS jsonb LANGUAGE sql AS $$
			SELECT CASE WHEN (event->>'valid')::boolean THEN '{"decision":"continue"}'::jsonb ELSE '{"error":{"http_code":403,"message":"no"}}'::jsonb END $$;
		GRANT EXECUTE ON FUNCTION public.hook TO supabase_auth_admin`)
	f.A.Hook(t, setting.HookMFAVerification, "pg-functions://postgres/public/hook", setting.HookFailClosed, "")
	low := f.A.SignIn(t, ann, pass)
	c := challenge(t, f.A, low.Access, d)
	for range 5 {
		if res := verify(t, f.A, low.Access, d, c, "000000").Want(403); res.Get("msg") != "no" {
			t.Fatalf("%s", res.Raw)
		}
	}
	verify(t, f.A, low.Access, d, c, d.code(t, f, 0)).WantError(429, "over_request_rate_limit")
}

package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// active asks auth.session_active as an API server does for a policy.
func active(t *testing.T, p *flowtest.Project, access string) bool {
	t.Helper()
	claims := strings.Split(access, ".")[1]
	return flowtest.One[bool](t, p, `SELECT auth.session_active() FROM set_config('request.jwt.claims',
		convert_from(decode(rpad(translate($1, '-_', '+/'), (length($1) + 3) / 4 * 4, '='), 'base64'), 'UTF8'), false)`, claims)
}

// sessionID is the id of a session in its access token.
func sessionID(t *testing.T, s flowtest.Session) string {
	t.Helper()
	return flowtest.Claims(t, s.Access)["session_id"].(string)
}

// Whatever ends a session ends it at once for routes, policies and API servers, with a
// cause; the session of the same user that does not end, and that of the other project,
// go on.
func TestEnds(t *testing.T) {
	t.Parallel()
	const login, pass = "ann@example.com", "password123"
	for name, c := range map[string]struct {
		end    func(*testing.T, *flowtest.Fixture, flowtest.Session)
		cause  string
		other  bool // the user's other session ends too
		banned bool
	}{
		"signed out here": {cause: "signed_out", end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Do(t, "POST", "/logout?scope=local", nil, flowtest.User(s.Access)).Want(204)
		}},
		"signed out everywhere": {cause: "signed_out", other: true, end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Do(t, "POST", "/logout", nil, flowtest.User(s.Access)).Want(204)
		}},
		"ended by its user": {cause: "signed_out", end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Do(t, "DELETE", "/user/sessions/"+sessionID(t, s), nil, flowtest.User(s.Access)).Want(204)
		}},
		"ended by an admin": {cause: "admin", end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Admin(t, "DELETE", "/admin/users/"+s.UserID+"/sessions/"+sessionID(t, s), nil).Want(204)
		}},
		"all ended by an admin": {cause: "admin", other: true, end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			if res := f.A.Admin(t, "DELETE", "/admin/users/"+s.UserID+"/sessions", nil).Want(200); res.Get("ended") != "2" {
				t.Errorf("%s", res.Raw)
			}
		}},
		"signed out by an admin": {cause: "admin", end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Admin(t, "POST", "/admin/users/"+s.UserID+"/logout?scope=local&session_id="+sessionID(t, s), nil).Want(204)
		}},
		"signed out everywhere by an admin": {cause: "admin", other: true, end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Admin(t, "POST", "/admin/users/"+s.UserID+"/logout", nil).Want(204)
		}},
		"banned": {cause: "banned", other: true, banned: true, end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Admin(t, "PUT", "/admin/users/"+s.UserID, flowtest.M{"ban_duration": "1h"}).Want(200)
		}},
		"password changed by an admin": {cause: "password_changed", other: true, end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Admin(t, "PUT", "/admin/users/"+s.UserID, flowtest.M{"password": "password456"}).Want(200)
		}},
		"reuse": {cause: "reuse_detected", end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			next := f.A.Refresh(t, s.Refresh).Session()
			f.A.Refresh(t, next.Refresh).Want(200)
			f.Clock.Advance(time.Minute)
			f.A.Refresh(t, s.Refresh).WantError(400, "refresh_token_already_used")
		}},
		"SQL": {cause: "unknown", end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.ExecAsOwner(t, `DELETE FROM auth.sessions WHERE id = $1`, sessionID(t, s))
		}},
		"replaced": {cause: "replaced", end: func(t *testing.T, f *flowtest.Fixture, s flowtest.Session) {
			f.A.Configure(func(c *tenants.Config) { c.SessionsMaxPerUser = 2 })
			f.A.SignIn(t, login, pass)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
			s, b := f.A.SignUp(t, login, pass), f.B.SignUp(t, login, pass)
			f.Clock.Advance(time.Second)
			other := f.A.SignIn(t, login, pass)
			if !active(t, f.A, s.Access) || !active(t, f.B, b.Access) || active(t, f.B, s.Access) {
				t.Error("policies are not told which sessions there are")
			}
			c.end(t, f, s)
			code := "session_not_found"
			if c.banned {
				code = "user_banned"
			}
			f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(403, code)
			if active(t, f.A, s.Access) {
				t.Error("policies take the session for active")
			}
			if active(t, f.A, other.Access) == c.other {
				t.Errorf("the other session's end: %v, want %v", c.other, !c.other)
			}
			if res := f.A.Do(t, "GET", "/.well-known/revoked-sessions", nil).Want(200); !strings.Contains(string(res.Raw), sessionID(t, s)) ||
				strings.Contains(string(res.Raw), sessionID(t, other)) != c.other {
				t.Errorf("revoked: %s", res.Raw)
			}
			if res := f.B.Do(t, "GET", "/.well-known/revoked-sessions", nil).Want(200); strings.Contains(string(res.Raw), "-") {
				t.Errorf("the other project's: %s", res.Raw)
			}
			f.B.Refresh(t, b.Refresh).Want(200)
			var list struct {
				Ended []struct{ ID, Cause string }
			}
			f.A.Admin(t, "GET", "/admin/users/"+s.UserID+"/sessions", nil).Want(200).Decode(&list)
			if !slices.Contains(list.Ended, struct{ ID, Cause string }{sessionID(t, s), c.cause}) {
				t.Errorf("ended: %v, want %s", list.Ended, c.cause)
			}
		})
	}
}

// Limits and bans that SQL writes reach policies too; a token without a session, or with
// somebody else's, is not active.
func TestSessionActive(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	bob := f.A.SignUp(t, "bob@example.com", "password123")
	try := func(want bool, sql string) {
		t.Helper()
		f.A.Exec(t, sql)
		if active(t, f.A, s.Access) != want {
			t.Errorf("%s: active %v", sql, !want)
		}
	}
	try(true, `SELECT`)
	try(false, `UPDATE auth.users SET banned_until = now() + interval '1 hour'`)
	try(true, `UPDATE auth.users SET banned_until = now() - interval '1 second'`)
	try(false, `UPDATE auth.sessions SET not_after = now()`)
	try(true, `UPDATE auth.sessions SET not_after = now() + interval '1 hour'`)
	try(true, `INSERT INTO reeve.session_limits (timebox, inactivity) VALUES ('2 hours', '1 hour')`)
	try(false, `UPDATE auth.sessions SET created_at = now() - interval '61 minutes'`)
	try(true, `UPDATE auth.sessions SET refreshed_at = now() AT TIME ZONE 'utc'`)
	try(false, `UPDATE auth.sessions SET created_at = now() - interval '121 minutes'`)
	try(true, `UPDATE auth.sessions SET created_at = now()`)
	for _, claims := range []string{``, `{}`, `{"sub":"` + s.UserID + `"}`, `{"session_id":"` + sessionID(t, s) + `"}`,
		`{"sub":"` + bob.UserID + `","session_id":"` + sessionID(t, s) + `"}`} {
		if flowtest.One[bool](t, f.A, `SELECT auth.session_active() FROM set_config('request.jwt.claims', $1, false)`, claims) {
			t.Errorf("active with the claims %q", claims)
		}
	}
}

// The policy of the documentation opens with the session and closes with it.
func TestSessionActivePolicy(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.ExecAsOwner(t, `CREATE TABLE public.notes (id bigint GENERATED ALWAYS AS IDENTITY, user_id uuid DEFAULT auth.uid(), body text);
		ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY; GRANT SELECT ON public.notes TO authenticated;
		CREATE POLICY own ON public.notes FOR ALL TO authenticated
			USING (user_id = (SELECT auth.uid()) AND (SELECT auth.session_active()))`)
	f.A.Exec(t, `INSERT INTO public.notes (user_id, body) VALUES ($1, 'x')`, s.UserID)
	read := func(want string) {
		t.Helper()
		sql := `SET ROLE authenticated; SELECT set_config('request.jwt.claims', '{"sub":"` + s.UserID + `","session_id":"` + sessionID(t, s) + `"}', false);
			DO $$ BEGIN IF (SELECT count(*) FROM public.notes) <> ` + want + ` THEN RAISE 'other rows'; END IF; END $$`
		if err := f.A.TryAs(t, f.A.Tenant().Ref.APIRole(), sql); err != nil {
			t.Errorf("want %s rows: %v", want, err)
		}
	}
	read("1")
	f.A.Do(t, "POST", "/logout", nil, flowtest.User(s.Access)).Want(204)
	read("0")
}

// A used token that comes again is kept with who presented it and who rotated the
// session before, whether it was answered or ended the session; ordinary rotations are
// not.
func TestOddRefreshes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	first := f.A.SignUp(t, "ann@example.com", "password123")
	f.B.SignUp(t, "ann@example.com", "password123")
	refresh := func(token, ip, agent string, status int) string {
		t.Helper()
		return f.A.Do(t, "POST", "/token?grant_type=refresh_token", flowtest.M{"refresh_token": token},
			flowtest.From(ip), flowtest.Header("User-Agent", agent)).Want(status).Get("refresh_token")
	}
	second := refresh(first.Refresh, "192.0.2.1", "own", 200)
	refresh(first.Refresh, "192.0.2.2", "repeating", 200)
	refresh(second, "192.0.2.1", "own", 200)
	refresh(first.Refresh, "192.0.2.3", "tab", 200)
	f.Clock.Advance(time.Minute)
	refresh(first.Refresh, "192.0.2.9", "thief", 400)
	type client struct {
		IP    string `json:"ip"`
		Agent string `json:"user_agent"`
	}
	type odd struct {
		Session  string `json:"session_id"`
		Decision string
		Behind   int
		client
		Last client `json:"last_rotation"`
	}
	var list struct{ Refreshes []odd }
	f.A.Admin(t, "GET", "/admin/users/"+first.UserID+"/sessions", nil).Want(200).Decode(&list)
	id, own := sessionID(t, first), client{"192.0.2.1", "own"}
	want := []odd{
		{id, "reuse_detected", 2, client{"192.0.2.9", "thief"}, own},
		{id, "within_interval", 2, client{"192.0.2.3", "tab"}, own},
		{id, "repeated", 1, client{"192.0.2.2", "repeating"}, own},
	}
	if !slices.Equal(list.Refreshes, want) {
		t.Errorf("kept %+v", list.Refreshes)
	}
	const kept = `SELECT count(*) FROM reeve.session_refresh`
	if n := f.B.Count(t, kept); n != 0 {
		t.Errorf("%d of the other project", n)
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+first.UserID, nil).Want(200)
	if n := f.A.Count(t, kept) + f.A.Count(t, `SELECT count(*) FROM reeve.ended_session WHERE ip IS NOT NULL OR user_agent IS NOT NULL`); n != 0 {
		t.Errorf("%d personal rows of a deleted user", n)
	}
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(cause, ' ') FROM reeve.ended_session`); got != "reuse_detected" {
		t.Errorf("causes %s", got)
	}
}

// However often a used token comes, a bounded number is kept of a session.
func TestOddRefreshesBounded(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Refresh(t, s.Refresh).Want(200)
	for range 35 {
		f.A.Refresh(t, s.Refresh).Want(200)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.session_refresh`); n != 30 {
		t.Errorf("%d kept", n)
	}
}

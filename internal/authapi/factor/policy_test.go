package factor_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// owed is what an access token says of the policy: mfa_required, or "grace", or "".
func owed(t *testing.T, access string) string {
	t.Helper()
	claims := flowtest.Claims(t, access)
	if claims["role"] != "authenticated" {
		t.Errorf("the role is %v", claims["role"])
	}
	if until, ok := claims["mfa_grace_until"]; ok {
		return fmt.Sprintf("grace until %v%v", until, map[bool]string{true: " and " + fmt.Sprint(claims["mfa_required"])}[claims["mfa_required"] != nil])
	}
	what, _ := claims["mfa_required"].(string)
	return what
}

func policy(name string) func(*tenants.Config) {
	return func(c *tenants.Config) { c.MFAPolicy = name }
}

// The routes of users, and which of them a session reaches that owes a factor.
var userRoutes = []struct {
	method, path string
	body         any
	open         bool // the answer is the flow's own
}{
	{"GET", "/user", nil, true},
	{"POST", "/factors", m{"factor_type": "none"}, true},
	{"POST", "/factors/{id}/challenge", m{}, true},
	{"POST", "/factors/{id}/verify", m{"challenge_id": "x"}, true},
	{"DELETE", "/factors/{id}", nil, true},
	{"POST", "/factors/recovery-codes/verify", m{"code": "aaaa-aaaa-aaaa-aaaa"}, true},
	{"GET", "/factors/recovery-codes", nil, false},
	{"PUT", "/user", m{"data": m{"a": 1}}, false},
	{"PUT", "/user", m{"password": "another horse"}, false},
	{"GET", "/reauthenticate", nil, false},
	{"GET", "/user/sessions", nil, false},
	{"DELETE", "/user/sessions/{id}", nil, false},
	{"DELETE", "/user/identities/{id}", nil, false},
	{"GET", "/user/identities/authorize?provider=github", nil, false},
	{"GET", "/passkeys", nil, false},
	{"PATCH", "/passkeys/{id}", m{"friendly_name": "x"}, false},
	{"DELETE", "/passkeys/{id}", nil, false},
	{"POST", "/passkeys/registration/options", m{}, false},
	{"POST", "/passkeys/registration/verify", m{"challenge_id": "x"}, false},
	{"POST", "/token?grant_type=id_token", m{"provider": "google", "id_token": "x", "link_identity": true}, false},
}

// reach asks every route of a user, and compares which are open.
func reach(t *testing.T, p *flowtest.Project, access string, open func(path string, always bool) bool) {
	t.Helper()
	for _, r := range userRoutes {
		got := p.Do(t, r.method, strings.ReplaceAll(r.path, "{id}", uuid.NewString()), r.body, flowtest.User(access))
		closed := got.Status == 403 && got.Get("error_code") == "insufficient_aal"
		if want := !open(r.path, r.open); closed != want {
			t.Errorf("%s %s: closed %v, want %v: %d %s", r.method, r.path, closed, want, got.Status, got.Raw)
		}
	}
}

// A session of a user who has no factor may do nothing but enroll one, and is free with
// it; in the other project, and while the policy is off, it is free before.
func TestPolicyEnroll(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.PasskeyEnabled, c.ManualLinking = true, true })
	f.A.Configure(policy("required"))
	s, free := f.A.SignUp(t, ann, pass), f.B.SignUp(t, ann, pass)
	if owed(t, s.Access) != "enroll" || owed(t, free.Access) != "" {
		t.Errorf("%q, in the other project %q", owed(t, s.Access), owed(t, free.Access))
	}
	s = f.A.Refresh(t, s.Refresh).Session()
	if owed(t, s.Access) != "enroll" {
		t.Errorf("after a refresh %q", owed(t, s.Access))
	}
	reach(t, f.A, s.Access, func(_ string, always bool) bool { return always })
	reach(t, f.B, free.Access, func(string, bool) bool { return true })
	// Where a passkey counts, it can be added.
	f.A.Configure(func(c *tenants.Config) { c.PasskeyAAL2 = true })
	reach(t, f.A, s.Access, func(path string, always bool) bool {
		return always || slices.Contains([]string{"/passkeys/registration/options", "/passkeys/registration/verify"}, path)
	})
	d := enroll(t, f.A, s.Access, "phone")
	s = verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), d.code(t, f, 0)).Session()
	if owed(t, s.Access) != "" {
		t.Errorf("at aal2 %q", owed(t, s.Access))
	}
	reach(t, f.A, s.Access, func(string, bool) bool { return true })
	// Without the factor it is as before; and it may go.
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, flowtest.User(s.Access)).Want(200)
	s = f.A.Refresh(t, s.Refresh).Session()
	if owed(t, s.Access) != "enroll" {
		t.Errorf("without the factor %q", owed(t, s.Access))
	}
	f.A.Do(t, "POST", "/logout", nil, flowtest.User(s.Access)).Want(204)
}

// Who has a factor must use it, under any policy; also with the tokens of before the
// policy.
func TestPolicyVerify(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.PasskeyEnabled, c.PasskeyAAL2, c.ManualLinking = true, true, true })
	_, d := protected(t, f, f.A, ann)
	low := f.A.SignIn(t, ann, pass)
	if owed(t, low.Access) != "" {
		t.Errorf("with no policy %q", owed(t, low.Access))
	}
	for _, name := range []string{"optional", "required", "by_role", "without_sso"} {
		f.A.Configure(policy(name))
		reach(t, f.A, low.Access, func(_ string, always bool) bool { return always })
		low = f.A.Refresh(t, low.Refresh).Session()
		if owed(t, low.Access) != "verify" {
			t.Errorf("%s: %q", name, owed(t, low.Access))
		}
		f.A.Do(t, "POST", "/factors", m{"factor_type": "totp"}, flowtest.User(low.Access)).WantError(403, "insufficient_aal")
		f.A.Do(t, "DELETE", "/factors/"+d.id, nil, flowtest.User(low.Access)).WantError(422, "insufficient_aal")
	}
	high := verify(t, f.A, low.Access, d, challenge(t, f.A, low.Access, d), d.code(t, f, 0)).Session()
	if owed(t, high.Access) != "" {
		t.Errorf("at aal2 %q", owed(t, high.Access))
	}
	f.A.Do(t, "GET", "/user/sessions", nil, flowtest.User(high.Access)).Want(200)
	// The token of before the second factor stays at aal1.
	f.A.Do(t, "GET", "/user/sessions", nil, flowtest.User(low.Access)).WantError(403, "insufficient_aal")
	f.A.Configure(policy("off"))
	f.A.Do(t, "GET", "/user/sessions", nil, flowtest.User(low.Access)).Want(200)
}

// Who is asked: by role, by SSO, not anonymous users, and not before the end of the
// grace, of which the token tells.
func TestPolicyWhom(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.AnonymousUsers = true })
	for name, c := range map[string]struct {
		policy, roles string
		sql           string // about ann
		anonymous     bool
		grace         int
		want          string // after the grace
	}{
		"required":                    {policy: "required", want: "enroll"},
		"optional":                    {policy: "optional"},
		"anonymous":                   {policy: "required", anonymous: true},
		"of a role":                   {policy: "by_role", roles: "admin,owner", sql: `UPDATE auth.users SET raw_app_meta_data = '{"roles":["x","owner"]}'`, want: "enroll"},
		"of no role":                  {policy: "by_role", roles: "admin,owner", sql: `UPDATE auth.users SET raw_app_meta_data = '{"role":"user"}', raw_user_meta_data = '{"role":"owner"}'`},
		"by SSO":                      {policy: "without_sso", sql: `UPDATE auth.identities SET provider = 'sso:1'; UPDATE auth.users SET encrypted_password = NULL`},
		"by SSO, and the password":    {policy: "without_sso", sql: `UPDATE auth.identities SET provider = 'sso:1'`, want: "enroll"},
		"by SSO, which counts":        {policy: "required", sql: `UPDATE auth.identities SET provider = 'sso:1'; UPDATE auth.users SET encrypted_password = NULL`, want: "enroll"},
		"with grace":                  {policy: "required", grace: 2, want: "enroll"},
		"of no role, with grace":      {policy: "by_role", roles: "admin", grace: 2},
		"anonymous, with grace":       {policy: "required", anonymous: true, grace: 2},
		"of a role that is a number":  {policy: "by_role", roles: "1", sql: `UPDATE auth.users SET raw_app_meta_data = '{"role":1}'`},
		"of a role, written together": {policy: "by_role", roles: " admin , owner", sql: `UPDATE auth.users SET raw_app_meta_data = '{"role":"owner"}'`, want: "enroll"},
	} {
		t.Run(name, func(t *testing.T) {
			f.A.Configure(policy("off"))
			f.A.Exec(t, `DELETE FROM auth.users`)
			var s flowtest.Session
			if c.anonymous {
				s = f.A.Do(t, "POST", "/signup", m{}).Want(200).Session()
			} else {
				s = f.A.SignUp(t, ann, pass)
			}
			if c.sql != "" {
				f.A.Exec(t, c.sql)
			}
			f.Clock.Advance(time.Hour)
			began := f.Clock.Now().Truncate(time.Second)
			f.A.Configure(func(to *tenants.Config) {
				to.MFAPolicy, to.MFAPolicyRoles, to.MFAPolicyGrace, to.MFAPolicySince = c.policy, c.roles, c.grace, began.UTC().Format(time.RFC3339)
			})
			if c.grace > 0 {
				want := ""
				if c.want != "" {
					want = fmt.Sprintf("grace until %v", json.Number(fmt.Sprint(float64(began.Add(time.Duration(c.grace)*24*time.Hour).Unix()))))
				}
				s = f.A.Refresh(t, s.Refresh).Session()
				if got := owed(t, s.Access); got != want {
					t.Errorf("in the grace %q, want %q", got, want)
				}
				f.A.Do(t, "GET", "/user/sessions", nil, flowtest.User(s.Access)).Want(200)
				f.Clock.Advance(time.Duration(c.grace) * 24 * time.Hour)
			}
			s = f.A.Refresh(t, s.Refresh).Session()
			if got := owed(t, s.Access); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			got := f.A.Do(t, "GET", "/user/sessions", nil, flowtest.User(s.Access))
			if closed := got.Status == http.StatusForbidden; closed != (c.want != "") {
				t.Errorf("%d %s", got.Status, got.Raw)
			}
		})
	}
}

// A hook cannot take what the policy demands out of the token, nor change it.
func TestPolicyHook(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s := f.A.SignUp(t, ann, pass)
	for name, claims := range map[string]string{
		"removed": `(event->'claims') - 'mfa_required' - 'mfa_grace_until'`,
		"changed": `event->'claims' || '{"mfa_required":"no","mfa_grace_until":1}'`,
		"null":    `event->'claims' || '{"mfa_required":null,"mfa_grace_until":null}'`,
	} {
		f.A.ExecAsOwner(t, `CREATE OR REPLACE FUNCTION public.claims(event jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('claims', `+claims+`) $$;
			GRANT EXECUTE ON FUNCTION public.claims TO supabase_auth_admin`)
		f.A.Hook(t, "custom_access_token", "pg-functions://postgres/public/claims", "fail_closed", "")
		f.A.Configure(func(c *tenants.Config) { c.MFAPolicy, c.MFAPolicyGrace = "required", 0 })
		s = f.A.Refresh(t, s.Refresh).Session()
		if got := flowtest.Claims(t, s.Access)["mfa_required"]; got != "enroll" {
			t.Errorf("%s: %v", name, got)
		}
		if got := flowtest.Claims(t, f.A.SignIn(t, ann, pass).Access)["mfa_required"]; got != "enroll" {
			t.Errorf("%s, at a sign-in: %v", name, got)
		}
		f.A.Configure(func(c *tenants.Config) { c.MFAPolicyGrace = 7 })
		s = f.A.Refresh(t, s.Refresh).Session()
		if got, ok := flowtest.Claims(t, s.Access)["mfa_grace_until"].(float64); !ok || got < float64(f.Clock.Now().Unix()) {
			t.Errorf("%s: until %v", name, got)
		}
	}
}

// auth.require_aal2 in a restrictive policy opens with the level and closes with it: when
// the factor goes, when the session ends, and for whoever claims another session.
func TestRequireAAL2(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.ExecAsOwner(t, `CREATE TABLE public.vault (id int); INSERT INTO public.vault VALUES (1); ALTER TABLE public.vault ENABLE ROW LEVEL SECURITY;
		GRANT SELECT ON public.vault TO authenticated, anon;
		CREATE POLICY everyone ON public.vault TO anon, authenticated USING (true);
		CREATE POLICY strong ON public.vault AS RESTRICTIVE TO anon, authenticated USING ((SELECT auth.require_aal2()))`)
	read := func(claims m) int {
		raw, _ := json.Marshal(claims)
		return f.A.CountAs(t, "authenticated", string(raw), `SELECT count(*) FROM public.vault`)
	}
	want := func(what string, claims m, n int) {
		t.Helper()
		if got := read(claims); got != n {
			t.Errorf("%s: %d rows, want %d", what, got, n)
		}
	}
	other := f.A.SignUp(t, bob, pass)
	s, d := protected(t, f, f.A, ann)
	low := flowtest.Claims(t, f.A.SignIn(t, ann, pass).Access)
	high := flowtest.Claims(t, s.Access)
	want("at aal1", low, 0)
	want("at aal2", high, 1)
	want("no token", m{}, 0)
	want("no session", m{"sub": high["sub"], "aal": "aal2"}, 0)
	want("a token of another level than its session", m{"sub": low["sub"], "session_id": low["session_id"], "aal": "aal2"}, 0)
	want("another user's session", m{"sub": other.UserID, "session_id": high["session_id"], "aal": "aal2"}, 0)
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, flowtest.User(s.Access)).Want(200)
	want("without the factor", high, 0)
	s, _ = protected(t, f, f.A, "eve@example.com")
	want("eve", flowtest.Claims(t, s.Access), 1)
	f.A.Do(t, "POST", "/logout", nil, flowtest.User(s.Access)).Want(204)
	want("after the sign-out", flowtest.Claims(t, s.Access), 0)
}

// A session without the factor that its user has is refreshed only so long after its
// begin, whichever way the refresh takes; one at aal2, one of a user without a factor,
// and those of the other project go on.
func TestAllowLowAAL(t *testing.T) {
	t.Parallel()
	for name, hook := range map[string]bool{"at once": false, "with a hook": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			limit := func(c *tenants.Config) { c.SessionsAllowLowAAL = 0.5 }
			if hook {
				f.A.ExecAsOwner(t, `CREATE FUNCTION public.claims(event jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('claims', event->'claims') $$;
					GRANT EXECUTE ON FUNCTION public.claims TO supabase_auth_admin`)
				f.A.Hook(t, "custom_access_token", "pg-functions://postgres/public/claims", "fail_closed", "")
			}
			high, _ := protected(t, f, f.A, ann)
			other, _ := protected(t, f, f.B, ann)
			without, pair := f.A.SignUp(t, bob, pass), f.B.SignIn(t, ann, pass)
			low := f.A.SignIn(t, ann, pass)
			f.A.Configure(limit)
			f.Clock.Advance(30*time.Minute - time.Second)
			first := low
			for range 2 {
				low = f.A.Refresh(t, low.Refresh).Session()
			}
			var list struct {
				Sessions []struct {
					ID        string
					ExpiresAt *time.Time `json:"expires_at"`
				}
			}
			f.A.Do(t, "GET", "/user/sessions", nil, flowtest.User(low.Access)).Want(200).Decode(&list)
			for _, s := range list.Sessions {
				if ends := s.ExpiresAt != nil; ends != (s.ID == flowtest.Claims(t, low.Access)["session_id"]) {
					t.Errorf("%s expires at %v", s.ID, s.ExpiresAt)
				}
			}
			f.Clock.Advance(time.Second)
			for _, token := range []string{low.Refresh, first.Refresh} {
				res := f.A.Refresh(t, token).WantError(400, "session_expired")
				if !strings.Contains(res.Get("msg"), "Low AAL") {
					t.Errorf("%s", res.Raw)
				}
			}
			f.A.Refresh(t, high.Refresh).Want(200)
			f.A.Refresh(t, without.Refresh).Want(200)
			f.B.Refresh(t, other.Refresh).Want(200)
			f.B.Refresh(t, pair.Refresh).Want(200)
			// Whoever tidies ends it, with the cause, and the answer stays.
			limits := tenantdb.SessionLimits{LowAAL: 30 * time.Minute}
			if n, err := f.A.DB.EndExpired(t.Context(), f.Clock.Now(), limits); n != 1 || err != nil {
				t.Errorf("%d ended, %v", n, err)
			}
			f.A.Refresh(t, low.Refresh).WantError(400, "session_expired")
			f.A.Configure(func(c *tenants.Config) { c.SessionsAllowLowAAL = 0 })
			low = f.A.SignIn(t, ann, pass)
			f.Clock.Advance(time.Hour)
			f.A.Refresh(t, low.Refresh).Want(200)
		})
	}
}

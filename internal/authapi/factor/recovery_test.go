package factor_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const codesPath = "/factors/recovery-codes"

// recoverable lets users have recovery codes.
func recoverable(c *tenants.Config) {
	c.RecoveryEnroll, c.RecoveryVerify, c.RateLimitMFA = true, true, 1000
}

// makeCodes makes the codes of a user at aal2, and returns them and the factor.
func makeCodes(t *testing.T, p *flowtest.Project, access string) (codes []string, factor string) {
	t.Helper()
	res := p.Do(t, "POST", codesPath, nil, flowtest.User(access)).Want(200)
	return codesIn(t, res), res.Get("id")
}

func codesIn(t *testing.T, res *flowtest.Response) []string {
	t.Helper()
	var body struct {
		Codes []string `json:"codes"`
	}
	if err := json.Unmarshal(res.Raw, &body); err != nil || len(body.Codes) != 10 {
		t.Fatalf("%v, %s", err, res.Raw)
	}
	return body.Codes
}

func enterCode(t *testing.T, p *flowtest.Project, access, code string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", codesPath+"/verify", m{"code": code}, flowtest.User(access))
}

// wantCodes compares what GET says.
func wantCodes(t *testing.T, p *flowtest.Project, access, remaining string) {
	t.Helper()
	res := p.Do(t, "GET", codesPath, nil, flowtest.User(access)).Want(200)
	if res.Get("remaining") != remaining || res.Get("total") != "10" || res.Get("type") != "recovery_code" || strings.Contains(string(res.Raw), "codes\":") {
		t.Errorf("want %s left: %s", remaining, res.Raw)
	}
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	s, d := protected(t, f, f.A, ann)
	high := flowtest.User(s.Access)
	f.A.Do(t, "GET", codesPath, nil, high).WantError(404, "mfa_factor_not_found")
	enterCode(t, f.A, s.Access, "aaaa-aaaa-aaaa-aaaa").WantError(422, "mfa_verification_failed")
	made := f.A.Do(t, "POST", codesPath, m{"friendly_name": "paper"}, high).Want(200)
	codes := codesIn(t, made)
	form := regexp.MustCompile(`^[a-z2-7]{16}$`)
	for _, code := range codes {
		if !form.MatchString(code) {
			t.Errorf("%q", code)
		}
		if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_recovery_codes WHERE code_hash LIKE '%' || $1 || '%'`, code); n != 0 {
			t.Error("a code is stored in clear")
		}
	}
	if made.Get("friendly_name") != "paper" || made.Get("total") != "10" || strings.Contains(string(made.Raw), "remaining") {
		t.Errorf("%s", made.Raw)
	}
	f.A.Do(t, "POST", codesPath, nil, high).WantError(422, "mfa_verified_factor_exists")
	wantCodes(t, f.A, s.Access, "10")

	low, ended := f.A.SignIn(t, ann, pass), f.A.SignIn(t, ann, pass)
	wantCodes(t, f.A, low.Access, "10")
	enterCode(t, f.A, low.Access, "aaaa").WantError(422, "mfa_verification_failed")
	enterCode(t, f.A, low.Access, " - ").WantError(400, "validation_failed")
	enterCode(t, f.A, low.Access, strings.Repeat("a", 1000)).WantError(422, "mfa_verification_failed")
	typed := " " + strings.ToUpper(codes[0][:4]) + "-" + codes[0][4:8] + " " + codes[0][8:] + "\t"
	raised := enterCode(t, f.A, low.Access, typed).Session()
	claims := flowtest.Claims(t, raised.Access)
	if amr, _ := json.Marshal(claims["amr"]); claims["aal"] != "aal2" || !strings.Contains(string(amr), `"mfa/recovery_code"`) {
		t.Errorf("%v", claims)
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ended.Access)).WantError(403, "session_not_found")
	f.A.Do(t, "GET", "/user", nil, high).Want(200)
	if n := f.A.Count(t, `SELECT failed_verification_count FROM auth.mfa_recovery_code_sets`); n != 0 {
		t.Errorf("%d tries are counted after a right one", n)
	}
	enterCode(t, f.A, f.A.SignIn(t, ann, pass).Access, codes[0]).WantError(422, "mfa_verification_failed")
	wantCodes(t, f.A, s.Access, "9")

	again := codesIn(t, f.A.Do(t, "POST", codesPath+"/regenerate", nil, high).Want(200))
	wantCodes(t, f.A, s.Access, "10")
	enterCode(t, f.A, f.A.SignIn(t, ann, pass).Access, codes[1]).WantError(422, "mfa_verification_failed")
	other := enterCode(t, f.A, f.A.SignIn(t, ann, pass).Access, again[0]).Session()

	// The codes go, and what they raised goes back.
	f.A.Do(t, "DELETE", codesPath, nil, high).Want(200)
	f.A.Do(t, "GET", codesPath, nil, high).WantError(404, "mfa_factor_not_found")
	f.A.Do(t, "DELETE", codesPath, nil, high).WantError(404, "mfa_factor_not_found")
	f.A.Do(t, "POST", codesPath+"/regenerate", nil, high).WantError(404, "mfa_factor_not_found")
	if claims := flowtest.Claims(t, f.A.Refresh(t, other.Refresh).Session().Access); claims["aal"] != "aal1" {
		t.Errorf("the codes are gone, and the session at %v", claims["aal"])
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_recovery_codes`) + f.A.Count(t, `SELECT count(*) FROM auth.mfa_recovery_code_sets`); n != 0 {
		t.Errorf("%d rows of codes", n)
	}
	for action, want := range map[string]int64{"recovery_codes_generated": 1, "recovery_codes_verified": 2, "recovery_codes_regenerated": 1, "recovery_codes_deleted": 1} {
		if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload ->> 'action' = $1 AND payload #>> '{traits,factor_id}' = $2`, action, made.Get("id")); n != int(want) {
			t.Errorf("%d entries %s", n, action)
		}
	}
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, high).Want(200)
}

// Codes are only for a user at aal2 with another factor, which they outlive never.
func TestRecoveryCodesAreNeverAlone(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable, keys)
	s, d := protected(t, f, f.A, ann)
	high := flowtest.User(s.Access)
	low := flowtest.User(f.A.SignIn(t, ann, pass).Access)
	f.A.Do(t, "POST", codesPath, nil, low).WantError(403, "insufficient_aal")
	second := enroll(t, f.A, s.Access, "tablet")
	f.A.Do(t, "POST", codesPath, m{"friendly_name": "phone"}, high).WantError(422, "mfa_factor_name_conflict")
	codes, factor := makeCodes(t, f.A, s.Access)
	for _, r := range [][2]string{{"POST", codesPath + "/regenerate"}, {"DELETE", codesPath}} {
		f.A.Do(t, r[0], r[1], nil, low).WantError(403, "insufficient_aal")
	}
	// The routes of other factors are not for codes.
	f.A.Do(t, "POST", "/factors", m{"factor_type": "recovery_code"}, high).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/factors/"+factor+"/challenge", m{}, high).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/factors/"+factor+"/verify", m{"challenge_id": factor, "code": codes[0]}, high).WantError(400, "validation_failed")
	f.A.Do(t, "DELETE", "/factors/"+factor, nil, high).WantError(422, "validation_failed")
	wantCodes(t, f.A, s.Access, "10")

	f.A.Do(t, "DELETE", "/factors/"+second.id, nil, high).Want(200) // never verified
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, high).WantError(422, "mfa_recovery_codes_sole_factor")
	// A factor that is not accepted protects nothing.
	k := enrollKey(t, f.A, s.Access)
	s = k.prove(t, f.A, s.Access).Session()
	high = flowtest.User(s.Access)
	f.A.Configure(func(c *tenants.Config) { c.WebAuthnVerify = false })
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, high).WantError(422, "mfa_recovery_codes_sole_factor")
	f.A.Configure(func(c *tenants.Config) { c.WebAuthnVerify = true })
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, high).Want(200)

	// A session that is at aal2 without a factor.
	other := f.A.SignUp(t, bob, pass)
	f.A.Exec(t, `UPDATE auth.sessions SET aal = 'aal2' WHERE user_id = $1`, other.UserID)
	f.A.Do(t, "POST", codesPath, nil, flowtest.User(other.Access)).WantError(422, "mfa_recovery_codes_sole_factor")

	f.A.Configure(func(c *tenants.Config) { c.RecoveryEnroll, c.RecoveryVerify = false, false })
	f.A.Do(t, "POST", codesPath, nil, high).WantError(422, "mfa_recovery_codes_enroll_not_enabled")
	f.A.Do(t, "POST", codesPath+"/regenerate", nil, high).WantError(422, "mfa_recovery_codes_enroll_not_enabled")
	enterCode(t, f.A, s.Access, codes[0]).WantError(422, "mfa_recovery_codes_verify_not_enabled")
	wantCodes(t, f.A, s.Access, "10")
	f.A.Do(t, "DELETE", codesPath, nil, high).Want(200)
}

// Five wrong codes in a row keep the right ones out for fifteen minutes.
func TestRecoveryCodesAreLocked(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	s, _ := protected(t, f, f.A, ann)
	codes, _ := makeCodes(t, f.A, s.Access)
	low := f.A.SignIn(t, ann, pass)
	for range 5 {
		enterCode(t, f.A, low.Access, "aaaabbbbccccdddd").WantError(422, "mfa_verification_failed")
	}
	for range 2 {
		if res := enterCode(t, f.A, low.Access, codes[0]).WantError(429, "mfa_recovery_codes_locked"); res.Header.Get("Retry-After") != "900" {
			t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
		}
	}
	wantCodes(t, f.A, low.Access, "10")
	f.Clock.Advance(15 * time.Minute)
	enterCode(t, f.A, low.Access, "aaaabbbbccccdddd").WantError(422, "mfa_verification_failed")
	enterCode(t, f.A, low.Access, codes[0]).Want(200)

	low = f.A.SignIn(t, ann, pass)
	for range 5 {
		enterCode(t, f.A, low.Access, codes[0]).WantError(422, "mfa_verification_failed")
	}
	again := codesIn(t, f.A.Do(t, "POST", codesPath+"/regenerate", nil, flowtest.User(s.Access)).Want(200))
	enterCode(t, f.A, low.Access, again[9]).Want(200)
}

// Of many entries of one code at once, one is accepted; of many wrong ones, five are
// compared.
func TestRecoveryCodeIsUsedOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	s, _ := protected(t, f, f.A, ann)
	codes, _ := makeCodes(t, f.A, s.Access)
	at := func(n int, code string) map[int]int {
		var access []string
		for range n {
			access = append(access, f.A.SignIn(t, ann, pass).Access)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for _, a := range access {
			wg.Go(func() {
				res := f.A.Do(t, "POST", codesPath+"/verify", m{"code": code}, flowtest.User(a))
				mu.Lock()
				defer mu.Unlock()
				got[res.Status]++
			})
		}
		wg.Wait()
		return got
	}
	if got := at(6, codes[0]); got[200] != 1 {
		t.Errorf("%v", got)
	}
	wantCodes(t, f.A, s.Access, "9")
	f.Clock.Advance(time.Hour)
	f.A.Exec(t, `UPDATE auth.mfa_recovery_code_sets SET failed_verification_count = 0, verification_locked_until = NULL`)
	if got := at(8, "aaaabbbbccccdddd"); got[422] != 5 || got[429] != 3 {
		t.Errorf("%v", got)
	}
}

// Codes are their user's and their project's.
func TestRecoveryCodesOfOthers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable, func(c *tenants.Config) { c.AnonymousUsers = true })
	s, _ := protected(t, f, f.A, ann)
	codes, factor := makeCodes(t, f.A, s.Access)
	for name, p := range map[string]*flowtest.Project{"another user": f.A, "another project": f.B} {
		other, _ := protected(t, f, p, bob)
		own, ownFactor := makeCodes(t, p, other.Access)
		low := p.SignIn(t, bob, pass)
		enterCode(t, p, low.Access, codes[0]).WantError(422, "mfa_verification_failed")
		wantCodes(t, p, other.Access, "10")
		enterCode(t, p, low.Access, own[0]).Want(200)
		// A copied row is nobody's.
		p.Exec(t, `UPDATE auth.mfa_recovery_codes own SET code_hash = c.code_hash FROM auth.mfa_recovery_codes c, auth.mfa_recovery_code_sets s, auth.mfa_recovery_code_sets o
			WHERE s.id = c.mfa_recovery_code_set_id AND o.id = own.mfa_recovery_code_set_id AND s.mfa_factor_id = $1 AND o.mfa_factor_id = $2`, factor, ownFactor)
		low = p.SignIn(t, bob, pass)
		for _, code := range codes[:4] {
			if res := enterCode(t, p, low.Access, code); res.Status != 422 {
				t.Errorf("%s: %d %s", name, res.Status, res.Raw)
			}
		}
	}
	wantCodes(t, f.A, s.Access, "10")
	anonymous := f.A.Do(t, "POST", "/signup", m{}).Session()
	for _, r := range [][2]string{{"GET", codesPath}, {"POST", codesPath}, {"DELETE", codesPath}, {"POST", codesPath + "/regenerate"}} {
		f.A.Do(t, r[0], r[1], nil, flowtest.User(anonymous.Access)).WantError(403, "no_authorization")
	}
	enterCode(t, f.A, anonymous.Access, codes[0]).WantError(403, "no_authorization")
}

// Codes that a dump of a hosted project brought are of Argon2id.
func TestRecoveryCodesOfADump(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	s, _ := protected(t, f, f.A, ann)
	makeCodes(t, f.A, s.Access)
	f.A.Exec(t, `UPDATE auth.mfa_recovery_codes SET code_hash = '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$7IM3h98mhnix/RWluQTqf4EwiZofmIYGYu+E7NCDaSk'
		WHERE id = (SELECT min(id::text)::uuid FROM auth.mfa_recovery_codes)`)
	f.A.Exec(t, `UPDATE auth.mfa_recovery_codes SET code_hash = '$2a$04$broken' WHERE id = (SELECT max(id::text)::uuid FROM auth.mfa_recovery_codes)`)
	low := f.A.SignIn(t, ann, pass)
	enterCode(t, f.A, low.Access, "k4m2x7qp2ab7ht3y").WantError(422, "mfa_verification_failed")
	enterCode(t, f.A, low.Access, "K4M2-X7QP-2AB7-HT3Z").Want(200)
	enterCode(t, f.A, f.A.SignIn(t, ann, pass).Access, "k4m2x7qp2ab7ht3z").WantError(422, "mfa_verification_failed")
}

// The hook is told of codes as of other factors, before one is used.
func TestHookOfRecoveryCodes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	s, _ := protected(t, f, f.A, ann)
	codes, factor := makeCodes(t, f.A, s.Access)
	f.A.ExecAsOwner(t, `CREATE TABLE public.tries (valid boolean, kind text, factor uuid); GRANT ALL ON public.tries TO supabase_auth_admin;
		CREATE FUNCTION public.hook(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO public.tries VALUES ((event->>'valid')::boolean, event->>'factor_type', (event->>'factor_id')::uuid);
			IF (SELECT count(*) FROM public.tries) > 2 THEN RETURN '{"decision":"reject","message":"Not you"}'; END IF;
			RETURN '{"decision":"continue"}'; END $$`)
	f.A.Hook(t, setting.HookMFAVerification, "pg-functions://postgres/public/hook", setting.HookFailClosed, "")
	low := f.A.SignIn(t, ann, pass)
	enterCode(t, f.A, low.Access, "aaaabbbbccccdddd").WantError(422, "mfa_verification_failed")
	enterCode(t, f.A, low.Access, codes[0]).Want(200)
	enterCode(t, f.A, low.Access, codes[1]).WantError(403, "mfa_verification_rejected")
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries WHERE kind = 'recovery_code' AND factor = $1`, factor); n != 3 {
		t.Errorf("%d tries are written", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries WHERE valid`); n != 2 {
		t.Errorf("%d of them valid", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_recovery_codes WHERE consumed_at IS NULL`); n != 9 {
		t.Errorf("%d codes are left", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 0 {
		t.Errorf("%d sessions of a user who was refused", n)
	}
	// A user without codes tries nothing.
	other := f.A.SignUp(t, bob, pass)
	enterCode(t, f.A, other.Access, codes[2]).WantError(422, "mfa_verification_failed")
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries`); n != 3 {
		t.Errorf("%d tries", n)
	}
}

// An admin removes codes, alone or with the last other factor, of a user of the project.
func TestAdminRemovesRecoveryCodes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	s, d := protected(t, f, f.A, ann)
	other, _ := protected(t, f, f.B, ann)
	codes, factor := makeCodes(t, f.A, s.Access)
	makeCodes(t, f.B, other.Access)
	raised := enterCode(t, f.A, f.A.SignIn(t, ann, pass).Access, codes[0]).Session()
	path := "/admin/users/" + s.UserID + "/factors"
	f.A.Do(t, "DELETE", path+"/recovery-codes", nil, flowtest.User(s.Access)).WantError(403, "not_admin")
	f.B.Admin(t, "DELETE", path+"/recovery-codes", nil).WantError(404, "user_not_found")
	if res := f.A.Admin(t, "DELETE", path+"/recovery-codes", nil).Want(200); res.Get("id") != factor || res.Get("factor_type") != "recovery_code" {
		t.Errorf("%s", res.Raw)
	}
	f.A.Admin(t, "DELETE", path+"/recovery-codes", nil).WantError(404, "mfa_factor_not_found")
	if claims := flowtest.Claims(t, f.A.Refresh(t, raised.Refresh).Session().Access); claims["aal"] != "aal1" {
		t.Errorf("the codes are gone, and the session at %v", claims["aal"])
	}
	makeCodes(t, f.A, s.Access)
	f.A.Admin(t, "DELETE", path+"/"+d.id, nil).Want(200)
	for kind, want := range map[string]int{"recovery_codes_deleted": 2, "factor_deleted": 1} {
		if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload ->> 'action' = $1 AND payload ->> 'actor_username' = 'service_role'`, kind); n != want {
			t.Errorf("%d entries %s", n, kind)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_factors`) + f.A.Count(t, `SELECT count(*) FROM auth.mfa_recovery_codes`); n != 0 {
		t.Errorf("%d rows of factors", n)
	}
	wantCodes(t, f.B, other.Access, "10")
}

package factor_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

type m = flowtest.M

const (
	ann  = "ann@example.com"
	bob  = "bob@example.com"
	pass = "correct horse"
)

// device is an enrolled authenticator app.
type device struct {
	id, secret string
}

func enroll(t *testing.T, p *flowtest.Project, access, name string) device {
	t.Helper()
	res := p.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": name}, flowtest.User(access)).Want(200)
	if res.Get("type") != "totp" || res.Get("friendly_name") != name || !strings.HasPrefix(res.Get("totp.qr_code"), "<svg ") || !strings.HasPrefix(res.Get("totp.uri"), "otpauth://totp/") {
		t.Fatalf("%s", res.Raw)
	}
	return device{res.Get("id"), res.Get("totp.secret")}
}

func challenge(t *testing.T, p *flowtest.Project, access string, d device) string {
	t.Helper()
	return p.Do(t, "POST", "/factors/"+d.id+"/challenge", m{}, flowtest.User(access)).Want(200).Get("id")
}

// code is what the app shows so much later.
func (d device) code(t *testing.T, f *flowtest.Fixture, later time.Duration) string {
	t.Helper()
	code, err := totp.GenerateCode(d.secret, f.Clock.Now().Add(later))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func verify(t *testing.T, p *flowtest.Project, access string, d device, challenge, code string, options ...flowtest.Option) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/factors/"+d.id+"/verify", m{"challenge_id": challenge, "code": code}, append(options, flowtest.User(access))...)
}

// protected is a user with a verified factor, and a session at aal2.
func protected(t *testing.T, f *flowtest.Fixture, p *flowtest.Project, email string) (flowtest.Session, device) {
	t.Helper()
	s := p.SignUp(t, email, pass)
	d := enroll(t, p, s.Access, "phone")
	s = verify(t, p, s.Access, d, challenge(t, p, s.Access, d), d.code(t, f, 0)).Session()
	f.Clock.Advance(time.Minute) // the code is used
	return s, d
}

func TestTOTP(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s := f.A.SignUp(t, ann, pass)
	other := f.A.SignIn(t, ann, pass)
	d := enroll(t, f.A, s.Access, "phone")
	if claims := flowtest.Claims(t, s.Access); claims["aal"] != "aal1" {
		t.Errorf("%v", claims)
	}
	// An unverified factor protects nothing.
	f.A.Do(t, "PUT", "/user", m{"password": "another horse"}, flowtest.User(s.Access)).Want(200)
	c := challenge(t, f.A, s.Access, d)
	verify(t, f.A, s.Access, d, c, "000000").WantError(422, "mfa_verification_failed")
	raised := verify(t, f.A, s.Access, d, c, d.code(t, f, 0))
	next := raised.Session()
	claims := flowtest.Claims(t, next.Access)
	amr, _ := claims["amr"].([]any)
	if claims["aal"] != "aal2" || len(amr) != 2 || !strings.Contains(string(raised.Raw), `"status":"verified"`) || claims["session_id"] != flowtest.Claims(t, s.Access)["session_id"] {
		t.Errorf("%v, %s", claims, raised.Raw)
	}
	// The session's earlier refresh token is old, other sessions below aal2 ended.
	f.A.Do(t, "GET", "/user", nil, flowtest.User(other.Access)).WantError(403, "session_not_found")
	if again := f.A.Refresh(t, next.Refresh).Session(); flowtest.Claims(t, again.Access)["aal"] != "aal2" {
		t.Error("a refresh loses the level")
	}
	// The secret is not in the database.
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_factors WHERE secret LIKE '%' || $1 || '%' OR secret NOT LIKE 'reeve1:%'`, d.secret); n != 0 {
		t.Error("the secret is stored in clear")
	}
	for _, action := range []string{"factor_in_progress", "challenge_created", "mfa_code_login"} {
		if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload ->> 'action' = $1`, action); n != 1 {
			t.Errorf("%d entries %s", n, action)
		}
	}
}

// A code is accepted once, within a step of the clock, and a challenge within five
// minutes, from where it was begun.
func TestCodes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.SignUp(t, ann, pass)
	s, d := f.A.SignIn(t, ann, pass), device{}
	d = enroll(t, f.A, s.Access, "phone")
	c := challenge(t, f.A, s.Access, d)
	used := d.code(t, f, 0)
	s = verify(t, f.A, s.Access, d, c, used).Session()
	verify(t, f.A, s.Access, d, c, used).WantError(422, "mfa_challenge_expired")
	verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), used).WantError(422, "mfa_verification_failed")
	f.Clock.Advance(10 * time.Minute)
	for name, later := range map[string]time.Duration{"two steps early": -61 * time.Second, "two steps late": 61 * time.Second} {
		if got := verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), d.code(t, f, later)); got.Status != 422 {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
	}
	s = f.A.Refresh(t, s.Refresh).Session()
	s = verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), d.code(t, f, -30*time.Second)).Session()
	c = challenge(t, f.A, s.Access, d)
	verify(t, f.A, s.Access, d, c, d.code(t, f, 0), flowtest.From("198.51.100.7")).WantError(422, "mfa_ip_address_mismatch")
	f.Clock.Advance(5 * time.Minute)
	verify(t, f.A, s.Access, d, c, d.code(t, f, 0)).WantError(422, "mfa_challenge_expired")
	verify(t, f.A, s.Access, d, uuid.NewString(), d.code(t, f, 0)).WantError(422, "mfa_factor_not_found")
	verify(t, f.A, s.Access, d, "x", d.code(t, f, 0)).WantError(400, "validation_failed")
}

// Of two answers with one code at once, one is accepted.
func TestCodeIsUsedOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	_, d := protected(t, f, f.A, ann)
	code := d.code(t, f, 0)
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for range 6 {
		s := f.A.SignIn(t, ann, pass)
		c := challenge(t, f.A, s.Access, d)
		wg.Go(func() {
			got := f.A.Do(t, "POST", "/factors/"+d.id+"/verify", m{"challenge_id": c, "code": code}, flowtest.User(s.Access))
			mu.Lock()
			defer mu.Unlock()
			if got.Status == http.StatusOK {
				accepted++
			}
		})
	}
	wg.Wait()
	if accepted != 1 {
		t.Errorf("%d of 6 were accepted", accepted)
	}
}

// Wrong codes of a factor are bounded, whoever enters them.
func TestGuesses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s, d := protected(t, f, f.A, ann)
	c := challenge(t, f.A, s.Access, d)
	for range 5 {
		verify(t, f.A, s.Access, d, c, "123456").WantError(422, "mfa_verification_failed")
	}
	if got := verify(t, f.A, s.Access, d, c, d.code(t, f, 0)); got.Status == 200 {
		t.Error("the right code after five wrong ones is accepted")
	}
}

// With a verified factor, a session at aal1 changes nothing of how the user signs in.
func TestAssurance(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { flowtest.Set(t, c, "security_manual_linking_enabled", true) })
	raised, d := protected(t, f, f.A, ann)
	low := flowtest.User(f.A.SignIn(t, ann, pass).Access)
	f.A.Do(t, "PUT", "/user", m{"password": "another horse"}, low).WantError(401, "insufficient_aal")
	f.A.Do(t, "PUT", "/user", m{"email": "new@example.com"}, low).WantError(401, "insufficient_aal")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": "more"}, low).WantError(403, "insufficient_aal")
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, low).WantError(422, "insufficient_aal")
	f.A.Do(t, "DELETE", "/user/identities/"+uuid.NewString(), nil, low).WantError(401, "insufficient_aal")
	f.A.Do(t, "PUT", "/user", m{"data": m{"nick": "a"}}, low).Want(200)

	high := flowtest.User(raised.Access)
	f.A.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": "phone"}, high).WantError(422, "mfa_factor_name_conflict")
	second := enroll(t, f.A, raised.Access, "tablet")
	// Who holds an older token has no more than it says.
	f.A.Do(t, "DELETE", "/factors/"+second.id, nil, low).Want(200)
	f.A.Do(t, "DELETE", "/factors/"+d.id, nil, high).Want(200)
	claims := flowtest.Claims(t, f.A.Refresh(t, raised.Refresh).Session().Access)
	if claims["aal"] != "aal1" {
		t.Errorf("the factor is gone, and the session at %v", claims["aal"])
	}
}

// Factors and challenges are their user's and their project's.
func TestFactorsOfOthers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s, d := protected(t, f, f.A, ann)
	c := challenge(t, f.A, s.Access, d)
	for name, p := range map[string]*flowtest.Project{"another user": f.A, "another project": f.B} {
		other, own := protected(t, f, p, bob)
		as := flowtest.User(other.Access)
		p.Do(t, "POST", "/factors/"+d.id+"/challenge", m{}, as).WantError(404, "mfa_factor_not_found")
		p.Do(t, "DELETE", "/factors/"+d.id, nil, as).WantError(404, "mfa_factor_not_found")
		if got := verify(t, p, other.Access, d, c, d.code(t, f, 0)); got.Status != 404 {
			t.Errorf("%s: %s", name, got.Raw)
		}
		verify(t, p, other.Access, own, c, own.code(t, f, 0)).WantError(422, "mfa_factor_not_found")
	}
	for _, bad := range []string{"x", uuid.NewString(), "00000000-0000-0000-0000-000000000000"} {
		f.A.Do(t, "POST", "/factors/"+bad+"/challenge", m{}, flowtest.User(s.Access)).WantError(404, "mfa_factor_not_found")
	}
}

func TestEnroll(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) {
		flowtest.Set(t, c, "mfa_max_enrolled_factors", 2.0)
		flowtest.Set(t, c, "external_anonymous_users_enabled", true)
	})
	s := f.A.SignUp(t, ann, pass)
	as := flowtest.User(s.Access)
	f.A.Do(t, "POST", "/factors", m{"factor_type": "what"}, as).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": strings.Repeat("x", 256)}, as).WantError(400, "validation_failed")
	enroll(t, f.A, s.Access, "a")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": "a"}, as).WantError(422, "mfa_factor_name_conflict")
	enroll(t, f.A, s.Access, "b")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": "c"}, as).WantError(422, "too_many_enrolled_mfa_factors")
	f.Clock.Advance(6 * time.Minute) // nobody verified them
	enroll(t, f.A, s.Access, "a")
	nobody := f.A.Do(t, "POST", "/signup", m{}).Session()
	f.A.Do(t, "POST", "/factors", m{"factor_type": "totp"}, flowtest.User(nobody.Access)).WantError(403, "no_authorization")
	f.A.Configure(func(c *tenants.Config) { flowtest.Set(t, c, "mfa_totp_enroll_enabled", false) })
	f.A.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": "d"}, as).WantError(422, "mfa_totp_enroll_not_enabled")
}

// A secret in clear, as the dump of a hosted project has it, works, and is sealed by
// its first use.
func TestImportedSecret(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s, d := protected(t, f, f.A, ann)
	f.A.Exec(t, `UPDATE auth.mfa_factors SET secret = $1`, d.secret)
	s = verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), d.code(t, f, 0)).Session()
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_factors WHERE secret LIKE 'reeve1:%'`); n != 1 {
		t.Error("the secret stays in clear")
	}
	f.Clock.Advance(time.Minute)
	f.A.Exec(t, `UPDATE auth.mfa_factors SET secret = 'reeve1:AAAA'`)
	verify(t, f.A, s.Access, d, challenge(t, f.A, s.Access, d), d.code(t, f, 0)).WantError(422, "mfa_verification_failed")
}

// An admin sees factors, names them, and removes one that a user lost: sessions that it
// raised are at aal1 then.
func TestAdminFactors(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s, d := protected(t, f, f.A, ann)
	path := "/admin/users/" + s.UserID + "/factors"
	if got := f.A.Admin(t, "GET", path, nil).Want(200); !strings.Contains(string(got.Raw), d.id) || strings.Contains(string(got.Raw), "secret") {
		t.Errorf("%s", got.Raw)
	}
	if got := f.A.Admin(t, "PUT", path+"/"+d.id, m{"friendly_name": "tablet"}).Want(200).Get("friendly_name"); got != "tablet" {
		t.Errorf("named %q", got)
	}
	f.B.Admin(t, "GET", path, nil).WantError(404, "user_not_found")
	f.B.Admin(t, "DELETE", path+"/"+d.id, nil).WantError(404, "user_not_found")
	f.A.Admin(t, "DELETE", path+"/"+uuid.NewString(), nil).WantError(404, "mfa_factor_not_found")
	f.A.Do(t, "GET", path, nil, flowtest.User(s.Access)).WantError(403, "not_admin")
	if got := f.A.Admin(t, "DELETE", path+"/"+d.id, nil).Want(200).Get("id"); got != d.id {
		t.Errorf("answers %s", got)
	}
	if aal := flowtest.Claims(t, f.A.Refresh(t, s.Refresh).Session().Access)["aal"]; aal != "aal1" {
		t.Errorf("the session stays at %v", aal)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries WHERE payload ->> 'action' IN ('factor_updated', 'factor_deleted')`); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// Who knew the password before the user had a verified factor cannot raise a session by
// a factor that they enrolled then.
func TestForeignFactorEnrolledBefore(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s := f.A.SignUp(t, ann, pass)
	own := enroll(t, f.A, s.Access, "own")
	s = verify(t, f.A, s.Access, own, challenge(t, f.A, s.Access, own), own.code(t, f, 0)).Session()
	stranger := f.A.SignIn(t, ann, pass)
	planted := enroll(t, f.A, s.Access, "planted")
	c := challenge(t, f.A, stranger.Access, planted)
	verify(t, f.A, stranger.Access, planted, c, planted.code(t, f, 0)).WantError(403, "insufficient_aal")
	// At aal2 it is a second factor like the first.
	verify(t, f.A, s.Access, planted, challenge(t, f.A, s.Access, planted), planted.code(t, f, 0)).Session()
}

// The session's level counts when the factor changes, not when the request began.
func TestLoweredMeanwhile(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	s, d := protected(t, f, f.A, "ann@example.com")
	for name, request := range map[string]func() *flowtest.Response{
		"unenroll": func() *flowtest.Response {
			return f.A.Do(t, "DELETE", "/factors/"+d.id, nil, flowtest.User(s.Access))
		},
		"enroll": func() *flowtest.Response {
			return f.A.Do(t, "POST", "/factors", m{"factor_type": "totp", "friendly_name": "another"}, flowtest.User(s.Access))
		},
	} {
		f.A.Exec(t, `UPDATE auth.sessions SET aal = 'aal2'`)
		answered := make(chan *flowtest.Response, 1)
		err := f.A.DB.Tx(t.Context(), func(tx *tenantdb.Tx) error {
			if _, err := tx.UserByID(t.Context(), uuid.MustParse(s.UserID), true); err != nil {
				return err
			}
			go func() { answered <- request() }()
			for f.A.Count(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			f.A.Exec(t, `UPDATE auth.sessions SET aal = 'aal1'`)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if res := <-answered; res.Status != 422 && res.Status != 403 {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
}

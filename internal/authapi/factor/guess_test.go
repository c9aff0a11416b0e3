package factor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

const (
	strange = "198.51.100.7"
	home6   = "2001:db8:1:2::5"
)

// signInFrom signs in with the password from an address.
func signInFrom(t *testing.T, p *flowtest.Project, ip string) flowtest.Session {
	t.Helper()
	return p.Do(t, "POST", "/token?grant_type=password", m{"email": ann, "password": pass}, flowtest.From(ip)).Session()
}

// tryTOTP answers a new challenge from an address: rightly, or with a wrong code.
func tryTOTP(t *testing.T, f *flowtest.Fixture, s flowtest.Session, d device, ip string, right bool) *flowtest.Response {
	t.Helper()
	c := f.A.Do(t, "POST", "/factors/"+d.id+"/challenge", m{}, flowtest.From(ip), flowtest.User(s.Access)).Want(200).Get("id")
	code := d.code(t, f, 0)
	if !right {
		code = otherCode(code)
	}
	return verify(t, f.A, s.Access, d, c, code, flowtest.From(ip))
}

// Strangers who know the password use up tries of their own: many addresses have no more
// than one, and the user's networks none of them.
func TestGuessesOfStrangers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	_, d := protected(t, f, f.A, ann)
	home := f.A.SignIn(t, ann, pass)
	for _, ip := range []string{strange, strange, "198.51.100.8", "2001:db8:9::1", "203.0.113.1"} {
		tryTOTP(t, f, signInFrom(t, f.A, ip), d, ip, false).WantError(422, "mfa_verification_failed")
	}
	for _, ip := range []string{strange, "203.0.113.200", home6} {
		if got := tryTOTP(t, f, signInFrom(t, f.A, ip), d, ip, true); got.Status != 429 {
			t.Errorf("a stranger's right code after five wrong ones: %d %s", got.Status, got.Raw)
		}
	}
	for range 3 {
		tryTOTP(t, f, home, d, "192.0.2.1", false).WantError(422, "mfa_verification_failed")
	}
	tryTOTP(t, f, home, d, "192.0.2.1", true).Want(200)

	// The user's own tries are bounded too, and are not the strangers'.
	f.Clock.Advance(10 * time.Minute)
	home = f.A.SignIn(t, ann, pass)
	for range 5 {
		tryTOTP(t, f, home, d, "192.0.2.1", false).WantError(422, "mfa_verification_failed")
	}
	if got := tryTOTP(t, f, home, d, "192.0.2.1", true); got.Status != 429 {
		t.Errorf("a right code after five wrong ones: %d", got.Status)
	}
	// A proof makes a network the user's, the whole /64 of it; a failure does not.
	tryTOTP(t, f, signInFrom(t, f.A, home6), d, home6, true).Want(200)
	const near = "2001:db8:1:2:ffff::1"
	if got := tryTOTP(t, f, signInFrom(t, f.A, near), d, near, false); got.Status != 429 {
		t.Errorf("a network of the user's has tries of its own: %d", got.Status)
	}
	// The day's tries of strangers are used up, and the user's are not.
	f.Clock.Advance(time.Hour)
	var low flowtest.Session
	wrong := 0
	for n := range 120 {
		if n%30 == 0 {
			low = signInFrom(t, f.A, strange)
		}
		f.Clock.Advance(time.Minute)
		if tryTOTP(t, f, low, d, fmt.Sprint("198.51.100.", n), false).Status == 422 {
			wrong++
		}
	}
	if wrong > 108 {
		t.Errorf("%d wrong codes of strangers within two hours", wrong)
	}
	home = f.A.SignIn(t, ann, pass)
	tryTOTP(t, f, home, d, "192.0.2.1", true).Want(200)
}

// Who proved no factor is nobody's friend: neither a sign-in by password nor a session of
// another project makes a network the user's, and a proof is forgotten.
func TestNetworksOfUser(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	_, d := protected(t, f, f.A, ann)
	other, there := protected(t, f, f.B, ann)
	c := f.B.Do(t, "POST", "/factors/"+there.id+"/challenge", m{}, flowtest.From(strange), flowtest.User(other.Access)).Want(200).Get("id")
	verify(t, f.B, other.Access, there, c, there.code(t, f, 0), flowtest.From(strange)).Want(200)
	known := func() int {
		return f.A.Count(t, `SELECT count(*) FROM reeve.factor_network WHERE network = $1`, strange)
	}
	low := signInFrom(t, f.A, strange)
	tryTOTP(t, f, low, d, strange, false).WantError(422, "mfa_verification_failed")
	if n := known(); n != 0 {
		t.Errorf("%d networks without a proof", n)
	}
	if n := f.B.Count(t, `SELECT count(*) FROM reeve.factor_network`); n != 2 {
		t.Errorf("%d networks of the other project, want 2", n)
	}
	// Signed out everywhere, the user is known by the proof, for 90 days.
	f.A.ExecAsOwner(t, `DELETE FROM auth.sessions`)
	for range 5 {
		tryTOTP(t, f, signInFrom(t, f.A, strange), d, strange, false)
	}
	tryTOTP(t, f, f.A.SignIn(t, ann, pass), d, "192.0.2.1", false).WantError(422, "mfa_verification_failed")
	f.A.ExecAsOwner(t, `DELETE FROM auth.sessions`)
	f.Clock.Advance(91 * 24 * time.Hour)
	for range 5 {
		tryTOTP(t, f, signInFrom(t, f.A, strange), d, strange, false).WantError(422, "mfa_verification_failed")
	}
	if got := tryTOTP(t, f, f.A.SignIn(t, ann, pass), d, "192.0.2.1", true); got.Status != 429 {
		t.Errorf("known after 91 days: %d", got.Status)
	}
	if _, err := f.A.DB.Tidy(t.Context(), f.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.factor_network`); n != 0 {
		t.Errorf("%d networks are kept", n)
	}
	f.B.Admin(t, "DELETE", "/admin/users/"+other.UserID, nil).Want(200)
	if n := f.B.Count(t, `SELECT count(*) FROM reeve.factor_network`); n != 0 {
		t.Errorf("%d networks of a deleted user", n)
	}
}

// Wrong recovery codes of strangers lock out strangers, and those of the user the user.
func TestRecoveryCodesOfStrangers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, recoverable)
	s, _ := protected(t, f, f.A, ann)
	codes, _ := makeCodes(t, f.A, s.Access)
	enter := func(ip, code string) *flowtest.Response {
		t.Helper()
		return f.A.Do(t, "POST", codesPath+"/verify", m{"code": code}, flowtest.From(ip), flowtest.User(signInFrom(t, f.A, ip).Access))
	}
	for _, ip := range []string{strange, strange, "198.51.100.8", "2001:db8:9::1", "203.0.113.1"} {
		enter(ip, "aaaabbbbccccdddd").WantError(422, "mfa_verification_failed")
	}
	if res := enter("203.0.113.200", codes[0]).WantError(429, "mfa_recovery_codes_locked"); res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if n := f.A.Count(t, `SELECT failed_verification_count FROM auth.mfa_recovery_code_sets`); n != 0 {
		t.Errorf("strangers' codes count %d in the set", n)
	}
	enter("192.0.2.1", codes[0]).Want(200)
	for range 5 {
		enter("192.0.2.1", "aaaabbbbccccdddd").WantError(422, "mfa_verification_failed")
	}
	enter("192.0.2.1", codes[1]).WantError(429, "mfa_recovery_codes_locked")
	// Later, and elsewhere, a right code is accepted; the network is the user's then.
	f.Clock.Advance(4 * time.Minute)
	enter(strange, codes[1]).Want(200)
	f.Clock.Advance(time.Minute)
	for range 5 {
		enter(strange, "aaaabbbbccccdddd").WantError(422, "mfa_verification_failed")
	}
	enter(strange, codes[2]).WantError(429, "mfa_recovery_codes_locked")

	// The answers to a user without codes are the same.
	other := f.B.SignUp(t, ann, pass)
	for range 5 {
		enterCode(t, f.B, other.Access, codes[3]).WantError(422, "mfa_verification_failed")
	}
	enterCode(t, f.B, other.Access, codes[3]).WantError(429, "mfa_recovery_codes_locked")
}

// Messages that strangers have sent are counted apart from those of the user.
func TestTextsOfStrangers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	s := f.A.SignUp(t, ann, pass)
	id := enrollPhone(t, f.A, s.Access, number)
	c, code := askForCode(t, f, f.A, s.Access, id)
	enterText(t, f.A, s.Access, id, c, code).Want(200)
	low := signInFrom(t, f.A, strange)
	ask := func(low flowtest.Session, ip string) *flowtest.Response {
		t.Helper()
		f.Clock.Advance(10 * time.Second)
		return f.A.Do(t, "POST", "/factors/"+id+"/challenge", m{"channel": "sms"}, flowtest.From(ip), flowtest.User(low.Access))
	}
	sent := 0
	for range 15 {
		if ask(low, strange).Status == 200 {
			sent++
		}
	}
	if sent < 8 || sent > 11 {
		t.Errorf("%d messages of strangers", sent)
	}
	ask(low, "203.0.113.5").WantError(429, "over_sms_send_rate_limit")
	ask(f.A.SignIn(t, ann, pass), "192.0.2.1").Want(200)
}

package signup_test

import (
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const mobile = "491701234567"

func phoneOn(c *tenants.Config) { c.ExternalPhoneEnabled, c.SMSAutoconfirm = true, false }

func signUpByPhone(t *testing.T, p *flowtest.Project, password string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/signup", m{"phone": "+" + mobile, "password": password, "data": m{"of": password}})
}

func byPassword(t *testing.T, p *flowtest.Project, password string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/token?grant_type=password", m{"phone": mobile, "password": password})
}

func typeCode(t *testing.T, p *flowtest.Project, code string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/verify", m{"type": "sms", "phone": mobile, "token": code})
}

// TestPhone: a sign-up, its confirmation, a sign-in by password, and a repeated
// sign-up, which is answered like the first one. The other project has nothing of
// it.
func TestPhone(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	first := signUpByPhone(t, f.A, "first-password").Want(200)
	if first.Get("phone") != mobile || first.Get("identities") == "[]" || first.Get("access_token") != "" {
		t.Errorf("answer %s", first.Raw)
	}
	byPassword(t, f.A, "wrong-password").WantError(400, "invalid_credentials")
	byPassword(t, f.A, "first-password").WantError(400, "phone_not_confirmed")
	code := f.A.Mail(t, mobile).Code
	typeCode(t, f.B, code).WantError(403, "otp_expired")
	s := typeCode(t, f.A, code).Session()
	if again := byPassword(t, f.A, "first-password").Session(); again.UserID != s.UserID {
		t.Errorf("another user %s", again.UserID)
	}
	byPassword(t, f.B, "first-password").WantError(400, "invalid_credentials")
	f.Clock.Advance(time.Minute)
	f.A.EmptyOutbox(t)
	repeated := signUpByPhone(t, f.A, "other-password").Want(200)
	if repeated.Get("id") == s.UserID || repeated.Get("phone") != mobile || len(f.A.Mails(t)) != 0 {
		t.Errorf("answer %s and %d messages", repeated.Raw, len(f.A.Mails(t)))
	}
	byPassword(t, f.A, "other-password").WantError(400, "invalid_credentials")
}

// TestPhoneAutoconfirm: the mobile of a sign-up is taken for confirmed, and a
// taken one is refused.
func TestPhoneAutoconfirm(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	signUpByPhone(t, f.A, "unconfirmed-password").Want(200)
	f.A.Configure(func(c *tenants.Config) { c.SMSAutoconfirm = true })
	s := signUpByPhone(t, f.A, "good-password").Session()
	byPassword(t, f.A, "unconfirmed-password").WantError(400, "invalid_credentials")
	byPassword(t, f.A, "good-password").Session()
	signUpByPhone(t, f.A, "third-password").WantError(422, "user_already_exists")
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	if me.Get("phone_confirmed_at") == "" || me.Get("app_metadata.provider") != "phone" {
		t.Errorf("user %s", me.Raw)
	}
}

// TestPhonePreHijacking: whose code proves the mobile, theirs is the account, and
// no password of somebody else's remains.
func TestPhonePreHijacking(t *testing.T) {
	t.Parallel()
	const attacker, victim = "attacker-password", "victim-password"
	for name, c := range map[string]struct {
		begin func(t *testing.T, f *flowtest.Fixture) // the victim's, after the attacker's sign-up
		works string                                  // the password that works in the end
	}{
		"victim signs in by code": {func(t *testing.T, f *flowtest.Fixture) {
			f.A.Do(t, "POST", "/otp", m{"phone": mobile}).Want(200)
		}, ""},
		"victim signs up": {func(t *testing.T, f *flowtest.Fixture) { signUpByPhone(t, f.A, victim).Want(200) }, victim},
		"victim signs in by code, the attacker comes again": {func(t *testing.T, f *flowtest.Fixture) {
			f.A.Do(t, "POST", "/otp", m{"phone": mobile}).Want(200)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, phoneOn, func(c *tenants.Config) { c.SMSMaxFrequency = 0 })
			signUpByPhone(t, f.A, attacker).Want(200)
			f.Clock.Advance(time.Second)
			f.A.EmptyOutbox(t)
			c.begin(t, f)
			code := f.A.Mail(t, mobile).Code
			if name == "victim signs in by code, the attacker comes again" {
				f.Clock.Advance(time.Second)
				signUpByPhone(t, f.A, attacker).Want(200)
			}
			typeCode(t, f.A, code).Session()
			byPassword(t, f.A, attacker).WantError(400, "invalid_credentials")
			if c.works != "" {
				byPassword(t, f.A, c.works).Session()
			}
		})
	}
}

// TestResendCode: the code of a pending sign-up comes again, and nothing for a
// confirmed or unknown mobile.
func TestResendCode(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	resend := func(phone string) *flowtest.Response {
		f.Clock.Advance(6 * time.Second)
		return f.A.Do(t, "POST", "/resend", m{"type": "sms", "phone": phone})
	}
	signUpByPhone(t, f.A, "good-password").Want(200)
	old := f.A.Mail(t, mobile).Code
	f.A.EmptyOutbox(t)
	resend(mobile).Want(200)
	code := f.A.Mail(t, mobile).Code
	if old != code {
		typeCode(t, f.A, old).WantError(403, "otp_expired")
	}
	typeCode(t, f.A, code).Session()
	byPassword(t, f.A, "good-password").Session()
	f.A.EmptyOutbox(t)
	resend(mobile).Want(200)
	resend("491701234500").Want(200)
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d messages", n)
	}
	f.A.Do(t, "POST", "/resend", m{"type": "sms", "email": "a@example.com"}).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/resend", m{"type": "signup", "phone": mobile}).WantError(400, "validation_failed")
}

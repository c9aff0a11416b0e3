package account_test

import (
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const number, another = "491701234567", "491701234568"

func phoneOn(c *tenants.Config) {
	c.ExternalPhoneEnabled, c.SMSAutoconfirm, c.AnonymousUsers = true, false, true
}

// TestChangePhone: a new number is the user's after its code; an anonymous user
// becomes a permanent one, with the same id.
func TestChangePhone(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	put := func(s flowtest.Session, body flowtest.M) *flowtest.Response {
		return f.A.Do(t, "PUT", "/user", body, flowtest.User(s.Access))
	}
	verify := func(p *flowtest.Project, phone, code string) *flowtest.Response {
		return p.Do(t, "POST", "/verify", flowtest.M{"type": "phone_change", "phone": phone, "token": code})
	}
	s := f.A.Do(t, "POST", "/signup", flowtest.M{}).Session()
	pending := put(s, flowtest.M{"phone": "+" + number}).Want(200)
	if pending.Get("new_phone") != number || pending.Get("phone") != "" || pending.Get("is_anonymous") != "true" {
		t.Errorf("pending %s", pending.Raw)
	}
	put(s, flowtest.M{"phone": number}).WantError(429, "over_sms_send_rate_limit")
	code := f.A.Mail(t, number).Code
	verify(f.B, number, code).WantError(403, "otp_expired")
	verify(f.A, another, code).WantError(403, "otp_expired")
	f.A.Do(t, "POST", "/verify", flowtest.M{"type": "sms", "phone": number, "token": code}).WantError(403, "otp_expired")
	done := verify(f.A, number, code).Session()
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(done.Access)).Want(200)
	if done.UserID != s.UserID || me.Get("phone") != number || me.Get("new_phone") != "" || me.Get("is_anonymous") != "false" || me.Get("phone_confirmed_at") == "" {
		t.Errorf("user %s", me.Raw)
	}
	verify(f.A, number, code).WantError(403, "otp_expired")

	f.Clock.Advance(time.Minute)
	put(done, flowtest.M{"phone": another}).Want(200)
	f.Clock.Advance(time.Minute)
	f.A.EmptyOutbox(t)
	f.A.Do(t, "POST", "/resend", flowtest.M{"type": "phone_change", "phone": number}).Want(200) // by the current one
	verify(f.A, another, f.A.Mail(t, another).Code).Session()
	other := f.A.Do(t, "POST", "/signup", flowtest.M{}).Session()
	put(other, flowtest.M{"phone": another}).WantError(422, "phone_exists")
	put(other, flowtest.M{"phone": number, "channel": "pigeon"}).WantError(400, "validation_failed")
}

// TestReauthenticateByPhone: a user without an address gets the nonce as a text
// message.
func TestReauthenticateByPhone(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn, func(c *tenants.Config) { c.ReauthenticateForPassword, c.JWTExp = true, 7*24*3600 })
	f.A.Do(t, "POST", "/otp", flowtest.M{"phone": number}).Want(200)
	s := f.A.Do(t, "POST", "/verify", flowtest.M{"type": "sms", "phone": number, "token": f.A.Mail(t, number).Code}).Session()
	f.Clock.Advance(48 * time.Hour)
	put := func(body flowtest.M) *flowtest.Response {
		return f.A.Do(t, "PUT", "/user", body, flowtest.User(s.Access))
	}
	put(flowtest.M{"password": "new-password"}).WantError(400, "reauthentication_needed")
	f.A.EmptyOutbox(t)
	f.A.Do(t, "GET", "/reauthenticate", nil, flowtest.User(s.Access)).Want(200)
	nonce := f.A.Mail(t, number).Code
	put(flowtest.M{"password": "new-password", "nonce": "000000"}).WantError(422, "reauthentication_not_valid")
	put(flowtest.M{"password": "new-password", "nonce": nonce}).Want(200)
	put(flowtest.M{"password": "newer-password", "nonce": nonce}).WantError(422, "reauthentication_not_valid")
	f.A.Do(t, "POST", "/token?grant_type=password", flowtest.M{"phone": number, "password": "new-password"}).Session()
}

package otp_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const number = "491701234567"

func phoneOn(c *tenants.Config) { c.ExternalPhoneEnabled, c.SMSAutoconfirm = true, false }

// TestSignInByText: a new user and a known one; a code of one project is none of
// another, where the same number has a user too.
func TestSignInByText(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	send := func(p *flowtest.Project, body m) message.Message {
		t.Helper()
		f.Clock.Advance(time.Minute)
		p.EmptyOutbox(t)
		res := p.Do(t, "POST", "/otp", body).Want(200)
		text := p.Mail(t, number)
		if res.Get("message_id") != text.ID.String() || text.Channel != message.SMS || text.Text != "Your code is "+text.Code || len(text.Code) != 6 {
			t.Errorf("answer %s, message %+v", res.Raw, text)
		}
		return text
	}
	verify := func(p *flowtest.Project, code string) *flowtest.Response {
		t.Helper()
		return p.Do(t, "POST", "/verify", m{"type": "sms", "phone": "+" + number, "token": code})
	}
	a := send(f.A, m{"phone": "+49 170 1234567", "data": m{"name": "Ann"}})
	b := send(f.B, m{"phone": number})
	verify(f.B, a.Code).WantError(403, "otp_expired")
	verify(f.A, "000000").WantError(403, "otp_expired")
	verify(f.B, b.Code).Session()
	s := verify(f.A, send(f.A, m{"phone": number}).Code).Session() // a's code has been replaced
	verify(f.A, a.Code).WantError(403, "otp_expired")
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	if me.Get("phone") != number || me.Get("phone_confirmed_at") == "" || me.Get("user_metadata.name") != "Ann" ||
		me.Get("app_metadata.provider") != "phone" || me.Get("user_metadata.phone_verified") != "true" {
		t.Errorf("user %s", me.Raw)
	}
	if claims := flowtest.Claims(t, s.Access); claims["phone"] != number {
		t.Errorf("claims %v", claims)
	}
	again := verify(f.A, send(f.A, m{"phone": number, "create_user": false}).Code).Session()
	if again.UserID != s.UserID {
		t.Errorf("signed in as %s, not %s", again.UserID, s.UserID)
	}
	f.B.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(401, "bad_jwt")
	late := send(f.A, m{"phone": number})
	f.Clock.Advance(time.Minute)
	verify(f.A, late.Code).WantError(403, "otp_expired")
}

// TestTextRefused: refusals depend on the request and the settings only.
func TestTextRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	ask := func(body m) *flowtest.Response { return f.A.Do(t, "POST", "/otp", body) }
	ask(m{"phone": "x"}).WantError(400, "validation_failed")
	ask(m{"phone": "+99912345678"}).WantError(400, "validation_failed")
	ask(m{"phone": number, "email": "a@example.com"}).WantError(400, "validation_failed")
	ask(m{"phone": number, "channel": "pigeon"}).WantError(400, "validation_failed")
	f.A.Configure(func(c *tenants.Config) { set(t, c, "sms_allowed_countries", "AT,CH") })
	ask(m{"phone": number}).WantError(422, "sms_send_failed")
	f.A.Configure(func(c *tenants.Config) { set(t, c, "sms_allowed_countries", "AT,DE") })
	ask(m{"phone": number}).Want(200)
	ask(m{"phone": number}).WantError(429, "over_sms_send_rate_limit")
	f.Texter.Capture = false
	ask(m{"phone": "491701234568"}).WantError(422, "sms_send_failed")
	f.Texter.Capture = true
	f.A.Configure(func(c *tenants.Config) { c.RateLimitSMSCountry = 2 })
	ask(m{"phone": "491701234568"}).Want(200)
	ask(m{"phone": "491701234569"}).Want(200)
	ask(m{"phone": "491701234560"}).WantError(429, "over_sms_send_rate_limit")
	ask(m{"phone": "436641234567"}).Want(200)
	f.B.Configure(func(c *tenants.Config) { c.RateLimitSMSSent = 1 })
	f.B.Do(t, "POST", "/otp", m{"phone": number}).Want(200)
	f.B.Do(t, "POST", "/otp", m{"phone": "436641234568"}).WantError(429, "over_sms_send_rate_limit")
	f.A.Configure(func(c *tenants.Config) { c.ExternalPhoneEnabled = false })
	ask(m{"phone": number}).WantError(400, "phone_provider_disabled")
	f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": number, "token": "123456"}).WantError(422, "phone_provider_disabled")
}

// TestTextTellsNobody: the answers to known and unknown numbers are the same but
// for the id of the message.
func TestTextTellsNobody(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	f.A.Admin(t, "POST", "/admin/users", m{"phone": number, "phone_confirm": true}).Want(200)
	f.A.Admin(t, "POST", "/admin/users", m{"phone": "491701234500", "phone_confirm": true, "ban_duration": "1h"}).Want(200)
	for round := range 2 {
		var first *flowtest.Response
		for _, phone := range []string{number, "491701234500", "491701234501"} {
			res := f.A.Do(t, "POST", "/otp", m{"phone": phone, "create_user": false})
			if want := []int{200, 429}[round]; res.Status != want {
				t.Errorf("round %d: %s: status %d", round, phone, res.Status)
			}
			delete(res.JSON, "message_id")
			if first == nil {
				first = res
			}
			if diff := cmp.Diff(first.JSON, res.JSON); diff != "" {
				t.Errorf("round %d: answers differ: %s", round, diff)
			}
		}
	}
	if n := len(f.A.Mails(t)); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// TestFixedCode: a number with a fixed code gets no message, and needs no gateway.
func TestFixedCode(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn, func(c *tenants.Config) {
		set(t, c, "sms_test_otp", "15550001111=123456, 15550002222=654321")
		set(t, c, "sms_allowed_countries", "DE")
	})
	f.Texter.Capture = false
	res := f.A.Do(t, "POST", "/otp", m{"phone": "15550001111"}).Want(200)
	if res.Get("message_id") != "test-otp" || len(f.A.Mails(t)) != 0 {
		t.Errorf("answer %s, %d messages", res.Raw, len(f.A.Mails(t)))
	}
	f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": "15550001111", "token": "654321"}).WantError(403, "otp_expired")
	f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": "15550001111", "token": "123456"}).Session()
	f.A.Configure(func(c *tenants.Config) {
		set(t, c, "sms_test_otp_valid_until", f.Clock.Now().Format(time.RFC3339))
	})
	f.Clock.Advance(time.Minute)
	f.A.Do(t, "POST", "/otp", m{"phone": "15550001111"}).WantError(422, "sms_send_failed")
}

// TestGuesses: a code that was guessed at too often is refused when it comes.
func TestGuesses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phoneOn)
	f.A.Do(t, "POST", "/otp", m{"phone": number}).Want(200)
	for range 5 {
		f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": number, "token": "000000"}).WantError(403, "otp_expired")
	}
	f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": number, "token": f.A.Mail(t, number).Code}).WantError(403, "otp_expired")
}

func set(t *testing.T, c *tenants.Config, name, value string) {
	t.Helper()
	flowtest.Set(t, c, name, value)
}

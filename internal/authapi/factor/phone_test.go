package factor_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const number = "491701234567"

// phones lets users have phone numbers as second factors.
func phones(c *tenants.Config) { c.PhoneEnroll, c.PhoneVerify, c.RateLimitMFA = true, true, 1000 }

func enrollPhone(t *testing.T, p *flowtest.Project, access, phone string) string {
	t.Helper()
	return p.Do(t, "POST", "/factors", m{"factor_type": "phone", "phone": phone}, flowtest.User(access)).Want(200).Get("id")
}

// askForCode begins a challenge a while later, and returns it and the code that was sent.
func askForCode(t *testing.T, f *flowtest.Fixture, p *flowtest.Project, access, factor string) (challenge, code string) {
	t.Helper()
	f.Clock.Advance(10 * time.Second)
	p.EmptyOutbox(t)
	res := p.Do(t, "POST", "/factors/"+factor+"/challenge", m{"channel": "sms"}, flowtest.User(access)).Want(200)
	text := p.Mail(t, number)
	if res.Get("type") != "phone" || text.Kind != message.SecondFactor || text.Channel != message.SMS || text.Code == "" || !text.ExpiresAt.Equal(f.Clock.Now().Add(5*time.Minute)) {
		t.Errorf("answer %s, message %+v", res.Raw, text)
	}
	return res.Get("id"), text.Code
}

func enterText(t *testing.T, p *flowtest.Project, access, factor, challenge, code string, options ...flowtest.Option) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/factors/"+factor+"/verify", m{"challenge_id": challenge, "code": code}, append(options, flowtest.User(access))...)
}

// otherCode is a code that differs.
func otherCode(code string) string {
	if strings.HasPrefix(code, "0") {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

func TestPhone(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones, func(c *tenants.Config) { c.MFAPhoneOTPLength, c.MFAPhoneTemplate = 8, "Bank: {{ .Code }}" })
	s := f.A.SignUp(t, ann, pass)
	ended := f.A.SignIn(t, ann, pass)
	as := flowtest.User(s.Access)
	f.A.Do(t, "POST", "/factors", m{"factor_type": "phone"}, as).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "phone", "phone": "x"}, as).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "phone", "phone": "+99912345678"}, as).WantError(400, "validation_failed")
	f.A.EmptyOutbox(t)
	res := f.A.Do(t, "POST", "/factors", m{"factor_type": "phone", "phone": "+49 170 1234567", "friendly_name": "mine"}, as).Want(200)
	if res.Get("type") != "phone" || res.Get("phone") != "+49 170 1234567" || res.Get("friendly_name") != "mine" || len(f.A.Mails(t)) != 0 {
		t.Errorf("%s", res.Raw)
	}
	id := res.Get("id")
	c, code := askForCode(t, f, f.A, s.Access, id)
	if text := f.A.Mail(t, number); len(code) != 8 || text.Text != "Bank: "+code {
		t.Errorf("%+v", text)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_challenges WHERE otp_code IS NULL OR otp_code LIKE '%' || $1 || '%'`, code); n != 0 {
		t.Error("the code is stored in clear")
	}
	enterText(t, f.A, s.Access, id, c, otherCode(code)).WantError(422, "mfa_verification_failed")
	enterText(t, f.A, s.Access, id, c, "").WantError(422, "mfa_verification_failed")
	enterText(t, f.A, s.Access, id, c, code, flowtest.From("198.51.100.7")).WantError(422, "mfa_ip_address_mismatch")
	next := enterText(t, f.A, s.Access, id, c, code).Session()
	claims := flowtest.Claims(t, next.Access)
	if amr, _ := json.Marshal(claims["amr"]); claims["aal"] != "aal2" || !strings.Contains(string(amr), `"mfa/phone"`) {
		t.Errorf("%v", claims)
	}
	enterText(t, f.A, next.Access, id, c, code).WantError(422, "mfa_challenge_expired")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ended.Access)).WantError(403, "session_not_found")
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(next.Access)).Want(200)
	if !strings.Contains(string(me.Raw), `"phone":"`+number+`"`) || !strings.Contains(string(me.Raw), `"status":"verified"`) {
		t.Errorf("%s", me.Raw)
	}
	// At the next sign-in. A code answers its own challenge, for five minutes.
	low := f.A.SignIn(t, ann, pass)
	first, old := askForCode(t, f, f.A, low.Access, id)
	second, code := askForCode(t, f, f.A, low.Access, id)
	if old != code {
		enterText(t, f.A, low.Access, id, second, old).WantError(422, "mfa_verification_failed")
	}
	f.Clock.Advance(5*time.Minute - 10*time.Second)
	enterText(t, f.A, low.Access, id, first, old).WantError(422, "mfa_challenge_expired")
	enterText(t, f.A, low.Access, id, second, code).Session()

	f.A.Configure(func(c *tenants.Config) { c.PhoneEnroll, c.PhoneVerify = false, false })
	f.A.Do(t, "POST", "/factors", m{"factor_type": "phone", "phone": number}, flowtest.User(next.Access)).WantError(422, "mfa_phone_enroll_not_enabled")
	f.A.Do(t, "POST", "/factors/"+id+"/challenge", m{}, flowtest.User(next.Access)).WantError(422, "mfa_phone_verify_not_enabled")
	enterText(t, f.A, next.Access, id, first, code).WantError(422, "mfa_challenge_expired")
}

// A number is a user's once; what was never verified gives way.
func TestPhoneOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones, recoverable)
	s := f.A.SignUp(t, ann, pass)
	first := enrollPhone(t, f.A, s.Access, number)
	second := enrollPhone(t, f.A, s.Access, "+"+number)
	f.A.Do(t, "POST", "/factors/"+first+"/challenge", m{}, flowtest.User(s.Access)).WantError(404, "mfa_factor_not_found")
	other := enrollPhone(t, f.A, s.Access, "491701234568")
	c, code := askForCode(t, f, f.A, s.Access, second)
	s = enterText(t, f.A, s.Access, second, c, code).Session()
	high := flowtest.User(s.Access)
	f.A.Do(t, "POST", "/factors", m{"factor_type": "phone", "phone": number}, high).WantError(422, "mfa_verified_factor_exists")
	// The first code removes other numbers that were never verified.
	f.A.Do(t, "POST", "/factors/"+other+"/challenge", m{}, high).WantError(404, "mfa_factor_not_found")
	// The same number is another user's too.
	bobs := f.A.SignUp(t, bob, pass)
	enrollPhone(t, f.A, bobs.Access, number)

	// A number protects recovery codes while codes are sent to it.
	makeCodes(t, f.A, s.Access)
	f.A.Do(t, "DELETE", "/factors/"+second, nil, high).WantError(422, "mfa_recovery_codes_sole_factor")

	// A session below aal2 sends nothing to a number that it could not verify.
	more := enrollPhone(t, f.A, s.Access, "491701234569")
	low := flowtest.User(f.A.SignIn(t, ann, pass).Access)
	f.A.Do(t, "POST", "/factors/"+more+"/challenge", m{}, low).WantError(403, "insufficient_aal")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "phone", "phone": "491701234570"}, low).WantError(403, "insufficient_aal")
}

// The limits of text messages hold for codes of second factors.
func TestPhoneLimits(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones, func(c *tenants.Config) { c.SMSMaxFrequency, c.MFAPhoneMaxFrequency = 0, 30 })
	s := f.A.SignUp(t, ann, pass)
	as := flowtest.User(s.Access)
	id := enrollPhone(t, f.A, s.Access, number)
	path := "/factors/" + id + "/challenge"
	f.A.Do(t, "POST", path, m{"channel": "pigeon"}, as).WantError(400, "validation_failed")
	f.A.Configure(func(c *tenants.Config) { flowtest.Set(t, c, "sms_allowed_countries", "AT") })
	f.A.Do(t, "POST", path, m{}, as).WantError(422, "sms_send_failed")
	f.A.Configure(func(c *tenants.Config) { flowtest.Set(t, c, "sms_allowed_countries", "DE") })
	f.A.EmptyOutbox(t)
	if f.A.Do(t, "POST", path, m{"channel": "whatsapp"}, as).Want(200); f.A.Mail(t, number).Channel != message.WhatsApp {
		t.Error("a message by another channel")
	}
	f.A.Do(t, "POST", path, m{}, as).WantError(429, "over_sms_send_rate_limit")
	bobs := f.A.SignUp(t, bob, pass)
	f.A.Do(t, "POST", "/factors/"+enrollPhone(t, f.A, bobs.Access, number)+"/challenge", m{}, flowtest.User(bobs.Access)).WantError(429, "over_sms_send_rate_limit")
	f.Clock.Advance(30 * time.Second)
	f.A.Configure(func(c *tenants.Config) { c.RateLimitSMSSent = 1 })
	f.A.Do(t, "POST", path, m{}, as).Want(200)
	f.Clock.Advance(30 * time.Second)
	f.A.Do(t, "POST", path, m{}, as).WantError(429, "over_sms_send_rate_limit")
	f.A.Configure(func(c *tenants.Config) { c.RateLimitSMSSent, c.RateLimitSMSCountry = 100, 1 })
	f.Clock.Advance(time.Minute)
	f.A.Do(t, "POST", path, m{}, as).Want(200)
	f.Clock.Advance(time.Minute)
	f.A.Do(t, "POST", path, m{}, as).WantError(429, "over_sms_send_rate_limit")
	f.Texter.Capture = false
	f.A.Configure(func(c *tenants.Config) { c.RateLimitSMSCountry = 0 })
	f.A.Do(t, "POST", path, m{}, as).WantError(422, "sms_send_failed")
	// A number with a fixed code gets no message.
	f.A.Configure(func(c *tenants.Config) { flowtest.Set(t, c, "sms_test_otp", number+"=123456") })
	f.A.EmptyOutbox(t)
	c := f.A.Do(t, "POST", path, m{}, as).Want(200).Get("id")
	enterText(t, f.A, s.Access, id, c, "123457").WantError(422, "mfa_verification_failed")
	enterText(t, f.A, s.Access, id, c, "123456").Session()
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// Wrong codes of a number are bounded, over its challenges, and one code works once.
func TestPhoneGuesses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	s := f.A.SignUp(t, ann, pass)
	id := enrollPhone(t, f.A, s.Access, number)
	c, code := askForCode(t, f, f.A, s.Access, id)
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for range 5 {
		wg.Go(func() {
			got := f.A.Do(t, "POST", "/factors/"+id+"/verify", m{"challenge_id": c, "code": code}, flowtest.User(s.Access))
			mu.Lock()
			defer mu.Unlock()
			if got.Status == 200 {
				accepted++
			}
		})
	}
	wg.Wait()
	if accepted != 1 {
		t.Errorf("%d of 5 were accepted", accepted)
	}
	low := f.A.SignIn(t, ann, pass)
	for range 5 {
		c, code = askForCode(t, f, f.A, low.Access, id)
		enterText(t, f.A, low.Access, id, c, otherCode(code)).WantError(422, "mfa_verification_failed")
	}
	c, code = askForCode(t, f, f.A, low.Access, id)
	if got := enterText(t, f.A, low.Access, id, c, code); got.Status == 200 {
		t.Error("the right code after five wrong ones is accepted")
	}
}

// Numbers, challenges and codes are their user's and their project's.
func TestPhonesOfOthers(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	s := f.A.SignUp(t, ann, pass)
	id := enrollPhone(t, f.A, s.Access, number)
	c, code := askForCode(t, f, f.A, s.Access, id)
	for name, p := range map[string]*flowtest.Project{"another user": f.A, "another project": f.B} {
		other := p.SignUp(t, bob, pass)
		as := flowtest.User(other.Access)
		p.Do(t, "POST", "/factors/"+id+"/challenge", m{}, as).WantError(404, "mfa_factor_not_found")
		enterText(t, p, other.Access, id, c, code).WantError(404, "mfa_factor_not_found")
		own := enrollPhone(t, p, other.Access, number)
		enterText(t, p, other.Access, own, c, code).WantError(422, "mfa_factor_not_found")
		mine, sent := askForCode(t, f, p, other.Access, own)
		if sent != code {
			if res := enterText(t, p, other.Access, own, mine, code); res.Status != 422 {
				t.Errorf("%s: %s", name, res.Raw)
			}
		}
		// A row of another challenge answers none, even with its digest.
		p.Exec(t, `UPDATE auth.mfa_challenges SET otp_code = 'x' WHERE id = $1`, mine)
		enterText(t, p, other.Access, own, mine, sent).WantError(422, "mfa_verification_failed")
	}
	enterText(t, f.A, s.Access, id, c, code).Session()
	f.A.Do(t, "POST", "/factors/"+uuid.NewString()+"/challenge", m{}, flowtest.User(s.Access)).WantError(404, "mfa_factor_not_found")
}

// The hook is told of codes to numbers, and a notice of the factor.
func TestHookOfPhones(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones, notified)
	s := f.A.SignUp(t, ann, pass)
	id := enrollPhone(t, f.A, s.Access, number)
	f.A.ExecAsOwner(t, `CREATE TABLE public.tries (valid boolean, kind text); GRANT ALL ON public.tries TO supabase_auth_admin;
		CREATE FUNCTION public.hook(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO public.tries VALUES ((event->>'valid')::boolean, event->>'factor_type');
			IF (SELECT count(*) FROM public.tries) > 2 THEN RETURN '{"decision":"reject","message":"Not you"}'; END IF;
			RETURN '{"decision":"continue"}'; END $$`)
	f.A.Hook(t, setting.HookMFAVerification, "pg-functions://postgres/public/hook", setting.HookFailClosed, "")
	c, code := askForCode(t, f, f.A, s.Access, id)
	enterText(t, f.A, s.Access, id, c, otherCode(code)).WantError(422, "mfa_verification_failed")
	f.A.EmptyOutbox(t)
	s = enterText(t, f.A, s.Access, id, c, code).Session()
	if got := notices(t, f.A, ann); got != "mfa_factor_enrolled: A phone number" {
		t.Error(got)
	}
	c, code = askForCode(t, f, f.A, s.Access, id)
	enterText(t, f.A, s.Access, id, c, code).WantError(403, "mfa_verification_rejected")
	if n := f.A.Count(t, `SELECT count(*) FROM public.tries WHERE kind = 'phone'`); n != 3 {
		t.Errorf("%d tries are written", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 0 {
		t.Errorf("%d sessions of a user who was refused", n)
	}
}

// TestTextsOfUser: the messages to one user are bounded, whatever the number: one can
// not have many sent by new factors.
func TestTextsOfUser(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	s := f.A.SignUp(t, ann, pass)
	as := flowtest.User(s.Access)
	for n := range 10 {
		id := enrollPhone(t, f.A, s.Access, "4917012345"+string(rune('0'+n))+"0")
		f.Clock.Advance(10 * time.Second)
		f.A.Do(t, "POST", "/factors/"+id+"/challenge", m{"channel": "sms"}, as).Want(200)
		f.A.Do(t, "DELETE", "/factors/"+id, nil, as).Want(200)
	}
	id := enrollPhone(t, f.A, s.Access, number)
	f.Clock.Advance(10 * time.Second)
	f.A.Do(t, "POST", "/factors/"+id+"/challenge", m{"channel": "sms"}, as).WantError(429, "over_sms_send_rate_limit")
	other := f.B.SignUp(t, ann, pass)
	there := enrollPhone(t, f.B, other.Access, number)
	f.B.Do(t, "POST", "/factors/"+there+"/challenge", m{"channel": "sms"}, flowtest.User(other.Access)).Want(200)
}

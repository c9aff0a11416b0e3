package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/server/servertest"
)

const (
	gatewayToken = "auth-token-of-the-gateway"
	phoneNumber  = "491701234567"
)

// twilioDouble stands for Twilio at the border of the network: its messages, and
// the checks of Twilio Verify, which approve the code of gatewayCode.
type twilioDouble struct {
	*httptest.Server

	mu     sync.Mutex
	how    http.HandlerFunc // instead of the usual answer
	bodies []string
	checks int
}

const gatewayCode = "424242"

func startTwilio(t *testing.T) *twilioDouble {
	t.Helper()
	d := &twilioDouble{}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *twilioDouble) breaks(how http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.how = how
}

func (d *twilioDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(raw))
	d.mu.Lock()
	how := d.how
	if how == nil {
		defer d.mu.Unlock()
	} else {
		d.mu.Unlock() // it may hang
	}
	w.Header().Set("Content-Type", "application/json")
	_, token, _ := r.BasicAuth()
	switch {
	case token != gatewayToken:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":20003,"message":"Authenticate","status":401}`)
	case how != nil:
		r.Form = form
		how(w, r)
	case strings.HasSuffix(r.URL.Path, "/Messages.json"):
		d.bodies = append(d.bodies, form.Get("To")+" "+form.Get("Body"))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid":"SM1","status":"accepted"}`)
	case strings.HasSuffix(r.URL.Path, "/Verifications"):
		d.bodies = append(d.bodies, form.Get("To"))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid":"VE1","status":"pending"}`)
	case strings.HasSuffix(r.URL.Path, "/VerificationCheck"):
		d.checks++
		status := "pending"
		if form.Get("Code") == gatewayCode {
			status = "approved"
		}
		_, _ = io.WriteString(w, `{"sid":"VE1","status":"`+status+`"}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// took waits for the nth message, and returns it.
func (d *twilioDouble) took(t *testing.T, n int) string {
	t.Helper()
	var last string
	eventually(t, "the gateway takes the message", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.bodies) < n {
			return false
		}
		last = d.bodies[n-1]
		return true
	})
	return last
}

func (d *twilioDouble) settings(more map[string]any) map[string]any {
	s := map[string]any{
		"external_phone_enabled": true, "sms_autoconfirm": false, "sms_provider": "twilio", "sms_provider_url": d.URL, "sms_max_frequency": 0,
		"sms_twilio_account_sid": "AC1", "sms_twilio_auth_token": gatewayToken, "sms_twilio_message_service_sid": "MG1",
		"sms_twilio_verify_account_sid": "AC1", "sms_twilio_verify_auth_token": gatewayToken, "sms_twilio_verify_message_service_sid": "VA1",
	}
	for name, value := range more {
		s[name] = value
	}
	return s
}

// TestTextMessages: a code goes from the request by the outbox to the gateway, and
// signs the user in; a code of one project is none of another.
func TestTextMessages(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	reeve := servertest.Start(t)
	a, b := reeve.Project(t, "a", d.settings(nil)), reeve.Project(t, "b", d.settings(nil))
	sent := 0
	ask := func(p *servertest.Project) string {
		t.Helper()
		p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
		sent++
		code := regexp.MustCompile(`^\+` + phoneNumber + ` Your code is (\d{6})$`).FindStringSubmatch(d.took(t, sent))
		if code == nil {
			t.Fatalf("message %q", d.took(t, sent))
		}
		return code[1]
	}
	enter := func(p *servertest.Project, code string) *servertest.Answer {
		t.Helper()
		return p.Do(t, http.MethodPost, "/verify", map[string]any{"type": "sms", "phone": phoneNumber, "token": code})
	}
	ofA, ofB := ask(a), ask(b)
	if ofA != ofB { // once in a million
		enter(b, ofA).Refused(t, http.StatusForbidden, "otp_expired")
		enter(a, ofB).Refused(t, http.StatusForbidden, "otp_expired")
	}
	first, second := enter(a, ofA).Expect(t, http.StatusOK).JSON(t), enter(b, ofB).Expect(t, http.StatusOK).JSON(t)
	if x, y := first["user"].(map[string]any), second["user"].(map[string]any); x["phone"] != phoneNumber || y["phone"] != phoneNumber || x["id"] == y["id"] {
		t.Errorf("users %v, %v", x, y)
	}
	enter(a, ofA).Refused(t, http.StatusForbidden, "otp_expired")
}

// TestTwilioVerify: the gateway makes and compares the codes. Reeve accepts one only
// for a message of this project, and once, whatever the gateway says.
func TestTwilioVerify(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	reeve := servertest.Start(t)
	settings := d.settings(map[string]any{"sms_provider": "twilio_verify"})
	a, b := reeve.Project(t, "a", settings), reeve.Project(t, "b", settings)
	enter := func(p *servertest.Project, kind, code string) *servertest.Answer {
		t.Helper()
		return p.Do(t, http.MethodPost, "/verify", map[string]any{"type": kind, "phone": phoneNumber, "token": code})
	}
	enter(a, "sms", gatewayCode).Refused(t, http.StatusForbidden, "otp_expired") // nobody asked
	a.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
	if to := d.took(t, 1); to != "+"+phoneNumber {
		t.Errorf("sent to %s", to)
	}
	enter(b, "sms", gatewayCode).Refused(t, http.StatusForbidden, "otp_expired")
	enter(a, "sms", "000000").Refused(t, http.StatusForbidden, "otp_expired")
	session := enter(a, "sms", gatewayCode).Expect(t, http.StatusOK).JSON(t)
	enter(a, "sms", gatewayCode).Refused(t, http.StatusForbidden, "otp_expired")
	if user := session["user"].(map[string]any); user["phone_confirmed_at"] == nil {
		t.Errorf("user %v", user)
	}
	// The number of a user who has one changes by a code to the new number.
	access := session["access_token"].(string)
	const other = "491701234568"
	a.As(t, access, http.MethodPut, "/user", map[string]any{"phone": other}).Expect(t, http.StatusOK)
	if to := d.took(t, 2); to != "+"+other {
		t.Errorf("sent to %s", to)
	}
	changed := a.Do(t, http.MethodPost, "/verify", map[string]any{"type": "phone_change", "phone": other, "token": gatewayCode}).Expect(t, http.StatusOK).JSON(t)
	if user := changed["user"].(map[string]any); user["phone"] != other {
		t.Errorf("user %v", user)
	}
	// Many wrong codes end before the gateway is asked for each.
	a.Do(t, http.MethodPost, "/otp", map[string]any{"phone": other}).Expect(t, http.StatusOK)
	d.took(t, 3)
	d.mu.Lock()
	before := d.checks
	d.mu.Unlock()
	for range 12 {
		a.Do(t, http.MethodPost, "/verify", map[string]any{"type": "sms", "phone": other, "token": "000000"}).Refused(t, http.StatusForbidden, "otp_expired")
	}
	a.Do(t, http.MethodPost, "/verify", map[string]any{"type": "sms", "phone": other, "token": gatewayCode}).Refused(t, http.StatusForbidden, "otp_expired")
	d.mu.Lock()
	asked := d.checks - before
	d.mu.Unlock()
	if asked != 5 {
		t.Errorf("the gateway compared %d codes, want 5", asked)
	}
}

// TestTwilioVerifyFactor: the gateway makes and compares codes of second factors too.
// One is accepted for a challenge that sent it, and once.
func TestTwilioVerifyFactor(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	p := servertest.Start(t).Project(t, "shop", d.settings(map[string]any{
		"sms_provider": "twilio_verify", "mfa_phone_enroll_enabled": true, "mfa_phone_verify_enabled": true, "mfa_phone_max_frequency": 0,
	}))
	p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
	d.took(t, 1)
	session := p.Do(t, http.MethodPost, "/verify", map[string]any{"type": "sms", "phone": phoneNumber, "token": gatewayCode}).Expect(t, http.StatusOK).JSON(t)
	access := session["access_token"].(string)
	const other = "491701234568"
	factor := p.As(t, access, http.MethodPost, "/factors", map[string]any{"factor_type": "phone", "phone": other}).Expect(t, http.StatusOK).JSON(t)["id"].(string)
	challenge := p.As(t, access, http.MethodPost, "/factors/"+factor+"/challenge", map[string]any{}).Expect(t, http.StatusOK).JSON(t)["id"].(string)
	if to := d.took(t, 2); to != "+"+other {
		t.Errorf("sent to %s", to)
	}
	enter := func(challenge, code string) *servertest.Answer {
		t.Helper()
		return p.As(t, access, http.MethodPost, "/factors/"+factor+"/verify", map[string]any{"challenge_id": challenge, "code": code})
	}
	enter(factor, gatewayCode).Refused(t, http.StatusUnprocessableEntity, "mfa_factor_not_found")
	enter(challenge, "000000").Refused(t, http.StatusUnprocessableEntity, "mfa_verification_failed")
	raised := enter(challenge, gatewayCode).Expect(t, http.StatusOK).JSON(t)
	access = raised["access_token"].(string)
	enter(challenge, gatewayCode).Refused(t, http.StatusUnprocessableEntity, "mfa_challenge_expired")
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.checks != 3 { // the sign-in, a wrong code, a right one
		t.Errorf("the gateway compared %d codes", d.checks)
	}
}

// TestGatewayThatComparesNothing: the code is refused, the developer learns why, and
// the code is good when the gateway works again.
func TestGatewayThatComparesNothing(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	p := servertest.Start(t).Project(t, "shop", d.settings(map[string]any{"sms_provider": "twilio_verify"}))
	p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
	d.took(t, 1)
	d.breaks(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "<html>502 "+gatewayToken+" "+r.Form.Get("Code")+"</html>", http.StatusBadGateway)
	})
	code := map[string]any{"type": "sms", "phone": phoneNumber, "token": gatewayCode}
	refused := p.Do(t, http.MethodPost, "/verify", code).Refused(t, http.StatusForbidden, "otp_expired")
	entry := logged(t, p, refused.Header.Get("X-Request-Id"))
	if said, _ := entry.Detail["error"].(string); entry.Code != "sms_check_failed" || said == "" || strings.Contains(said, gatewayToken) || strings.Contains(said, gatewayCode) {
		t.Errorf("entry %+v", entry)
	}
	d.breaks(nil)
	p.Do(t, http.MethodPost, "/verify", code).Expect(t, http.StatusOK)
}

// TestDeveloperFindsRefusedText: what a gateway does wrong stands in the project's log, once,
// without secrets, under the request's id; the user's answer says nothing of it, and
// the code is not lost where the gateway recovers.
func TestDeveloperFindsRefusedText(t *testing.T) {
	t.Parallel()
	refusal := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code":21211,"status":400,"message":"bad number, token `+gatewayToken+`, body `+r.Form.Get("Body")+`"}`)
	}
	for name, c := range map[string]struct {
		how   http.HandlerFunc
		level string
		want  string
		code  string // of the gateway
	}{
		"refuses":         {refusal, "error", "sms_refused", "21211"},
		"HTML":            {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>maintenance</html>") }, "warning", "sms_deferred", ""},
		"is out of order": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusServiceUnavailable) }, "warning", "sms_deferred", ""},
		"hangs up":        {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "warning", "sms_deferred", ""},
		"endless answer": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"sid":"`+strings.Repeat("x", 4<<20))
		}, "warning", "sms_deferred", ""},
		"leads to another": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "error", "sms_refused", ""},
		"says it has failed": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"sid":"SM1","status":"failed","error_code":30007,"error_message":"Carrier violation"}`)
		}, "error", "sms_refused", "30007"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startTwilio(t)
			d.breaks(c.how)
			p := servertest.Start(t).Project(t, "shop", d.settings(nil))
			answer := p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
			id := answer.Header.Get("X-Request-Id")
			var got logEntry
			eventually(t, "the entry of the request is in the log", func() bool {
				found := logOf(t, p, url.Values{"request_id": {id}})
				if len(found) > 0 {
					got = found[len(found)-1]
				}
				return len(found) > 0
			})
			if got.Level != c.level || got.Code != c.want || got.Detail["recipient"] != phoneNumber || got.UserID == "" {
				t.Errorf("%s: entry %+v", name, got)
			}
			if code, _ := got.Detail["gateway_code"].(string); c.code != "" && code != c.code {
				t.Errorf("the gateway's code is %q, want %q", code, c.code)
			}
			said, _ := got.Detail["gateway_text"].(string)
			if strings.Contains(said, gatewayToken) || regexp.MustCompile(`is \d{6}`).MatchString(said) {
				t.Errorf("the log has a secret: %s", said)
			}
			if got.Count != 1 {
				t.Errorf("%d entries", got.Count)
			}
		})
	}
}

// TestDeveloperFindsPumping: the guards against SMS pumping refuse before a user is
// looked up, and name number prefix, country and setting in the log.
func TestDeveloperFindsPumping(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	p := servertest.Start(t).Project(t, "shop", d.settings(map[string]any{"sms_allowed_countries": "DE", "rate_limit_sms_country": 1}))
	other := p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": "14155552671"}).Refused(t, http.StatusUnprocessableEntity, "sms_send_failed")
	p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
	d.took(t, 1)
	limited := p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": "491701234569"}).Refused(t, http.StatusTooManyRequests, "over_sms_send_rate_limit")
	for _, c := range []struct {
		answer *servertest.Answer
		code   string
		detail map[string]any
	}{
		{other, "sms_country_refused", map[string]any{"prefix": "1", "country": "US", "verdict": "refused"}},
		{limited, "sms_limit_reached", map[string]any{"prefix": "49", "country": "DE", "verdict": "refused", "setting": "rate_limit_sms_country"}},
	} {
		eventually(t, c.code+" is in the log", func() bool { return len(logOf(t, p, url.Values{"code": {c.code}})) == 1 })
		got := logOf(t, p, url.Values{"code": {c.code}})[0]
		if diff := cmp.Diff(c.detail, got.Detail); diff != "" || len(got.RequestIDs) != 1 || got.RequestIDs[0] != c.answer.Header.Get("X-Request-Id") {
			t.Errorf("%s: ids %v, detail %s", c.code, got.RequestIDs, diff)
		}
	}
}

// hang holds a request until its client gives up.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// TestSlowGateway: nobody waits for a gateway that takes a message slowly. It is tried
// again while its code lives, and the code works then.
func TestSlowGateway(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	p := servertest.Start(t).Project(t, "shop", d.settings(map[string]any{"sms_otp_exp": 600}))
	d.breaks(hang)
	answer := p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
	if entry := logged(t, p, answer.Header.Get("X-Request-Id")); entry.Code != "sms_deferred" || entry.Level != "warning" || entry.Detail["recipient"] != phoneNumber {
		t.Errorf("entry %+v", entry)
	}
	d.breaks(nil)
	code := d.took(t, 1)
	p.Do(t, http.MethodPost, "/verify", map[string]any{"type": "sms", "phone": phoneNumber, "token": code[len(code)-6:]}).Expect(t, http.StatusOK)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.bodies) != 1 {
		t.Errorf("the gateway took %d messages", len(d.bodies))
	}
}

// TestSlowCheck: a gateway that does not say in time whether a code is right is no
// server error: the code is refused, nothing is written, and the developer learns why.
func TestSlowCheck(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	p := servertest.Start(t).Project(t, "shop", d.settings(map[string]any{"sms_provider": "twilio_verify", "sms_otp_exp": 600}))
	p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK)
	d.took(t, 1)
	before := p.Fingerprint(t)
	d.breaks(hang)
	code := map[string]any{"type": "sms", "phone": phoneNumber, "token": gatewayCode}
	refused := p.Do(t, http.MethodPost, "/verify", code).Refused(t, http.StatusForbidden, "otp_expired")
	if entry := logged(t, p, refused.Header.Get("X-Request-Id")); entry.Code != "sms_check_failed" {
		t.Errorf("entry %+v", entry)
	}
	if diff := cmp.Diff(before, p.Fingerprint(t)); diff != "" {
		t.Errorf("the refused code has changed the database (-before +after):\n%s", diff)
	}
	d.breaks(nil)
	p.Do(t, http.MethodPost, "/verify", code).Expect(t, http.StatusOK)
}

// TestDeveloperFindsExpiredText: a message whose code ends before the gateway takes
// it is not sent, and the log says so under the request's id.
func TestDeveloperFindsExpiredText(t *testing.T) {
	t.Parallel()
	d := startTwilio(t)
	d.breaks(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusServiceUnavailable) })
	p := servertest.Start(t).Project(t, "shop", d.settings(map[string]any{"sms_otp_exp": 1}))
	id := p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": phoneNumber}).Expect(t, http.StatusOK).Header.Get("X-Request-Id")
	var got logEntry
	eventually(t, "the expiry is in the log", func() bool {
		for _, entry := range logOf(t, p, url.Values{"request_id": {id}}) {
			if entry.Code == "sms_expired" {
				got = entry
			}
		}
		return got.Code != ""
	})
	if got.Level != "error" || got.Count != 1 || got.Detail["recipient"] != phoneNumber || got.UserID == "" {
		t.Errorf("entry %+v", got)
	}
	d.breaks(nil)
	p.Configure(t, map[string]any{"sms_otp_exp": 600})
	p.Do(t, http.MethodPost, "/otp", map[string]any{"phone": "491701234568"}).Expect(t, http.StatusOK)
	if first := d.took(t, 1); !strings.HasPrefix(first, "+491701234568 ") {
		t.Errorf("the expired message was sent: %s", first)
	}
}

// TestDeveloperFindsGuesses: when the wrong codes of an address are used up, the log
// names it under the id of the refused request.
func TestDeveloperFindsGuesses(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t).Project(t, "shop", map[string]any{"rate_limit_verify": 1000, "security_sb_forwarded_for_enabled": true})
	const victim = "ann@example.com"
	p.Do(t, http.MethodPost, "/otp", map[string]any{"email": victim}).Expect(t, http.StatusOK)
	code := p.Inbox(t, victim, 1)[0].Code
	guess := map[string]any{"type": "email", "email": victim, "token": "000000"}
	if code == "000000" {
		guess["token"] = "111111"
	}
	var last *servertest.Answer
	for n := range 91 {
		last = p.Do(t, http.MethodPost, "/verify", guess, "apikey", p.SecretKey, "Sb-Forwarded-For", fmt.Sprintf("198.51.100.%d", n/5)).
			Refused(t, http.StatusForbidden, "otp_expired")
	}
	if entry := logged(t, p, last.Header.Get("X-Request-Id")); entry.Code != "code_limit_reached" || entry.Detail["recipient"] != victim || entry.Level != "warning" {
		t.Errorf("entry %+v", entry)
	}
	guess["token"] = code
	p.Do(t, http.MethodPost, "/verify", guess).Refused(t, http.StatusForbidden, "otp_expired")
}

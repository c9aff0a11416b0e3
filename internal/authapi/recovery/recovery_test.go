package recovery_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func TestRecover(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.URIAllowList = "https://app.example.com/*" })
	f.A.SignUp(t, "ann@example.com", "password123")
	f.A.EmptyOutbox(t)
	for name, c := range map[string]struct{ ask, to string }{
		"allowed": {"https://app.example.com/reset", "https://app.example.com/reset"},
		"refused": {"https://evil.example.com/", "http://localhost:3000"},
		"none":    {"", "http://localhost:3000"},
	} {
		f.Clock.Advance(time.Minute)
		if res := f.A.Do(t, "POST", "/recover?redirect_to="+url.QueryEscape(c.ask), m{"email": "Ann@example.com"}).Want(200); string(res.Raw) != "{}" {
			t.Errorf("answer %s", res.Raw)
		}
		mail := f.A.Mail(t, "ann@example.com")
		q := f.A.LinkQuery(t, mail)
		if mail.Kind != "recovery" || q.Get("type") != "recovery" || q.Get("redirect_to") != c.to {
			t.Errorf("%s: mail %s with link %v", name, mail.Kind, q)
		}
	}
	mail := f.A.Mail(t, "ann@example.com")
	f.B.Do(t, "POST", "/verify", m{"type": "recovery", "email": "ann@example.com", "token": mail.Code}).WantError(403, "otp_expired")
	s := f.A.Do(t, "POST", "/verify", m{"type": "recovery", "email": "ann@example.com", "token": mail.Code}).Session()
	f.A.Do(t, "PUT", "/user", m{"password": "password456"}, flowtest.User(s.Access)).Want(200)
	f.A.SignIn(t, "ann@example.com", "password456")
}

// A banned user gets no mail, whether the ban existed before the request or a
// trigger sets it. The answer does not reveal the ban.
func TestBanned(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Do(t, "POST", "/signup", m{"email": "bob@example.com", "password": "password123"}).Want(200)
	f.Clock.Advance(time.Hour)
	f.A.Exec(t, `UPDATE auth.users SET banned_until = 'infinity'`)
	f.A.ExecAsOwner(t, `CREATE FUNCTION public.ban() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
		BEGIN UPDATE auth.users SET banned_until = 'infinity' WHERE id = new.id; RETURN NULL; END $$`)
	f.A.ExecAsOwner(t, `CREATE TRIGGER ban AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.ban()`)
	f.A.EmptyOutbox(t)
	for _, c := range []struct {
		path string
		body m
	}{
		{"/recover", m{"email": "ann@example.com"}},
		{"/resend", m{"type": "signup", "email": "bob@example.com"}},
		{"/signup", m{"email": "bob@example.com", "password": "password456"}},
		{"/signup", m{"email": "banned-by-the-trigger@example.com", "password": "password123"}},
	} {
		f.Clock.Advance(time.Hour)
		f.A.Do(t, "POST", c.path, c.body).Want(200)
	}
	if mails := f.A.Mails(t); len(mails) != 0 {
		t.Errorf("%d mails: the first one is %s to %s", len(mails), mails[0].Kind, mails[0].To)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE banned_until = 'infinity'`); n != 3 {
		t.Errorf("%d users are banned, want 3", n)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, c := range []struct {
		name   string
		path   string
		body   any
		status int
		code   string
	}{
		{"recover, no address", "/recover", m{}, 400, "validation_failed"},
		{"recover, bad address", "/recover", m{"email": "x"}, 400, "validation_failed"},
		{"recover, phone", "/recover", m{"phone": "4670000001"}, 400, "phone_provider_disabled"},
		{"recover, half a challenge", "/recover", m{"email": "a@example.com", "code_challenge": "c"}, 400, "validation_failed"},
		{"resend, no type", "/resend", m{"email": "a@example.com"}, 400, "validation_failed"},
		{"resend, unknown type", "/resend", m{"type": "recovery", "email": "a@example.com"}, 400, "validation_failed"},
		{"resend, sms", "/resend", m{"type": "sms", "phone": "4670000001"}, 400, "phone_provider_disabled"},
		{"resend, no address", "/resend", m{"type": "signup"}, 400, "validation_failed"},
		{"resend, both", "/resend", m{"type": "signup", "email": "a@example.com", "phone": "4670000001"}, 400, "validation_failed"},
	} {
		t.Run(c.name, func(t *testing.T) { f.A.Do(t, "POST", c.path, c.body).WantError(c.status, c.code) })
	}
}

// Known and unknown addresses answer alike, at first and when repeated.
func TestTellsNobody(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.SignUp(t, "confirmed@example.com", "password123")
	f.A.Do(t, "POST", "/signup", m{"email": "unconfirmed@example.com", "password": "password123"}).Want(200)
	for _, c := range []struct{ path, typ, has, hasNot string }{
		{"/recover", "", "confirmed@example.com", "nobody@example.com"},
		{"/recover", "", "unconfirmed@example.com", "nobody2@example.com"},
		{"/resend", "signup", "unconfirmed@example.com", "nobody3@example.com"},
		{"/resend", "signup", "unconfirmed@example.com", "confirmed@example.com"},
		{"/resend", "email_change", "confirmed@example.com", "nobody4@example.com"},
	} {
		f.Clock.Advance(time.Hour)
		f.A.EmptyOutbox(t)
		for round := range 3 {
			if round == 2 {
				f.Clock.Advance(time.Minute)
			}
			has := f.A.Do(t, "POST", c.path, m{"email": c.has, "type": c.typ})
			hasNot := f.A.Do(t, "POST", c.path, m{"email": c.hasNot, "type": c.typ})
			if diff := cmp.Diff(has.JSON, hasNot.JSON); diff != "" || has.Status != hasNot.Status ||
				has.Header.Get("Retry-After") != hasNot.Header.Get("Retry-After") {
				t.Errorf("%s %s, round %d: %d %s and %d %s differ", c.path, c.has, round, has.Status, has.Raw, hasNot.Status, hasNot.Raw)
			}
			if want := []int{200, 429, 200}[round]; has.Status != want {
				t.Errorf("%s %s, round %d: status %d, want %d", c.path, c.has, round, has.Status, want)
			}
		}
		for _, mail := range f.A.Mails(t) {
			if mail.To == c.hasNot {
				t.Errorf("%s: a mail went to %s", c.path, mail.To)
			}
		}
	}
}

func TestResendSignup(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Do(t, "POST", "/signup", m{"email": "c@example.com", "password": "password123"}).Want(200)
	first := f.A.LinkQuery(t, f.A.Mail(t, "c@example.com")).Get("token")
	f.A.Do(t, "POST", "/resend", m{"type": "signup", "email": "c@example.com"}).WantError(429, "over_email_send_rate_limit")
	f.Clock.Advance(time.Minute)
	f.A.Do(t, "POST", "/resend", m{"type": "signup", "email": "C@example.com"}).Want(200)
	mail := f.A.Mail(t, "c@example.com")
	if mail.Kind != "confirmation" {
		t.Errorf("mail %s", mail.Kind)
	}
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": first}).WantError(403, "otp_expired") // replaced
	f.A.Do(t, "POST", "/verify", m{"type": "signup", "token_hash": f.A.LinkQuery(t, mail).Get("token")}).Session()
}

// The limit on the project's mails applies here too, and a refused mail leaves
// no trace.
func TestMailLimit(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent = 1 })
	f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).WantError(429, "over_email_send_rate_limit")
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users WHERE recovery_sent_at IS NOT NULL"); n != 0 {
		t.Error("the recovery counts as sent")
	}
	f.Clock.Advance(time.Hour)
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
}

package adminlink_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func generate(t *testing.T, p *flowtest.Project, body m) *flowtest.Response {
	t.Helper()
	return p.Admin(t, "POST", "/admin/generate_link", body)
}

// Each type: the members of the answer, and that link token and code both work.
func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		body         m
		existing     string // "", unconfirmed or confirmed
		typ          string // verification_type
		verify       string // type of the link and of the code
		mark         string // a time of the user that must be set
		signsInAfter string
	}{
		{"signup", m{"type": "signup", "password": "password123"}, "", "signup", "signup", "confirmation_sent_at", "password123"},
		{"signup, unconfirmed", m{"type": "signup", "password": "another password"}, "unconfirmed", "signup", "signup", "confirmation_sent_at", "another password"},
		{"magiclink", m{"type": "magiclink"}, "confirmed", "magiclink", "magiclink", "recovery_sent_at", "password123"},
		{"magiclink, unconfirmed", m{"type": "magiclink"}, "unconfirmed", "magiclink", "magiclink", "recovery_sent_at", "password123"},
		{"magiclink, unknown", m{"type": "magiclink"}, "", "signup", "signup", "confirmation_sent_at", ""},
		{"recovery", m{"type": "recovery"}, "confirmed", "recovery", "recovery", "recovery_sent_at", "password123"},
		{"invite", m{"type": "invite"}, "", "invite", "invite", "invited_at", ""},
		{"invite, unconfirmed", m{"type": "invite"}, "unconfirmed", "invite", "invite", "invited_at", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			c.body["email"] = "G@example.com"
			for _, by := range []string{"hash", "code", "link"} {
				f.A.Exec(t, "DELETE FROM auth.users")
				seed(t, f.A, c.existing)
				f.A.EmptyOutbox(t)
				res := generate(t, f.A, c.body).Want(200)
				q := f.A.VerifyQuery(t, res.Get("action_link"))
				if q.Get("token") != res.Get("hashed_token") || q.Get("type") != c.verify || q.Get("redirect_to") != "http://localhost:3000" {
					t.Errorf("link %s", res.Get("action_link"))
				}
				if res.Get("verification_type") != c.typ || res.Get("redirect_to") != "http://localhost:3000" ||
					len(res.Get("email_otp")) != 6 || res.Get("email") != "g@example.com" || res.Get(c.mark) == "" {
					t.Errorf("answer %s", res.Raw)
				}
				if n := len(f.A.Mails(t)); n != 0 {
					t.Errorf("%d mails, want none", n)
				}
				f.B.Do(t, "POST", "/verify", m{"type": c.verify, "token_hash": res.Get("hashed_token")}).WantError(403, "otp_expired")
				redeem(t, f.A, by, c.verify, "g@example.com", res)
				if c.signsInAfter != "" {
					f.A.SignIn(t, "g@example.com", c.signsInAfter)
				} else {
					f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "g@example.com", "password": "password123"}).
						WantError(400, "invalid_credentials")
				}
			}
		})
	}
}

func seed(t *testing.T, p *flowtest.Project, existing string) {
	t.Helper()
	switch existing {
	case "confirmed":
		p.Admin(t, "POST", "/admin/users", m{"email": "g@example.com", "password": "password123", "email_confirm": true}).Want(200)
	case "unconfirmed":
		p.Admin(t, "POST", "/admin/users", m{"email": "g@example.com", "password": "password123"}).Want(200)
	}
}

func redeem(t *testing.T, p *flowtest.Project, by, typ, email string, res *flowtest.Response) {
	t.Helper()
	switch by {
	case "hash":
		s := p.Do(t, "POST", "/verify", m{"type": typ, "token_hash": res.Get("hashed_token")}).Session()
		p.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	case "code":
		p.Do(t, "POST", "/verify", m{"type": typ, "email": email, "token": res.Get("email_otp")}).Session()
	case "link":
		u, err := url.Parse(res.Get("action_link"))
		if err != nil {
			t.Fatal(err)
		}
		got := p.Do(t, "GET", "/verify?"+u.RawQuery, nil, flowtest.Key("")).Fragment()
		if got.Get("access_token") == "" || got.Get("type") != typ {
			t.Fatalf("the link leads to %v", got)
		}
	}
	// The first use, by link or code, consumes both.
	p.Do(t, "POST", "/verify", m{"type": typ, "token_hash": res.Get("hashed_token")}).WantError(403, "otp_expired")
	p.Do(t, "POST", "/verify", m{"type": typ, "email": email, "token": res.Get("email_otp")}).WantError(403, "otp_expired")
}

func TestGenerateRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	seed(t, f.A, "confirmed")
	f.A.Admin(t, "POST", "/admin/users", m{"email": "other@example.com"}).Want(200)
	for _, c := range []struct {
		name   string
		body   m
		status int
		code   string
	}{
		{"no type", m{"email": "g@example.com"}, 400, "validation_failed"},
		{"unknown type", m{"type": "email", "email": "g@example.com"}, 400, "validation_failed"},
		{"no email", m{"type": "magiclink"}, 400, "validation_failed"},
		{"bad email", m{"type": "magiclink", "email": "x"}, 400, "validation_failed"},
		{"signup without password", m{"type": "signup", "email": "n@example.com"}, 400, "validation_failed"},
		{"signup, weak password", m{"type": "signup", "email": "n@example.com", "password": "abc"}, 422, "weak_password"},
		{"signup, confirmed", m{"type": "signup", "email": "g@example.com", "password": "password123"}, 422, "email_exists"},
		{"invite, confirmed", m{"type": "invite", "email": "g@example.com"}, 422, "email_exists"},
		{"recovery, unknown", m{"type": "recovery", "email": "n@example.com"}, 404, "user_not_found"},
		{"change, unknown", m{"type": "email_change_new", "email": "n@example.com", "new_email": "n2@example.com"}, 404, "user_not_found"},
		{"change, no new email", m{"type": "email_change_new", "email": "g@example.com"}, 400, "validation_failed"},
		{"change, bad new email", m{"type": "email_change_current", "email": "g@example.com", "new_email": "x"}, 400, "validation_failed"},
		{"change to the same", m{"type": "email_change_new", "email": "g@example.com", "new_email": "G@example.com"}, 400, "validation_failed"},
		{"change, taken", m{"type": "email_change_new", "email": "g@example.com", "new_email": "other@example.com"}, 422, "email_exists"},
		{"data a list", m{"type": "magiclink", "email": "g@example.com", "data": []int{1}}, 400, "bad_json"},
		{"data too large", m{"type": "magiclink", "email": "n@example.com", "data": m{"a": strings.Repeat("x", 65<<10)}}, 400, "validation_failed"},
	} {
		t.Run(c.name, func(t *testing.T) { generate(t, f.A, c.body).WantError(c.status, c.code) })
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.one_time_tokens"); n != 0 {
		t.Errorf("%d tokens, want none", n)
	}
	f.A.Configure(func(c *tenants.Config) { c.MailerSecureEmailChange = false })
	generate(t, f.A, m{"type": "email_change_current", "email": "g@example.com", "new_email": "n@example.com"}).WantError(400, "validation_failed")
}

func TestGenerateEmailChange(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"email_change_current", "email_change_new"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			seed(t, f.A, "confirmed")
			answers := map[string]*flowtest.Response{}
			for _, typ := range []string{"email_change_current", "email_change_new"} {
				res := generate(t, f.A, m{"type": typ, "email": "g@example.com", "new_email": "New@example.com"}).Want(200)
				if res.Get("verification_type") != typ || res.Get("new_email") != "new@example.com" || res.Get("email_change_sent_at") == "" {
					t.Errorf("answer %s", res.Raw)
				}
				if q := f.A.VerifyQuery(t, res.Get("action_link")); q.Get("type") != "email_change" {
					t.Errorf("link %s", res.Get("action_link"))
				}
				answers[typ] = res
			}
			second := map[string]string{"email_change_current": "email_change_new", "email_change_new": "email_change_current"}[first]
			half := f.A.Do(t, "POST", "/verify", m{"type": "email_change", "token_hash": answers[first].Get("hashed_token")}).Want(200)
			if half.Get("msg") == "" || half.Get("access_token") != "" {
				t.Errorf("after the first half: %s", half.Raw)
			}
			code := m{"type": "email_change", "token": answers[second].Get("email_otp"), "email": "g@example.com"}
			if second == "email_change_new" {
				code["email"] = "new@example.com"
			}
			f.A.Do(t, "POST", "/verify", code).Session()
			f.A.SignIn(t, "new@example.com", "password123")
		})
	}
}

// Two links for the same side do not change the address.
func TestGenerateEmailChangeOneSideTwice(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"email_change_current", "email_change_new"} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			seed(t, f.A, "confirmed")
			for range 2 {
				res := generate(t, f.A, m{"type": typ, "email": "g@example.com", "new_email": "new@example.com"}).Want(200)
				f.A.Do(t, "POST", "/verify", m{"type": "email_change", "token_hash": res.Get("hashed_token")}).Want(200)
			}
			if got := flowtest.One[string](t, f.A, "SELECT email FROM auth.users"); got != "g@example.com" {
				t.Errorf("the address is %s", got)
			}
		})
	}
}

func TestGenerateDataAndRedirect(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.URIAllowList = "https://app.example.com/**" })
	for _, c := range []struct{ name, query, member, want string }{
		{"member", "", "https://app.example.com/in", "https://app.example.com/in"},
		{"query", "?redirect_to=" + url.QueryEscape("https://app.example.com/q"), "", "https://app.example.com/q"},
		{"refused", "", "https://evil.example.com/", "http://localhost:3000"},
		{"refused member, good query", "?redirect_to=" + url.QueryEscape("https://app.example.com/q"), "https://evil.example.com/", "https://app.example.com/q"},
	} {
		res := f.A.Admin(t, "POST", "/admin/generate_link"+c.query, m{
			"type": "invite", "email": "d@example.com", "data": m{"name": "Dan"}, "redirect_to": c.member,
		}).Want(200)
		if q := f.A.VerifyQuery(t, res.Get("action_link")); q.Get("redirect_to") != c.want || res.Get("redirect_to") != c.want {
			t.Errorf("%s: %s", c.name, res.Get("action_link"))
		}
		if res.Get("user_metadata") != "map[name:Dan]" {
			t.Errorf("user_metadata %s, want the data and nothing else", res.Get("user_metadata"))
		}
	}
}

func TestInvite(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.URIAllowList = "https://app.example.com/**" })
	res := f.A.Admin(t, "POST", "/invite?redirect_to=https://app.example.com/hello", m{"email": "Inv@example.com", "data": m{"a": 1}}).Want(200)
	if res.Get("email") != "inv@example.com" || res.Get("invited_at") == "" || res.Get("confirmation_sent_at") == "" ||
		res.Get("user_metadata") != "map[a:1]" || res.Get("app_metadata.provider") != "email" || res.Get("email_confirmed_at") != "" {
		t.Errorf("user %s", res.Raw)
	}
	mail := f.A.Mail(t, "inv@example.com")
	q := f.A.LinkQuery(t, mail)
	if mail.Kind != "invite" || q.Get("type") != "invite" || q.Get("redirect_to") != "https://app.example.com/hello" {
		t.Errorf("mail %s with link %v", mail.Kind, q)
	}
	if f.Dispatcher.Prepared.Load() != 1 || f.Dispatcher.Woken.Load() != 1 {
		t.Error("the dispatcher was not told")
	}
	if n := len(f.B.Mails(t)); n != 0 {
		t.Errorf("%d mails in the other project", n)
	}
	again := f.A.Admin(t, "POST", "/invite", m{"email": "inv@example.com", "data": m{"b": 2}}).Want(200)
	if again.Get("id") != res.Get("id") || again.Get("user_metadata") != "map[a:1 b:2]" {
		t.Errorf("invited again: %s", again.Raw)
	}
	f.A.Do(t, "POST", "/verify", m{"type": "invite", "token_hash": q.Get("token")}).WantError(403, "otp_expired") // replaced
	q = f.A.LinkQuery(t, f.A.Mail(t, "inv@example.com"))
	f.A.Do(t, "POST", "/verify", m{"type": "invite", "token_hash": q.Get("token")}).Session()
	f.A.Admin(t, "POST", "/invite", m{"email": "inv@example.com"}).WantError(422, "email_exists")
	for _, action := range []string{"user_invited", "user_signedup"} {
		if n := f.A.Count(t, "SELECT count(*) FROM auth.audit_log_entries WHERE payload->>'action' = $1", action); n == 0 {
			t.Errorf("no audit entry %s", action)
		}
	}
}

func TestInviteRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent = 1 })
	f.A.Admin(t, "POST", "/invite", m{}).WantError(400, "validation_failed")
	f.A.Admin(t, "POST", "/invite", m{"email": "x"}).WantError(400, "validation_failed")
	f.A.Admin(t, "POST", "/invite", m{"email": "a@example.com"}).Want(200)
	res := f.A.Admin(t, "POST", "/invite", m{"email": "b@example.com"}).WantError(429, "over_email_send_rate_limit")
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 1 {
		t.Errorf("%d users: a refused invitation left one", n)
	}
	f.B.Admin(t, "POST", "/invite", m{"email": "b@example.com"}).Want(200)
}

// A person who signed up first with another's address does not keep a password
// to the account after its owner accepts an invitation.
func TestInviteTakesAForeignPasswordAway(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Do(t, "POST", "/signup", m{"email": "victim@example.com", "password": "the attacker's"}).Want(200)
	f.A.Admin(t, "POST", "/invite", m{"email": "victim@example.com"}).Want(200)
	token := f.A.LinkQuery(t, f.A.Mail(t, "victim@example.com")).Get("token")
	f.A.Do(t, "POST", "/verify", m{"type": "invite", "token_hash": token}).Session()
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "victim@example.com", "password": "the attacker's"}).
		WantError(400, "invalid_credentials")
}

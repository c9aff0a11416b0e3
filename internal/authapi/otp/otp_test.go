package otp_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func TestMain(m *testing.M) { testkit.Main(m) }

func TestRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for _, path := range []string{"/otp", "/magiclink"} {
		for name, c := range map[string]struct {
			body   any
			status int
			code   string
		}{
			"no address":       {m{}, 400, "validation_failed"},
			"bad address":      {m{"email": "x"}, 400, "validation_failed"},
			"half a challenge": {m{"email": "a@example.com", "code_challenge": "c"}, 400, "validation_failed"},
			"large metadata":   {m{"email": "a@example.com", "data": m{"x": strings.Repeat("x", 300<<10)}}, 400, "validation_failed"},
			"data of no kind":  {m{"email": "a@example.com", "data": "x"}, 400, "bad_json"},
		} {
			t.Run(path+" "+name, func(t *testing.T) { f.A.Do(t, "POST", path, c.body).WantError(c.status, c.code) })
		}
	}
	f.A.Do(t, "POST", "/otp", m{"phone": "15550002222"}).WantError(400, "phone_provider_disabled")
	f.A.Do(t, "POST", "/otp", m{"email": "a@example.com", "phone": "15550002222"}).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/otp", m{"email": "a@example.com"}, flowtest.Key("")).WantError(401, "no_api_key")
	f.A.Configure(func(c *tenants.Config) { c.ExternalEmailEnabled = false })
	f.A.Do(t, "POST", "/otp", m{"email": "a@example.com"}).WantError(422, "email_provider_disabled")
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
		t.Errorf("%d users of refused requests", n)
	}
}

// TestSignIn: a new user and a known one, by code and by link, with and without
// autoconfirm.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for name, autoconfirm := range map[string]bool{"confirmation": false, "autoconfirm": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) {
				c.MailerAutoconfirm, c.URIAllowList, c.MailerOTPLength = autoconfirm, "https://app.example.com/**", 8
			})
			send := func(body m) {
				t.Helper()
				f.Clock.Advance(time.Minute)
				res := f.A.Do(t, "POST", "/otp?redirect_to="+url.QueryEscape("https://app.example.com/in"), body).Want(200)
				if string(res.Raw) != "{}" {
					t.Errorf("answer %s", res.Raw)
				}
			}
			send(m{"email": "Ann@example.com", "data": m{"name": "Ann"}})
			mail := f.A.Mail(t, "ann@example.com")
			wantKind, wantType := "confirmation", "signup"
			if autoconfirm {
				wantKind, wantType = "magic_link", "magiclink"
			}
			q := f.A.LinkQuery(t, mail)
			if string(mail.Kind) != wantKind || q.Get("type") != wantType || q.Get("redirect_to") != "https://app.example.com/in" || len(mail.Code) != 8 {
				t.Errorf("mail %s with link %v and code %q", mail.Kind, q, mail.Code)
			}
			f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "ann@example.com", "token": "00000000"}).WantError(403, "otp_expired")
			f.B.Do(t, "POST", "/verify", m{"type": "email", "email": "ann@example.com", "token": mail.Code}).WantError(403, "otp_expired")
			s := f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "ann@example.com", "token": mail.Code}).Session()
			me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
			if me.Get("user_metadata.name") != "Ann" || me.Get("email_confirmed_at") == "" || me.Get("app_metadata.provider") != "email" {
				t.Errorf("user %s", me.Raw)
			}
			f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "ann@example.com", "token": mail.Code}).WantError(403, "otp_expired")

			send(m{"email": "ann@example.com", "create_user": false, "data": m{"name": "Eve"}})
			mail = f.A.Mail(t, "ann@example.com")
			if string(mail.Kind) != "magic_link" {
				t.Errorf("mail %s to a known user", mail.Kind)
			}
			again := f.A.Do(t, "POST", "/verify", m{"type": "magiclink", "token_hash": f.A.LinkQuery(t, mail).Get("token")}).Session()
			me = f.A.Do(t, "GET", "/user", nil, flowtest.User(again.Access)).Want(200)
			if again.UserID != s.UserID || me.Get("user_metadata.name") != "Ann" {
				t.Errorf("signed in as %s", me.Raw)
			}
			// Nobody has a password, so none is accepted.
			f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": ""}).WantError(400, "invalid_credentials")
		})
	}
}

// TestPKCE: the link of either mail leads to a code for the app's verifier.
func TestPKCE(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	body := m{"email": "ann@example.com", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "s256"}
	for round, kind := range []string{"confirmation", "magic_link"} {
		f.Clock.Advance(time.Minute)
		f.A.Do(t, "POST", "/otp", body).Want(200)
		mail := f.A.Mail(t, "ann@example.com")
		if string(mail.Kind) != kind {
			t.Fatalf("round %d: mail %s", round, mail.Kind)
		}
		u := f.A.FollowLink(t, mail)
		if u.Query().Get("code") == "" {
			t.Fatalf("round %d: the link leads to %s", round, u)
		}
		f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": u.Query().Get("code"), "code_verifier": verifier}).Session()
	}
}

// TestTellsNobody: the answers to known and unknown addresses, and to those that
// may not sign up, are the same, also when repeated.
func TestTellsNobody(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.SignUp(t, "confirmed@example.com", "password123")
	f.A.Do(t, "POST", "/signup", m{"email": "unconfirmed@example.com", "password": "password123"}).Want(200)
	for name, c := range map[string]struct {
		off    bool
		create bool
	}{"new users": {false, true}, "no new users": {false, false}, "sign-ups off": {true, true}} {
		f.A.Configure(func(cfg *tenants.Config) { cfg.DisableSignup = c.off })
		f.Clock.Advance(time.Hour)
		f.A.EmptyOutbox(t)
		nobody := strings.ReplaceAll(name, " ", "-") + "@example.com"
		for round := range 3 {
			if round == 2 {
				f.Clock.Advance(time.Minute)
			}
			var first *flowtest.Response
			for _, email := range []string{"confirmed@example.com", "unconfirmed@example.com", nobody} {
				res := f.A.Do(t, "POST", "/otp", m{"email": email, "create_user": c.create})
				if want := []int{200, 429, 200}[round]; res.Status != want {
					t.Errorf("%s, %s, round %d: status %d, want %d", name, email, round, res.Status, want)
				}
				if first == nil {
					first = res
				}
				if diff := cmp.Diff(first.JSON, res.JSON); diff != "" || first.Header.Get("Retry-After") != res.Header.Get("Retry-After") {
					t.Errorf("%s, %s, round %d: %s and %s differ", name, email, round, first.Raw, res.Raw)
				}
			}
		}
		created := f.A.Count(t, "SELECT count(*) FROM auth.users WHERE email = $1", nobody)
		if want := c.create && !c.off; (created == 1) != want {
			t.Errorf("%s: %d users created", name, created)
		}
	}
}

// TestPreHijacking: what somebody else began with the victim's address ends when
// the victim proves it.
func TestPreHijacking(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	f.A.Do(t, "POST", "/signup", m{"email": "victim@example.com", "password": "attacker-password", "data": m{"admin": true}}).Want(200)
	held := f.A.SignIn(t, "victim@example.com", "attacker-password")
	f.Clock.Advance(time.Minute)
	f.A.Do(t, "POST", "/otp", m{"email": "victim@example.com"}).Want(200)
	s := f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "victim@example.com", "token": f.A.Mail(t, "victim@example.com").Code}).Session()
	f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "victim@example.com", "password": "attacker-password"}).WantError(400, "invalid_credentials")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(held.Access)).WantError(403, "session_not_found")
}

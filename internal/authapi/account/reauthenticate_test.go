package account_test

import (
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func TestReauthenticate(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.ReauthenticateForPassword = true })
	ann, bob := f.A.SignUp(t, "ann@example.com", "password123"), f.A.SignUp(t, "bob@example.com", "password123")
	f.B.SignUp(t, "ann@example.com", "password123")
	put := func(s flowtest.Session, body m) *flowtest.Response {
		return f.A.Do(t, "PUT", "/user", body, flowtest.User(s.Access))
	}
	ask := func(s flowtest.Session) *flowtest.Response {
		return f.A.Do(t, "GET", "/reauthenticate", nil, flowtest.User(s.Access))
	}
	put(ann, m{"password": "password456"}).Want(200) // a session of today

	f.A.Configure(func(c *tenants.Config) { c.JWTExp = 7 * 24 * 3600 })
	refreshed := func(s flowtest.Session) flowtest.Session { return f.A.Refresh(t, s.Refresh).Session() }
	ann, bob = refreshed(ann), refreshed(bob)
	f.Clock.Advance(25 * time.Hour)
	put(ann, m{"password": "password789"}).WantError(400, "reauthentication_needed")
	put(ann, m{"password": "password789", "nonce": "000000"}).WantError(422, "reauthentication_not_valid")
	put(ann, m{"data": m{"a": 1}}).Want(200) // nothing else asks for it

	f.A.EmptyOutbox(t)
	if res := ask(ann).Want(200); string(res.Raw) != "{}" {
		t.Errorf("answer %s", res.Raw)
	}
	ask(ann).WantError(429, "over_email_send_rate_limit")
	ask(bob).Want(200)
	mail, others := f.A.Mail(t, "ann@example.com"), f.A.Mail(t, "bob@example.com")
	if mail.Code == "" || string(mail.Kind) != "reauthentication" {
		t.Fatalf("mail %+v", mail)
	}
	for _, link := range mail.Links {
		if link != f.A.Tenant().Config.SiteURL {
			t.Errorf("the mail has a link: %s", link)
		}
	}
	put(ann, m{"password": "password789", "nonce": others.Code}).WantError(422, "reauthentication_not_valid")
	f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "ann@example.com", "token": mail.Code}).WantError(403, "otp_expired")
	put(ann, m{"password": "password789", "nonce": mail.Code}).Want(200)
	put(ann, m{"password": "password000", "nonce": mail.Code}).WantError(422, "reauthentication_not_valid")
	f.A.SignIn(t, "ann@example.com", "password789")

	f.Clock.Advance(2 * time.Hour)
	put(bob, m{"password": "password789", "nonce": others.Code}).WantError(422, "reauthentication_not_valid") // it lives for an hour
	f.A.Configure(func(c *tenants.Config) { c.ReauthenticateForPassword = false })
	put(bob, m{"password": "password789"}).Want(200)
}

// Nonces cannot be guessed.
func TestReauthenticateGuesses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.ReauthenticateForPassword, c.JWTExp = true, 7*24*3600 })
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.Clock.Advance(25 * time.Hour)
	refused := 0
	for range 12 {
		res := f.A.Do(t, "PUT", "/user", m{"password": "password789", "nonce": "123456"}, flowtest.User(ann.Access))
		if res.Status == 429 {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("%d of 12 guesses refused, want 2", refused)
	}
}

// A nonce that was not compared, or was right, is no guess.
func TestReauthenticateFailures(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.ReauthenticateForPassword, c.JWTExp = true, 7*24*3600 })
	ann := flowtest.User(f.A.SignUp(t, "ann@example.com", "password123").Access)
	f.Clock.Advance(25 * time.Hour)
	f.A.EmptyOutbox(t)
	f.A.Do(t, "GET", "/reauthenticate", nil, ann).Want(200)
	nonce := f.A.Mail(t, "ann@example.com").Code
	for range 6 {
		f.A.Do(t, "PUT", "/user", m{"password": "short", "nonce": nonce}, ann).WantError(422, "weak_password")
		f.A.Do(t, "PUT", "/user", m{"password": "password123", "nonce": nonce}, ann).WantError(422, "same_password")
	}
	f.A.Do(t, "PUT", "/user", m{"password": "password789", "nonce": nonce}, ann).Want(200)
}

func TestReauthenticateRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAllowUnverifiedEmailSignIn = true })
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).Want(200)
	ann, same := f.A.SignIn(t, "ann@example.com", "password123"), f.B.SignUp(t, "ann@example.com", "password123")
	ask := func(as ...flowtest.Option) *flowtest.Response { return f.A.Do(t, "GET", "/reauthenticate", nil, as...) }
	ask().WantError(401, "no_authorization")
	ask(flowtest.User(same.Access)).WantError(401, "bad_jwt")
	ask(flowtest.Key(f.B.Publishable), flowtest.User(ann.Access)).Want(401)
	ask(flowtest.User(ann.Access)).WantError(422, "email_not_confirmed")
	f.A.Exec(t, "UPDATE auth.users SET email = NULL, phone = '4670000001'")
	ask(flowtest.User(ann.Access)).WantError(422, "validation_failed")
	f.A.Exec(t, "UPDATE auth.users SET banned_until = 'infinity'")
	ask(flowtest.User(ann.Access)).WantError(403, "user_banned")
}

package verify_test

import (
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// changing begins a change of address and returns the tokens of the two links.
func changing(t *testing.T, f *flowtest.Fixture) (s flowtest.Session, current, newAddress string) {
	t.Helper()
	s = f.A.SignUp(t, "old@example.com", "password123")
	f.A.EmptyOutbox(t)
	res := f.A.Do(t, "PUT", "/user", m{"email": "New@example.com"}, flowtest.User(s.Access)).Want(200)
	if res.Get("email") != "old@example.com" || res.Get("new_email") != "new@example.com" || res.Get("email_change_sent_at") == "" {
		t.Fatalf("user %s", res.Raw)
	}
	return s, f.A.LinkQuery(t, f.A.Mail(t, "old@example.com")).Get("token"), f.A.LinkQuery(t, f.A.Mail(t, "new@example.com")).Get("token")
}

func redeem(t *testing.T, p *flowtest.Project, token string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/verify", m{"type": "email_change", "token_hash": token})
}

func email(t *testing.T, f *flowtest.Fixture) string {
	t.Helper()
	return flowtest.One[string](t, f.A, "SELECT email FROM auth.users")
}

func TestEmailChangeInEitherOrder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"current first", "new first"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			s, first, second := changing(t, f)
			if name == "new first" {
				first, second = second, first
			}
			res := redeem(t, f.A, first).Want(200)
			if res.Get("msg") == "" || res.Get("access_token") != "" || email(t, f) != "old@example.com" {
				t.Errorf("after the first half: %s", res.Raw)
			}
			redeem(t, f.A, first).WantError(403, "otp_expired")
			redeem(t, f.B, second).WantError(403, "otp_expired")
			done := redeem(t, f.A, second)
			done.Session()
			for path, want := range map[string]string{
				"user.email": "new@example.com", "user.new_email": "", "user.user_metadata.email": "old@example.com",
				"user.user_metadata.email_verified": "true",
			} {
				if got := done.Get(path); got != want {
					t.Errorf("%s = %q, want %q", path, got, want)
				}
			}
			if got := flowtest.One[string](t, f.A, "SELECT email FROM auth.identities"); got != "new@example.com" {
				t.Errorf("the identity has %s", got)
			}
			f.A.SignIn(t, "new@example.com", "password123")
			f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "old@example.com", "password": "password123"}).
				WantError(400, "invalid_credentials")
			f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
		})
	}
}

func TestEmailChangeWithoutTheOldAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerSecureEmailChange = false })
	s := f.A.SignUp(t, "old@example.com", "password123")
	f.A.EmptyOutbox(t)
	f.A.Do(t, "PUT", "/user", m{"email": "new@example.com"}, flowtest.User(s.Access)).Want(200)
	if mails := f.A.Mails(t); len(mails) != 1 || mails[0].To != "new@example.com" {
		t.Fatalf("%d mails", len(mails))
	}
	redeem(t, f.A, f.A.LinkQuery(t, f.A.Mail(t, "new@example.com")).Get("token")).Session()
	f.A.SignIn(t, "new@example.com", "password123")
}

// One side alone cannot confirm for both, however often it requests links.
func TestEmailChangeOneSideTwice(t *testing.T) {
	t.Parallel()
	for _, side := range []string{"old@example.com", "new@example.com"} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t)
			changing(t, f)
			for range 3 {
				token := f.A.LinkQuery(t, f.A.Mail(t, side)).Get("token")
				if res := redeem(t, f.A, token).Want(200); res.Get("access_token") != "" {
					t.Fatalf("%s alone changed the address", side)
				}
				f.Clock.Advance(time.Minute)
				f.A.Do(t, "POST", "/resend", m{"type": "email_change", "email": "old@example.com"}).Want(200)
			}
			if got := email(t, f); got != "old@example.com" {
				t.Errorf("the address is %s", got)
			}
		})
	}
}

// Confirmations of one new address do not count for another one.
func TestEmailChangeToAnotherAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s, current, newAddress := changing(t, f)
	redeem(t, f.A, current).Want(200)
	f.Clock.Advance(time.Minute)
	f.A.Do(t, "PUT", "/user", m{"email": "third@example.com"}, flowtest.User(s.Access)).Want(200)
	redeem(t, f.A, newAddress).WantError(403, "otp_expired")
	third := f.A.LinkQuery(t, f.A.Mail(t, "third@example.com")).Get("token")
	if res := redeem(t, f.A, third).Want(200); res.Get("access_token") != "" {
		t.Error("the earlier confirmation counted")
	}
	redeem(t, f.A, f.A.LinkQuery(t, f.A.Mail(t, "old@example.com")).Get("token")).Session()
	if got := email(t, f); got != "third@example.com" {
		t.Errorf("the address is %s", got)
	}
}

// Another user has taken the new address in the meantime.
func TestEmailChangeTaken(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	_, current, newAddress := changing(t, f)
	f.A.SignUp(t, "new@example.com", "password456")
	redeem(t, f.A, current).Want(200)
	redeem(t, f.A, newAddress).WantError(422, "email_exists")
	f.A.SignIn(t, "old@example.com", "password123")
	f.A.SignIn(t, "new@example.com", "password456")
}

// After a change, links that were mailed to the old address are invalid.
func TestEmailChangeEndsLinksOfTheOldAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	_, current, newAddress := changing(t, f)
	f.A.Do(t, "POST", "/recover", m{"email": "old@example.com"}).Want(200)
	recovery := f.A.LinkQuery(t, f.A.Mail(t, "old@example.com")).Get("token")
	redeem(t, f.A, current).Want(200)
	redeem(t, f.A, newAddress).Session()
	f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": recovery}).WantError(403, "otp_expired")
}

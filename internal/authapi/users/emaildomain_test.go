package users_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// An address of a refused domain enters by no way but an admin's.
func TestEmailDomains(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	f := flowtest.New(t, func(c *tenants.Config) {
		c.MailerAutoconfirm, c.ManualLinking, c.AnonymousUsers, c.RateLimitAnonymous, c.SMTPMaxFrequency = true, true, true, 1000, 0
	})
	const old = "old@refused.example"
	f.A.SignUp(t, old, "password123")
	f.A.Configure(func(c *tenants.Config) {
		c.EmailDomainsBlocked, c.DisposableBlocked, c.DisposableExceptions = "refused.example", true, "yopmail.com"
	})
	const code = "email_address_not_authorized"
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	idToken := func(p *flowtest.Project, subject, email string) m {
		login := connector.Login{Profile: connector.Profile{Subject: subject, Email: email, EmailVerified: true, Data: m{"email": email}}}
		return m{"provider": "idp", "id_token": f.IDP.Issue(p, "", login)}
	}
	for _, email := range []string{"x@refused.example", "x@Mail.Refused.Example", "x@mailinator.com"} {
		f.A.Do(t, "POST", "/signup", m{"email": email, "password": "password123"}).WantError(400, code)
		f.A.Do(t, "PUT", "/user", m{"email": email}, flowtest.User(ann.Access)).WantError(400, code)
		f.A.Do(t, "POST", "/token?grant_type=id_token", idToken(f.A, "1", email)).WantError(400, code)
		guest := f.A.Do(t, "POST", "/signup", m{}).Session()
		f.A.Do(t, "PUT", "/user", m{"email": email}, flowtest.User(guest.Access)).WantError(400, code)
		link := idToken(f.A, "2", email)
		link["link_identity"] = true
		f.A.Do(t, "POST", "/token?grant_type=id_token", link, flowtest.User(guest.Access)).WantError(400, code)
		// No error, which would tell that there is no such user; and no user.
		f.A.EmptyOutbox(t)
		f.A.Do(t, "POST", "/otp", m{"email": email}).Want(200)
		f.A.Do(t, "POST", "/magiclink", m{"email": email}).Want(200)
		if n := len(f.A.Mails(t)); n != 0 {
			t.Errorf("%s: %d mails", email, n)
		}
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE email LIKE 'x@%' OR email_change LIKE 'x@%'`); n != 0 {
		t.Errorf("%d users have a refused address", n)
	}
	// Who has such an address keeps it.
	f.A.SignIn(t, old, "password123")
	f.A.Do(t, "POST", "/otp", m{"email": old}).Want(200)
	f.A.Do(t, "POST", "/verify", m{"type": "email", "email": old, "token": f.A.Mail(t, old).Code}).Session()
	f.A.Do(t, "POST", "/token?grant_type=id_token", idToken(f.A, "3", old)).Want(200)
	// An admin, an exception and the other project are not concerned.
	f.A.Admin(t, "POST", "/admin/users", m{"email": "y@refused.example"}).Want(200)
	f.A.Admin(t, "POST", "/invite", m{"email": "z@refused.example"}).Want(200)
	f.A.SignUp(t, "x@yopmail.com", "password123")
	f.B.SignUp(t, "x@refused.example", "password123")
	// An allow list refuses all others.
	f.A.Configure(func(c *tenants.Config) { c.EmailDomainsAllowed = "example.com" })
	f.A.Do(t, "POST", "/signup", m{"email": "x@example.org", "password": "password123"}).WantError(400, code)
	f.A.SignUp(t, "x@mail.example.com", "password123")
}

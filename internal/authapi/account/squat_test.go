package account_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// TestUnlinkProvesNoAddress: an account whose owner unlinks the address never gets
// one that only the owner has named: whoever has that address would be led into
// somebody else's account.
func TestUnlinkProvesNoAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) {
		c.ExternalPhoneEnabled, c.ManualLinking, c.SMSAutoconfirm, c.SMSMaxFrequency, c.SMTPMaxFrequency = true, true, false, 0, 0
	})
	const phone, victim, mallory = "491701234567", "victim@example.com", "mallory@example.com"
	f.A.Do(t, "POST", "/signup", m{"phone": phone, "password": "password123", "data": m{"email": victim, "email_verified": true}}).Want(200)
	s := f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": phone, "token": f.A.Mail(t, phone).Code}).Session()
	f.A.Do(t, "PUT", "/user", m{"email": mallory}, flowtest.User(s.Access)).Want(200)
	f.A.Do(t, "POST", "/verify", m{"type": "email_change", "email": mallory, "token": f.A.Mail(t, mallory).Code}).Session()
	id := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.identities WHERE provider = 'email'`)
	f.A.Do(t, "DELETE", "/user/identities/"+id, nil, flowtest.User(s.Access)).Want(200)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE email = $1`, victim); n != 0 {
		t.Error("the account has the victim's address")
	}
	f.A.Do(t, "POST", "/otp", m{"email": victim}).Want(200)
	hers := f.A.Do(t, "POST", "/verify", m{"type": "email", "email": victim, "token": f.A.Mail(t, victim).Code}).Session()
	if hers.UserID == s.UserID {
		t.Error("the victim is in the attacker's account")
	}
}

// TestPhoneProvesNoAddress: a number that its owner has proved says nothing of the
// address beside it. Whoever proves the address gets an account in which nobody else
// can sign in.
func TestPhoneProvesNoAddress(t *testing.T) {
	t.Parallel()
	const phone, victim = "491701234567", "victim@example.com"
	for name, register := range map[string]func(t *testing.T, f *flowtest.Fixture) flowtest.Session{
		"of a sign-up": func(t *testing.T, f *flowtest.Fixture) flowtest.Session {
			f.A.Do(t, "POST", "/signup", m{"email": victim, "password": "password123"}).Want(200)
			return f.A.SignIn(t, victim, "password123")
		},
		"of a provider": func(t *testing.T, f *flowtest.Fixture) flowtest.Session {
			token := f.IDP.Issue(f.A, "", connector.Login{Profile: connector.Profile{Subject: "mallory", Email: victim, Data: m{"sub": "mallory", "email": victim}}})
			return f.A.Do(t, "POST", "/token?grant_type=id_token", m{"provider": "idp", "id_token": token}).Session()
		},
	} {
		for _, proof := range []string{"magiclink", "signup"} {
			t.Run(name+", "+proof, func(t *testing.T) {
				t.Parallel()
				f := flowtest.New(t, func(c *tenants.Config) {
					c.ExternalPhoneEnabled, c.SMSAutoconfirm, c.SMSMaxFrequency, c.SMTPMaxFrequency = true, false, 0, 0
					c.MailerAutoconfirm, c.MailerAllowUnverifiedEmailSignIn = false, true
				})
				mallory := register(t, f)
				f.A.Do(t, "PUT", "/user", m{"phone": phone}, flowtest.User(mallory.Access)).Want(200)
				mallory = f.A.Do(t, "POST", "/verify", m{"type": "phone_change", "phone": phone, "token": f.A.Mail(t, phone).Code}).Session()

				if proof == "signup" {
					f.A.Do(t, "POST", "/signup", m{"email": victim, "password": "password456"}).Want(200)
				} else {
					f.A.Do(t, "POST", "/otp", m{"email": victim}).Want(200)
				}
				hers := f.A.Do(t, "POST", "/verify", m{"type": "email", "email": victim, "token": f.A.Mail(t, victim).Code}).Session()

				f.A.Do(t, "POST", "/token?grant_type=refresh_token", m{"refresh_token": mallory.Refresh}).WantError(400, "refresh_token_not_found")
				f.A.Do(t, "POST", "/token?grant_type=password", m{"email": victim, "password": "password123"}).WantError(400, "invalid_credentials")
				f.A.Do(t, "POST", "/otp", m{"phone": phone}).Want(200)
				back := f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": phone, "token": f.A.Mail(t, phone).Code}).Session()
				if back.UserID == hers.UserID {
					t.Error("the number still leads into the account")
				}
				if name == "of a provider" {
					token := f.IDP.Issue(f.A, "", connector.Login{Profile: connector.Profile{Subject: "mallory", Email: victim, Data: m{"sub": "mallory", "email": victim}}})
					again := f.A.Do(t, "POST", "/token?grant_type=id_token", m{"provider": "idp", "id_token": token})
					if again.Get("user.id") == hers.UserID {
						t.Error("the identity still leads into the account")
					}
				}
				if n := f.A.Count(t, `SELECT count(*) FROM auth.identities WHERE user_id = $1`, hers.UserID); n != 1 {
					t.Errorf("%d identities, want that of the address", n)
				}
			})
		}
	}
}

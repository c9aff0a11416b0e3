package account_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// together sends the requests at once, and returns how many were answered with each
// status.
func together(requests ...func() int) map[int]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	statuses := map[int]int{}
	for _, send := range requests {
		wg.Go(func() {
			status := send()
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	wg.Wait()
	return statuses
}

func phones(c *tenants.Config) {
	c.ExternalPhoneEnabled, c.SMSAutoconfirm, c.SMSMaxFrequency, c.SMTPMaxFrequency = true, false, 0, 0
	c.ManualLinking, c.AnonymousUsers, c.RateLimitSMSSent = true, true, 1000
}

// TestCodeRedeemedAtOnce: a code in a text message signs in once, however many ask at
// the same time.
func TestCodeRedeemedAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	const phone = "491701234567"
	f.A.Do(t, "POST", "/otp", m{"phone": phone}).Want(200)
	code := f.A.Mail(t, phone).Code
	var all []func() int
	for range 8 {
		all = append(all, func() int {
			return f.A.Do(t, "POST", "/verify", m{"type": "sms", "phone": phone, "token": code}).Status
		})
	}
	if got := together(all...); got[200] != 1 || got[403] != 7 {
		t.Errorf("statuses %v", got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// TestUnlinkedAtOnce: whoever unlinks all identities at the same time keeps one.
func TestUnlinkedAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	s := f.A.SignUp(t, "ann@example.com", "password123")
	for i := range 3 {
		who := connector.Login{Profile: connector.Profile{Subject: fmt.Sprint(i), Data: m{"sub": fmt.Sprint(i)}, Email: "ann@example.com", EmailVerified: true}}
		token := f.IDP.Issue(f.A, "", who)
		f.A.Do(t, "POST", "/token?grant_type=id_token", m{"provider": "idp", "id_token": token}).Want(200)
	}
	var all []func() int
	for i := range 4 {
		id := flowtest.One[string](t, f.A, `SELECT id::text FROM auth.identities ORDER BY id OFFSET $1 LIMIT 1`, i)
		all = append(all, func() int {
			return f.A.Do(t, "DELETE", "/user/identities/"+id, nil, flowtest.User(s.Access)).Status
		})
	}
	if got := together(all...); got[200] != 3 || got[422] != 1 {
		t.Errorf("statuses %v", got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.identities`); n != 1 {
		t.Errorf("%d identities", n)
	}
}

// TestUpgradedAtOnce: two anonymous users who prove the same number at the same time do
// not both get it, and one who proves two gets a number once.
func TestUpgradedAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, phones)
	const phone = "491701234567"
	type upgrade struct{ access, code string }
	var upgrades []upgrade
	for range 2 {
		s := f.A.Do(t, "POST", "/signup", m{}).Session()
		f.A.Do(t, "PUT", "/user", m{"phone": phone}, flowtest.User(s.Access)).Want(200)
		upgrades = append(upgrades, upgrade{s.Access, f.A.Mail(t, phone).Code})
	}
	var all []func() int
	for _, u := range upgrades {
		for range 3 {
			all = append(all, func() int {
				return f.A.Do(t, "POST", "/verify", m{"type": "phone_change", "phone": phone, "token": u.code}).Status
			})
		}
	}
	got := together(all...)
	if got[200] != 1 || got[500] != 0 {
		t.Errorf("statuses %v", got)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE phone = $1 AND NOT is_anonymous`, phone); n != 1 {
		t.Errorf("%d users have the number", n)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE is_anonymous`); n != 1 {
		t.Errorf("%d users are still anonymous", n)
	}
}

// TestChangesToOneAddress: many users who change to the same address or number do not
// make its owner's mailbox or telephone overflow.
func TestChangesToOneAddress(t *testing.T) {
	t.Parallel()
	for field, c := range map[string]struct{ contact, other, code string }{
		"email": {"ann@example.com", "eve@example.com", "over_email_send_rate_limit"},
		"phone": {"491701234567", "491701234568", "over_sms_send_rate_limit"},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, phones, func(c *tenants.Config) { c.SMSMaxFrequency, c.SMTPMaxFrequency = 60, 60 })
			change := func(p *flowtest.Project, contact string) *flowtest.Response {
				s := p.Do(t, "POST", "/signup", m{}).Session()
				return p.Do(t, "PUT", "/user", m{field: contact}, flowtest.User(s.Access))
			}
			change(f.A, c.contact).Want(200)
			change(f.A, c.contact).WantError(429, c.code)
			change(f.A, c.other).Want(200)
			change(f.B, c.contact).Want(200)
			if n := len(f.A.Mails(t)); n != 2 {
				t.Errorf("%d messages, want one to each", n)
			}
			f.Clock.Advance(61 * time.Second)
			change(f.A, c.contact).Want(200)
		})
	}
}

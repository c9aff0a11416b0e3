package verify_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

const guessed = "c@example.com"

// enter types in a code from a client's address, and wants a wrong code's
// answer or a session. Every refusal must look the same.
func enter(t *testing.T, p *flowtest.Project, typ, code, client string, right bool) {
	t.Helper()
	res := p.Do(t, "POST", "/verify", m{"type": typ, "email": guessed, "token": code}, flowtest.From(client))
	if right {
		res.Session()
		return
	}
	res.WantError(403, "otp_expired")
	if got := string(res.Raw); got != `{"code":403,"error_code":"otp_expired","msg":"Token has expired or is invalid"}` || res.Header.Get("Retry-After") != "" {
		t.Errorf("the refusal is %s with Retry-After %q", got, res.Header.Get("Retry-After"))
	}
}

// notThe returns a code that is none of the mails'.
func notThe(mails ...message.Message) string {
	for i := 0; ; i++ {
		code := fmt.Sprintf("%06d", i)
		if !strings.Contains(fmt.Sprint(codesOf(mails)), code) {
			return code
		}
	}
}

func codesOf(mails []message.Message) (codes []string) {
	for _, mail := range mails {
		codes = append(codes, mail.Code)
	}
	return codes
}

const (
	attackers = "198.51.100.1"
	victims   = "203.0.113.1"
)

// Wrong codes lock a code for the client that entered them, not for others, not the
// link in the same mail and not the next mail's code.
func TestWrongCodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ     string
		prepare func(t *testing.T, p *flowtest.Project) // a user who can get the mail
		again   func(t *testing.T, p *flowtest.Project)
	}{
		"sign-up": {
			typ: "signup",
			prepare: func(t *testing.T, p *flowtest.Project) {
				p.Do(t, "POST", "/signup", m{"email": guessed, "password": "password123"}).Want(200)
			},
			again: func(t *testing.T, p *flowtest.Project) {
				p.Do(t, "POST", "/resend", m{"type": "signup", "email": guessed}).Want(200)
			},
		},
		"second sign-up": {
			typ: "signup",
			prepare: func(t *testing.T, p *flowtest.Project) {
				p.Do(t, "POST", "/signup", m{"email": guessed, "password": "password456"}).Want(200)
			},
			again: func(t *testing.T, p *flowtest.Project) {
				p.Do(t, "POST", "/signup", m{"email": guessed, "password": "password123"}).Want(200)
			},
		},
		"recovery": {
			typ: "recovery",
			prepare: func(t *testing.T, p *flowtest.Project) {
				p.SignUp(t, guessed, "password123")
				p.Do(t, "POST", "/recover", m{"email": guessed}).Want(200)
			},
			again: func(t *testing.T, p *flowtest.Project) {
				p.Do(t, "POST", "/recover", m{"email": guessed}).Want(200)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, by := range []string{"link", "next code", "another client"} {
				t.Run(by, func(t *testing.T) {
					t.Parallel()
					f := flowtest.New(t)
					for _, p := range []*flowtest.Project{f.A, f.B} {
						c.prepare(t, p)
					}
					mail, other := f.A.Mail(t, guessed), f.B.Mail(t, guessed)
					wrong := notThe(mail, other)
					for range 5 {
						enter(t, f.A, c.typ, wrong, attackers, false)
					}
					enter(t, f.A, c.typ, mail.Code, attackers, false)
					enter(t, f.A, "email", mail.Code, attackers, false)
					enter(t, f.B, c.typ, other.Code, attackers, true) // another project counts for itself
					switch by {
					case "link":
						f.A.Do(t, "POST", "/verify", m{"type": c.typ, "token_hash": f.A.LinkQuery(t, mail).Get("token")}).Session()
						return
					case "another client":
						enter(t, f.A, c.typ, mail.Code, victims, true)
						return
					}
					f.Clock.Advance(time.Minute)
					c.again(t, f.A)
					enter(t, f.A, c.typ, f.A.Mail(t, guessed).Code, attackers, true)
				})
			}
		})
	}
}

// A client can enter twenty wrong codes at once for an address, all clients
// together ninety, and then ten an hour: so a code is guessed with a chance of 1 in
// 10,000. Until then the right code of whoever asks for another one works, and where
// the user has a session it works beyond that.
func TestWrongCodesOfAnHour(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"email", "phone"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, func(c *tenants.Config) {
				c.RateLimitEmailSent, c.SMTPMaxFrequency = 10_000, 0
				c.ExternalPhoneEnabled, c.SMSMaxFrequency, c.RateLimitSMSSent = true, 0, 10_000
			})
			g := guesser{f.A, by, "recovery", guessed}
			if by == "phone" {
				g.typ, g.contact = "sms", "491701234567"
			}
			g.enter(t, g.ask(t).Code, "192.0.2.7", true) // the user exists and has a session there
			guess := func(client string, times int) {
				t.Helper()
				for i := range times {
					if i%5 == 0 {
						g.ask(t) // a count of its own
					}
					g.enter(t, "000000", client, false)
				}
			}
			guess(attackers, 20)
			g.enter(t, g.ask(t).Code, attackers, false) // his are used up
			g.enter(t, g.ask(t).Code, victims, true)    // hers are not
			for i := range 3 {
				guess(fmt.Sprintf("198.51.100.%d", 10+i), 20)
			}
			guess("198.51.100.20", 9)
			g.enter(t, g.ask(t).Code, victims, true) // one try is left
			guess("198.51.100.20", 1)
			const elsewhere = "203.0.113.99"
			g.enter(t, g.ask(t).Code, elsewhere, false) // the address's are used up
			f.Clock.Advance(6*time.Minute + time.Second)
			code := g.ask(t).Code
			g.enter(t, "000000", "198.51.100.21", false)
			g.enter(t, code, elsewhere, false)
			g.enter(t, code, "192.0.2.7", true) // at home
			f.Clock.Advance(6*time.Minute + time.Second)
			g.enter(t, g.ask(t).Code, elsewhere, true)
		})
	}
}

// guesser enters the codes of a user.
type guesser struct {
	*flowtest.Project
	by, typ, contact string
}

// ask has a code sent, and returns the message.
func (g guesser) ask(t *testing.T) message.Message {
	t.Helper()
	if g.by == "email" {
		if g.Count(t, `SELECT count(*) FROM auth.users`) == 0 {
			g.SignUp(t, g.contact, "password123")
		}
		g.Do(t, "POST", "/recover", m{"email": g.contact}).Want(200)
		return g.Mail(t, g.contact)
	}
	g.Do(t, "POST", "/otp", m{"phone": g.contact}).Want(200)
	return g.Mail(t, g.contact)
}

func (g guesser) enter(t *testing.T, code, client string, right bool) {
	t.Helper()
	res := g.Do(t, "POST", "/verify", m{"type": g.typ, g.by: g.contact, "token": code}, flowtest.From(client))
	if right {
		res.Session()
		return
	}
	res.WantError(403, "otp_expired")
}

// Wrong codes for an address without a code are not counted against it.
func TestWrongCodesBeforeTheMail(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for range 30 {
		enter(t, f.A, "signup", "000000", attackers, false)
	}
	_, code := signUp(t, f.A, guessed)
	enter(t, f.A, "signup", code, attackers, true)
}

// Guesses at the same time count too.
func TestWrongCodesAtOnce(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	_, code := signUp(t, f.A, guessed)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			guess := fmt.Sprintf("%06d", i)
			if guess == code {
				guess = "111111"
			}
			enter(t, f.A, "signup", guess, attackers, false)
		})
	}
	wg.Wait()
	enter(t, f.A, "signup", code, attackers, false)
	enter(t, f.A, "signup", code, victims, true)
}

// A guess is compared with the newest codes of an address only. The links of
// the others work.
func TestOldCodes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.SMTPMaxFrequency = 0 })
	var mails []message.Message
	for range 7 {
		signUp(t, f.A, guessed)
		mails = append(mails, f.A.Mail(t, guessed))
		f.Clock.Advance(time.Second)
	}
	enter(t, f.A, "signup", mails[1].Code, victims, false)
	f.A.Do(t, "GET", "/verify?"+f.A.LinkQuery(t, mails[1]).Encode(), nil, flowtest.Key("")).Want(303).Fragment()
	if n := f.A.Count(t, `SELECT count(*) FROM auth.sessions`); n != 1 {
		t.Errorf("%d sessions: the link does not work", n)
	}
}

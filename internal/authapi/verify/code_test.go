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

// Wrong codes lock a code, not the link in the same mail and not the next
// mail's code.
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
			for _, by := range []string{"link", "next code"} {
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
					enter(t, f.A, c.typ, mail.Code, victims, false)
					enter(t, f.A, "email", mail.Code, victims, false)
					enter(t, f.B, c.typ, other.Code, attackers, true) // another project counts for itself
					if by == "link" {
						f.A.Do(t, "POST", "/verify", m{"type": c.typ, "token_hash": f.A.LinkQuery(t, mail).Get("token")}).Session()
						return
					}
					f.Clock.Advance(time.Minute)
					c.again(t, f.A)
					enter(t, f.A, c.typ, f.A.Mail(t, guessed).Code, victims, true)
				})
			}
		})
	}
}

// A client can enter ten wrong codes in an hour for an address, all clients
// together twenty, so fresh mails do not make guessing feasible.
func TestWrongCodesOfAnHour(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.RateLimitEmailSent, c.SMTPMaxFrequency = 1000, 0 })
	f.A.SignUp(t, guessed, "password123")
	fresh := func() message.Message {
		f.A.Do(t, "POST", "/recover", m{"email": guessed}).Want(200)
		return f.A.Mail(t, guessed)
	}
	guess := func(client string, times int) {
		t.Helper()
		for range times {
			mail := fresh() // a count of its own
			enter(t, f.A, "recovery", notThe(mail), client, false)
		}
	}
	guess(attackers, 10)
	enter(t, f.A, "recovery", fresh().Code, attackers, false) // his are used up
	enter(t, f.A, "recovery", fresh().Code, victims, true)    // hers are not
	guess("198.51.100.2", 10)
	mail := fresh()
	enter(t, f.A, "recovery", mail.Code, victims, false) // the address's are used up
	f.Clock.Advance(6*time.Minute + time.Second)
	enter(t, f.A, "recovery", mail.Code, victims, true)
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
	enter(t, f.A, "signup", code, victims, false)
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

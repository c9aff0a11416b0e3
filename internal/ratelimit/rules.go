package ratelimit

import (
	"time"

	"github.com/reevehq/reeve/internal/auth"
)

// maxBurst is the burst of the reference's limits per client. A lower
// configured number is the burst itself, so that the number holds.
const maxBurst = 30

// EmailSent limits the mails of a whole project: identifier "". It refuses with
// auth.ErrEmailRate.
func EmailSent(perHour int) Rule {
	return Rule{Name: "email_sent", Events: perHour, Per: time.Hour, Burst: perHour, Refusal: auth.ErrEmailRate.After}
}

// Verify limits /verify, for each client.
func Verify(perFiveMinutes int) Rule { return perClient("verify", perFiveMinutes) }

// Token limits /token, whatever the grant, for each client.
func Token(perFiveMinutes int) Rule { return perClient("token", perFiveMinutes) }

// OTP limits routes that send codes or links, for each client. The reference
// counts /signup, /otp, /magiclink, /recover, /resend and PUT /user separately:
// use For with the route.
func OTP(perFiveMinutes int) Rule { return perClient("otp", perFiveMinutes) }

// Codes limits wrong codes of a kind, for use with Limiter.Guess: ten at once,
// and ten more in the lifetime of a code. The shortest codes have six digits.
func Codes(kind string, ttl time.Duration) Rule {
	return Rule{Name: kind, Events: 10, Per: max(ttl, time.Minute), Burst: 10}
}

// For returns the rule with a separate bucket for one of the routes that it
// limits. The part must come from code, never from a request.
func (r Rule) For(part string) Rule {
	r.Name += "/" + part
	return r
}

func perClient(name string, perFiveMinutes int) Rule {
	return Rule{Name: name, Events: perFiveMinutes, Per: 5 * time.Minute, Burst: min(perFiveMinutes, maxBurst)}
}

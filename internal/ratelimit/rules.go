package ratelimit

import (
	"time"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

// maxBurst is the burst of the reference's limits per client. A lower
// configured number is the burst itself, so that the number holds.
const maxBurst = 30

// EmailSent limits the mails of a whole project: identifier "". It refuses with
// auth.ErrEmailRate.
func EmailSent(perHour int) Rule {
	return Rule{Name: "email_sent", Events: perHour, Per: time.Hour, Burst: perHour, Refusal: auth.ErrEmailRate.After}
}

// SMSSent limits the text messages of a whole project: identifier "". It refuses
// with auth.ErrSMSRate.
func SMSSent(perHour int) Rule {
	return Rule{Name: "sms_sent", Events: perHour, Per: time.Hour, Burst: perHour, Refusal: auth.ErrSMSRate.After}
}

// SMSCountry limits the text messages of a project to a country calling code,
// which is the identifier. It refuses with auth.ErrSMSRate.
func SMSCountry(perHour int) Rule {
	return Rule{Name: "sms_country", Events: perHour, Per: time.Hour, Burst: perHour, Refusal: auth.ErrSMSRate.After}
}

// Verify limits /verify, for each client.
func Verify(perFiveMinutes int) Rule { return perClient("verify", perFiveMinutes) }

// Token limits /token, whatever the grant, for each client.
func Token(perFiveMinutes int) Rule { return perClient("token", perFiveMinutes) }

// Passkey limits the begin of sign-ins with a passkey, for each client: 30 in 5
// minutes, as in the reference.
func Passkey() Rule { return perClient("passkey", 30) }

// Anonymous limits anonymous sign-ins, for each client.
func Anonymous(perHour int) Rule {
	return Rule{Name: "anonymous", Events: perHour, Per: time.Hour, Burst: perHour}
}

// Factors limits the routes of second factors, for each client.
func Factors(perMinute int) Rule {
	return Rule{Name: "factor", Events: perMinute, Per: time.Minute, Burst: min(perMinute, maxBurst)}
}

// OTP limits routes that send codes or links, for each client. The reference
// counts /signup, /otp, /magiclink, /recover, /resend and PUT /user separately:
// use For with the route.
func OTP(perFiveMinutes int) Rule { return perClient("otp", perFiveMinutes) }

// Codes limits wrong codes of a signed-in user, for use with Limiter.Guess: ten
// at once, and ten more in the lifetime of a code. The shortest codes have six
// digits.
func Codes(kind string, ttl time.Duration) Rule {
	return Rule{Name: kind, Events: 10, Per: max(ttl, time.Minute), Burst: 10}
}

// The rules for wrong codes of somebody who is not signed in, for use with
// Limiter.Guess. All of them refuse as a wrong code is refused, so that nobody
// learns whether a code was right. A code has at least six digits, so a guess is
// right with a chance of 1 in 1,000,000, times the codes that it is compared with:
// at most MailedCodes. WrongCodeForAddress lets at most 100 guesses pass in an
// hour, so that a code that was sent is found with a chance of 1 in 10,000.

// MailedCodes is how many codes of an address can be typed in: the newest ones.
const MailedCodes = 5

// WrongCode allows a client five wrong tries of a code in its lifetime; the
// identifier has both.
func WrongCode(ttl time.Duration) Rule {
	return Rule{Name: "wrong_code", Events: 1, Per: max(ttl, time.Minute), Burst: 5, Refusal: asWrongCode}
}

// WrongCodeOfClient limits the wrong codes that a client enters for an address,
// so that a single client cannot use up what WrongCodeForAddress allows: twenty at
// once, and ten an hour.
func WrongCodeOfClient() Rule {
	return Rule{Name: "wrong_code_client", Events: 10, Per: time.Hour, Burst: 20, Refusal: asWrongCode}
}

// WrongCodeForAddress limits the wrong codes for an address: ninety at once, and
// ten an hour.
func WrongCodeForAddress() Rule {
	return Rule{Name: "wrong_code_address", Events: 10, Per: time.Hour, Burst: 90, Refusal: asWrongCode}
}

func asWrongCode(time.Duration) *fault.Error { return auth.ErrOTPExpired }

// For returns the rule with a separate bucket for one of the routes that it
// limits. The part must come from code, never from a request.
func (r Rule) For(part string) Rule {
	r.Name += "/" + part
	return r
}

func perClient(name string, perFiveMinutes int) Rule {
	return Rule{Name: name, Events: perFiveMinutes, Per: 5 * time.Minute, Burst: min(perFiveMinutes, maxBurst)}
}

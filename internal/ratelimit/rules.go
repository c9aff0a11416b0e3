package ratelimit

import (
	"time"

	"github.com/reevehq/reeve/internal/fault"
)

// Names of the rules.
const (
	NameEmailSent = "email_sent"
	NameSMSSent   = "sms_sent"
	NameVerify    = "verify"
	NameToken     = "token"
	NameOTP       = "otp"
	NameAnonymous = "anonymous"
	NameSSO       = "sso"
	NameSAML      = "saml"
	NameWeb3      = "web3"
	NamePasskey   = "passkey"
	NameMFA       = "mfa"
)

// Refusals, with the codes and messages of the reference.
var (
	ErrOverRequests = fault.New(fault.TooMany, "over_request_rate_limit", "Request rate limit reached")
	ErrOverEmails   = fault.New(fault.TooMany, "over_email_send_rate_limit", "email rate limit exceeded")
	ErrOverSMS      = fault.New(fault.TooMany, "over_sms_send_rate_limit", "SMS rate limit exceeded")
)

// Numbers are a project's configured limits (rate_limit_email_sent and its
// siblings), each in events per the period that its rule has.
type Numbers struct {
	EmailSent, SMSSent            int // an hour, for the whole project
	Verify, Token, OTP, SSO, SAML int // five minutes, for each client
	Web3, Passkey                 int // five minutes, for each client
	Anonymous                     int // an hour, for each client
	MFA                           int // a minute, for each client
}

// Defaults returns the reference's defaults (the RATE_LIMIT_* settings of
// Supabase Auth, and those of MFA and SAML).
func Defaults() Numbers {
	return Numbers{
		EmailSent: 30, SMSSent: 30,
		Verify: 30, Token: 150, OTP: 30, SSO: 30, SAML: 15,
		Web3: 30, Passkey: 30,
		Anonymous: 30,
		MFA:       15,
	}
}

// maxBurst is the burst that the reference gives its limits per client. A
// lower configured number is the burst itself, so that the number holds.
const maxBurst = 30

// EmailSent limits the mails of a whole project: identifier "".
func EmailSent(perHour int) Rule { return wholeProject(NameEmailSent, perHour) }

// SMSSent limits the text messages of a whole project: identifier "".
func SMSSent(perHour int) Rule { return wholeProject(NameSMSSent, perHour) }

// Verify limits /verify, for each client.
func Verify(perFiveMinutes int) Rule { return perClient(NameVerify, perFiveMinutes, 5*time.Minute) }

// Token limits /token, whatever the grant, for each client.
func Token(perFiveMinutes int) Rule { return perClient(NameToken, perFiveMinutes, 5*time.Minute) }

// OTP limits what sends codes or links, for each client. The reference counts
// /signup, /otp, /magiclink, /recover, /resend and PUT /user each apart: use
// For with the route.
func OTP(perFiveMinutes int) Rule { return perClient(NameOTP, perFiveMinutes, 5*time.Minute) }

// Anonymous limits anonymous sign-ups, for each client.
func Anonymous(perHour int) Rule { return perClient(NameAnonymous, perHour, time.Hour) }

// SSO limits /sso, for each client.
func SSO(perFiveMinutes int) Rule { return perClient(NameSSO, perFiveMinutes, 5*time.Minute) }

// SAML limits assertions at /sso/saml/acs, for each client.
func SAML(perFiveMinutes int) Rule { return perClient(NameSAML, perFiveMinutes, 5*time.Minute) }

// Web3 limits the web3 grant, for each client.
func Web3(perFiveMinutes int) Rule { return perClient(NameWeb3, perFiveMinutes, 5*time.Minute) }

// Passkey limits passkey sign-in, for each client.
func Passkey(perFiveMinutes int) Rule { return perClient(NamePasskey, perFiveMinutes, 5*time.Minute) }

// MFA limits challenges and their verification, for each client.
func MFA(perMinute int) Rule { return perClient(NameMFA, perMinute, time.Minute) }

// For returns the rule with a bucket of its own for one of the routes it
// limits. The part must come from code, never from a request.
func (r Rule) For(part string) Rule {
	r.Name += "/" + part
	return r
}

// Refused is the fault for an event that this rule refused.
func (r Rule) Refused(retryAfter time.Duration) *fault.Error {
	switch r.Name {
	case NameEmailSent:
		return ErrOverEmails.After(retryAfter)
	case NameSMSSent:
		return ErrOverSMS.After(retryAfter)
	}
	return ErrOverRequests.After(retryAfter)
}

func wholeProject(name string, perHour int) Rule {
	return Rule{Name: name, Events: perHour, Per: time.Hour, Burst: perHour}
}

func perClient(name string, events int, per time.Duration) Rule {
	return Rule{Name: name, Events: events, Per: per, Burst: min(events, maxBurst)}
}

package server_test

import (
	"net/http"

	"github.com/reevehq/reeve/internal/server/servertest"
)

func recoverFor(c *call, p *testProject, email string) *servertest.Answer {
	c.Helper()
	return c.do(p, http.MethodPost, "/recover", jsonObject{"email": email})
}

func resend(c *call, body jsonObject) *servertest.Answer {
	c.Helper()
	return c.do(c.mail, http.MethodPost, "/resend", body)
}

var (
	slow = jsonObject{"smtp_max_frequency": 60}
	soon = map[string]string{"Retry-After": `^[1-9]\d*$`}
)

var recoveryFacts = []fact{
	{
		name: "recover", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer { return recoverFor(c, c.mail, c.user(c.mail).User.Email) },
	},
	{
		name: "recover, unknown", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer { return recoverFor(c, c.mail, c.email()) },
	},
	{
		name: "recover, no address", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return recoverFor(c, c.mail, "") },
	},
	{
		name: "recover, email is off", status: 400, code: "email_provider_disabled",
		ask: with(jsonObject{"external_email_enabled": false}, func(c *call, p *testProject) *servertest.Answer {
			return recoverFor(c, p, c.email())
		}),
	},
	{
		name: "recover, too soon", status: 429, code: "over_email_send_rate_limit", header: soon, deviates: "retry after",
		ask: with(slow, func(c *call, p *testProject) *servertest.Answer {
			email := c.user(p).User.Email
			recoverFor(&call{T: c.T, world: c.world}, p, email).Expect(c.T, http.StatusOK)
			return recoverFor(c, p, email)
		}),
	},
	{
		name: "recover, unknown and too soon", status: 429, code: "over_email_send_rate_limit", header: soon,
		deviates: "repeated requests reveal nothing",
		ask: with(slow, func(c *call, p *testProject) *servertest.Answer {
			email := c.email()
			recoverFor(&call{T: c.T, world: c.world}, p, email).Expect(c.T, http.StatusOK)
			return recoverFor(c, p, email)
		}),
	},
	{
		name: "signup again before confirmation, too soon", status: 429, code: "over_email_send_rate_limit", header: soon,
		ask: with(slow, func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/signup", jsonObject{"email": c.waiting(p), "password": goodPassword})
		}),
	},
	{
		name: "update email, too soon", status: 429, code: "over_email_send_rate_limit", header: soon,
		ask: with(slow, func(c *call, p *testProject) *servertest.Answer {
			s := c.user(p)
			p.As(c.T, s.AccessToken, http.MethodPut, "/user", jsonObject{"email": c.email()}).Expect(c.T, http.StatusOK)
			return c.as(p, s.AccessToken, http.MethodPut, "/user", jsonObject{"email": c.email()})
		}),
	},
	{
		name: "resend signup", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer {
			email := c.waiting(c.mail)
			a := resend(c, jsonObject{"type": "signup", "email": email})
			mailed(c, email, 2)
			return a
		},
	},
	{
		name: "resend signup, confirmed already", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer {
			return resend(c, jsonObject{"type": "signup", "email": c.somebody(c.mail).User.Email})
		},
	},
	{
		name: "resend signup, unknown", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer { return resend(c, jsonObject{"type": "signup", "email": c.email()}) },
	},
	{
		name: "resend signup, too soon", status: 429, code: "over_email_send_rate_limit", header: soon,
		ask: with(slow, func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/resend", jsonObject{"type": "signup", "email": c.waiting(p)})
		}),
	},
	{
		name: "resend email_change", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, nil)
			a := resend(c, jsonObject{"type": "email_change", "email": ch.user.User.Email})
			mailed(c, ch.to, 2)
			return a
		},
	},
	{
		name: "resend, unknown type", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return resend(c, jsonObject{"type": "recovery", "email": c.email()}) },
	},
	{
		name: "resend, no address", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return resend(c, jsonObject{"type": "signup"}) },
	},
	{
		name: "resend, phone is off", status: 400, code: "phone_provider_disabled",
		ask: func(c *call) *servertest.Answer { return resend(c, jsonObject{"type": "sms", "phone": "15550001111"}) },
	},
}

// spent sends one request more than a project's limit of one.
func spent(setting, method, path string, body jsonObject) func(c *call) *servertest.Answer {
	return with(jsonObject{setting: 1}, func(c *call, p *testProject) *servertest.Answer {
		p.Do(c.T, method, path, body)
		return c.do(p, method, path, body)
	})
}

var nobody = jsonObject{"email": "nobody@example.com", "password": goodPassword, "type": "signup", "token": "123456"}

// limitFacts are refused before the request is read.
var limitFacts = []fact{
	limited("signup", "rate_limit_otp", http.MethodPost, "/signup"),
	limited("recover", "rate_limit_otp", http.MethodPost, "/recover"),
	limited("resend", "rate_limit_otp", http.MethodPost, "/resend"),
	limited("update", "rate_limit_otp", http.MethodPut, "/user"),
	limited("verify POST", "rate_limit_verify", http.MethodPost, "/verify"),
	limited("verify GET", "rate_limit_verify", http.MethodGet, "/verify"),
	limited("token", "rate_limit_token_refresh", http.MethodPost, "/token?grant_type=password"),
	{
		name: "mails of the project over the limit", status: 429, code: "over_email_send_rate_limit", header: soon,
		ask: with(jsonObject{"rate_limit_email_sent": 1}, func(c *call, p *testProject) *servertest.Answer {
			plainSignUp(&call{T: c.T, world: c.world}, p)
			return plainSignUp(c, p)
		}),
	},
}

func limited(what, setting, method, path string) fact {
	return fact{
		name: what + " over the limit", status: 429, code: "over_request_rate_limit", header: soon,
		ask: spent(setting, method, path, nobody),
	}
}

package server_test

import (
	"net/http"

	"github.com/reevehq/reeve/internal/server/servertest"
)

func sendOTP(c *call, p *testProject, path, email string) *servertest.Answer {
	c.Helper()
	return c.do(p, http.MethodPost, path, jsonObject{"email": email, "create_user": true})
}

var otpFacts = []fact{
	{
		name: "otp email, new user", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer { return sendOTP(c, c.mail, "/otp", c.email()) },
	},
	{
		name: "otp email, too soon", status: 429, code: "over_email_send_rate_limit", header: soon, deviates: "retry after",
		ask: with(slow, func(c *call, p *testProject) *servertest.Answer {
			email := c.email()
			sendOTP(&call{T: c.T, world: c.world}, p, "/otp", email).Expect(c.T, http.StatusOK)
			return sendOTP(c, p, "/otp", email)
		}),
	},
	{
		name: "otp email, with a channel", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.mail, http.MethodPost, "/otp", jsonObject{"email": c.email(), "channel": "sms"})
		},
	},
	{
		name: "magiclink", status: 200, body: "{}",
		ask: func(c *call) *servertest.Answer { return sendOTP(c, c.mail, "/magiclink", c.user(c.mail).User.Email) },
	},
	{
		name: "verify POST, code of an otp", status: 200, body: justConfirmed,
		ask: func(c *call) *servertest.Answer {
			email := c.email()
			sendOTP(c, c.mail, "/otp", email).Expect(c.T, http.StatusOK)
			return post(c, jsonObject{"type": "email", "email": email, "token": mailed(c, email, 1).Code})
		},
	},
	{
		name: "verify POST, code of a magic link", status: 200, body: recovered,
		ask: func(c *call) *servertest.Answer {
			email := c.user(c.mail).User.Email
			sendOTP(c, c.mail, "/magiclink", email).Expect(c.T, http.StatusOK)
			return post(c, jsonObject{"type": "magiclink", "email": email, "token": mailed(c, email, 1).Code})
		},
	},
}

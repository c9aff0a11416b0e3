package server_test

import (
	"net/http"

	"github.com/reevehq/reeve/internal/server/servertest"
)

const (
	captchaSecret  = "0x4AAAsecret"
	leakedPassword = "password that leaked"
)

// captchaSettings require a captcha.
var captchaSettings = jsonObject{
	"mailer_autoconfirm": true, "external_anonymous_users_enabled": true, "rate_limit_anonymous_users": 1000,
	"security_captcha_enabled": true, "security_captcha_provider": "turnstile", "security_captcha_secret": captchaSecret,
}

// withoutCaptcha sends a request without a solved captcha.
func withoutCaptcha(path string, body jsonObject) func(c *call) *servertest.Answer {
	return with(captchaSettings, func(c *call, p *testProject) *servertest.Answer { return c.do(p, http.MethodPost, path, body) })
}

// solved is a body with the token of a solved captcha.
func solved(c *call, body jsonObject) jsonObject {
	body["gotrue_meta_security"] = jsonObject{"captcha_token": c.services.Solve()}
	return body
}

const someEmail = "someone@example.com"

var abuseFacts = []fact{
	{
		name: "signup, captcha missing", status: 400, code: "captcha_failed",
		ask: withoutCaptcha("/signup", jsonObject{"email": someEmail, "password": goodPassword}),
	},
	{name: "anonymous, captcha missing", status: 400, code: "captcha_failed", ask: withoutCaptcha("/signup", jsonObject{})},
	{
		name: "password grant, captcha missing", status: 400, code: "captcha_failed",
		ask: withoutCaptcha("/token?grant_type=password", jsonObject{"email": someEmail, "password": goodPassword}),
	},
	{name: "otp, captcha missing", status: 400, code: "captcha_failed", ask: withoutCaptcha("/otp", jsonObject{"email": someEmail})},
	{name: "magiclink, captcha missing", status: 400, code: "captcha_failed", ask: withoutCaptcha("/magiclink", jsonObject{"email": someEmail})},
	{name: "recover, captcha missing", status: 400, code: "captcha_failed", ask: withoutCaptcha("/recover", jsonObject{"email": someEmail})},
	{
		name: "resend, captcha missing", status: 400, code: "captcha_failed",
		ask: withoutCaptcha("/resend", jsonObject{"type": "signup", "email": someEmail}),
	},
	{
		name: "signup, captcha wrong", status: 400, code: "captcha_failed",
		ask: withoutCaptcha("/signup", jsonObject{
			"email": someEmail, "password": goodPassword, "gotrue_meta_security": jsonObject{"captcha_token": "made up"},
		}),
	},
	{
		name: "signup, captcha", status: 200, deviates: "answers show what is stored", body: sessionShape(userShape(goodMeta, newMeta, signedIn)),
		ask: with(captchaSettings, func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/signup", solved(c, jsonObject{"email": c.email(), "password": goodPassword}))
		}),
	},
	{
		name: "recover with a secret key, captcha missing", status: 200, body: "{}",
		ask: with(captchaSettings, func(c *call, p *testProject) *servertest.Answer {
			return c.admin(p, http.MethodPost, "/recover", jsonObject{"email": c.email()})
		}),
	},
	{
		name: "signup, leaked password", status: 422, code: "weak_password", body: "weak_password {reasons [=pwned]}",
		ask: with(jsonObject{"password_hibp_enabled": true}, func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/signup", jsonObject{"email": c.email(), "password": leakedPassword})
		}),
	},
	{
		name: "signup, refused domain", status: 400, code: "email_address_not_authorized",
		ask: with(jsonObject{"security_email_disposable_blocked": true}, func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/signup", jsonObject{"email": "someone@mailinator.com", "password": goodPassword})
		}),
	},
	{
		name: "update password, current one missing", status: 400, code: "current_password_required",
		ask: with(jsonObject{"mailer_autoconfirm": true, "security_update_password_require_current_password": true}, func(c *call, p *testProject) *servertest.Answer {
			return c.as(p, c.user(p).AccessToken, http.MethodPut, "/user", jsonObject{"password": "password1234"})
		}),
	},
}

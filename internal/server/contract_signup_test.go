package server_test

import (
	"net/http"
	"strings"

	"github.com/reevehq/reeve/internal/server/servertest"
)

type testProject = servertest.Project

// signUp signs up a new address with further members.
func signUp(on func(w *world) *testProject, more jsonObject) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		body := jsonObject{"email": c.email(), "password": goodPassword}
		for k, v := range more {
			body[k] = v
		}
		return c.do(on(c.world), http.MethodPost, "/signup", body)
	}
}

func onAuto(w *world) *testProject { return w.auto }
func onMail(w *world) *testProject { return w.mail }

// with runs ask in a separate project with these settings.
func with(getSettings jsonObject, ask func(c *call, p *testProject) *servertest.Answer) func(c *call) *servertest.Answer {
	key := new(byte)
	return func(c *call) *servertest.Answer {
		return ask(c, shared(c.world, key, func() *testProject { return c.reeve.Project(c.T, "own settings", getSettings) }))
	}
}

func plainSignUp(c *call, p *testProject) *servertest.Answer {
	return c.do(p, http.MethodPost, "/signup", jsonObject{"email": c.email(), "password": goodPassword})
}

// letters and digits are sets of required characters.
const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

const weakLength = "weak_password {reasons [=length]}"

var signupFacts = []fact{
	{
		name: "signup, autoconfirm", status: 200, deviates: "answers show what is stored",
		body: sessionShape(userShape(goodMeta+", nick text", newMeta+", nick text", signedIn)),
		ask:  signUp(onAuto, jsonObject{"data": jsonObject{"nick": "n"}}),
	},
	{
		name: "signup, confirmation", status: 200,
		body: userShape(newMeta, newMeta, "confirmation_sent_at time"), ask: signUp(onMail, nil),
	},
	{
		name: "signup, email taken, autoconfirm", status: 422, code: "user_already_exists",
		ask: func(c *call) *servertest.Answer {
			return signUp(onAuto, jsonObject{"email": c.somebody(c.auto).User.Email})(c)
		},
	},
	{
		name: "signup, email taken, confirmation", status: 200, deviates: "taken address like a new one",
		body: userShape(newMeta, newMeta, "confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return signUp(onMail, jsonObject{"email": c.somebody(c.mail).User.Email})(c)
		},
	},
	{
		name: "signup, email invited, autoconfirm", status: 422, code: "user_already_exists", deviates: "invited users are not replaced",
		ask: func(c *call) *servertest.Answer {
			email := c.email()
			c.auto.Admin(c.T, http.MethodPost, "/invite", jsonObject{"email": email}).Expect(c.T, http.StatusOK)
			return signUp(onAuto, jsonObject{"email": email})(c)
		},
	},
	{
		name: "signup again before confirmation", status: 200,
		body: userShape(newMeta, newMeta, "confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return signUp(onMail, jsonObject{"email": c.waiting(c.mail)})(c)
		},
	},
	{name: "signup, weak password", status: 422, code: "weak_password", body: weakLength, ask: signUp(onAuto, jsonObject{"password": "123"})},
	{
		name: "signup, password without required characters", status: 422, code: "weak_password",
		body: "weak_password {reasons [=characters]}",
		ask: with(jsonObject{"password_required_characters": letters + ":" + digits}, func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/signup", jsonObject{"email": c.email(), "password": "only-letters"})
		}),
	},
	{
		name: "signup, password longer than 72 bytes", status: 400, code: "validation_failed",
		ask: signUp(onAuto, jsonObject{"password": strings.Repeat("a", 73)}),
	},
	{name: "signup, no password", status: 400, code: "validation_failed", ask: signUp(onAuto, jsonObject{"password": ""})},
	{name: "signup, bad email", status: 400, code: "validation_failed", ask: signUp(onAuto, jsonObject{"email": "nonsense"})},
	{name: "signup, password alone", status: 400, code: "validation_failed", ask: signUp(onAuto, jsonObject{"email": ""})},
	{name: "signup, email and phone", status: 400, code: "validation_failed", ask: signUp(onAuto, jsonObject{"phone": "15550001111"})},
	{
		name: "signup, challenge without its method", status: 400, code: "validation_failed",
		ask: signUp(onMail, jsonObject{"code_challenge": challenge}),
	},
	{
		name: "signup, bad JSON", status: 400, code: "bad_json",
		ask: func(c *call) *servertest.Answer { return c.do(c.auto, http.MethodPost, "/signup", "{bad") },
	},
	{
		name: "signup, JSON as text", status: 200, body: userShape(newMeta, newMeta, "confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			body := `{"email":"` + c.email() + `","password":"` + goodPassword + `"}`
			return c.do(c.mail, http.MethodPost, "/signup", body, "Content-Type", "text/plain;charset=UTF-8")
		},
	},
	{
		name: "signup, no body", status: 400, code: "bad_json",
		ask: func(c *call) *servertest.Answer { return c.do(c.mail, http.MethodPost, "/signup", nil) },
	},
	{
		name: "signup, body too large", status: 413, code: "request_entity_too_large",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.mail, http.MethodPost, "/signup", `{"email":"`+strings.Repeat("a", 1<<20)+`"}`)
		},
	},
	{
		name: "update, no body", status: 400, code: "bad_json",
		ask: func(c *call) *servertest.Answer {
			return c.as(c.auto, c.somebody(c.auto).AccessToken, http.MethodPut, "/user", nil)
		},
	},
	{
		name: "signup, anonymous, which is off", status: 422, code: "anonymous_provider_disabled",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.auto, http.MethodPost, "/signup", jsonObject{"data": jsonObject{}})
		},
	},
	{
		name: "signup, phone, which is off", status: 400, code: "phone_provider_disabled",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.auto, http.MethodPost, "/signup", jsonObject{"phone": "15550001111", "password": goodPassword})
		},
	},
	{
		name: "signup, email, which is off", status: 400, code: "email_provider_disabled",
		ask: with(jsonObject{"external_email_enabled": false}, plainSignUp),
	},
	{
		name: "signup, which is off", status: 422, code: "signup_disabled",
		ask: with(jsonObject{"disable_signup": true}, plainSignUp),
	},
}

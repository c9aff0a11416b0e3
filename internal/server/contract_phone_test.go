package server_test

import (
	"fmt"
	"net/http"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// number is a new telephone number, normalized.
func (c *call) number() string { return fmt.Sprintf("4917%09d", c.count.Add(1)) }

// The members of a user who signed up by telephone number.
const (
	newPhoneMeta  = `email_verified false, phone digits, phone_verified false, sub uuid`
	goodPhoneMeta = `email_verified false, phone digits, phone_verified true, sub uuid`
)

func phoneUser(meta, data, more string) string {
	return `{id uuid, aud =authenticated, role =authenticated, email =, phone digits,
		app_metadata {provider =phone, providers [=phone]}, user_metadata {` + meta + `},
		identities [{identity_id uuid, id uuid, user_id uuid, provider =phone, identity_data {` + data + `},
			last_sign_in_at time, created_at time, updated_at time}],
		created_at time, updated_at time, is_anonymous false` + more + `}`
}

const (
	phoneConfirmed = `, phone_confirmed_at time, confirmed_at time, last_sign_in_at time`
	phoneSignedIn  = `, confirmation_sent_at time` + phoneConfirmed
)

// byText runs ask in a project whose numbers are confirmed by text messages.
func byText(ask func(c *call, p *testProject) *servertest.Answer) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer { return ask(c, onText(c.world)) }
}

func onText(w *world) *testProject {
	return shared(w, "by text", func() *testProject {
		return w.reeve.Project(w.tb, "by text", jsonObject{
			"external_phone_enabled": true, "sms_autoconfirm": false, "sms_max_frequency": 0, "rate_limit_sms_sent": 1000,
			"sms_allowed_countries": "DE", "sms_test_otp": "4915100000000=424242", "security_manual_linking_enabled": true,
		})
	})
}

func signUpByPhone(c *call, p *testProject) (phone string, a *servertest.Answer) {
	c.Helper()
	phone = c.number()
	return phone, c.do(p, http.MethodPost, "/signup", jsonObject{"phone": phone, "password": goodPassword})
}

// phoneSession is a new user with a confirmed number.
func phoneSession(c *call, p *testProject) (phone, access string) {
	c.Helper()
	plain := &call{T: c.T, world: c.world}
	phone, a := signUpByPhone(plain, p)
	a.Expect(c.T, http.StatusOK)
	in := enterCode(plain, p, "sms", phone, p.Inbox(c.T, phone, 1)[0].Code).Expect(c.T, http.StatusOK).JSON(c.T)
	return phone, in["access_token"].(string)
}

func enterCode(c *call, p *testProject, kind, phone, code string) *servertest.Answer {
	c.Helper()
	return c.do(p, http.MethodPost, "/verify", jsonObject{"type": kind, "phone": phone, "token": code})
}

const messageID = `{message_id uuid}`

var phoneFacts = []fact{
	{
		name: "signup phone, confirmation", status: 200, body: phoneUser(newPhoneMeta, newPhoneMeta, ", confirmation_sent_at time"),
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			_, a := signUpByPhone(c, p)
			return a
		}),
	},
	{
		name: "signup phone, autoconfirm", status: 200, deviates: "answers show what is stored",
		body: sessionShape(phoneUser(goodPhoneMeta, newPhoneMeta, phoneConfirmed)),
		ask: with(jsonObject{"external_phone_enabled": true, "sms_autoconfirm": true}, func(c *call, p *testProject) *servertest.Answer {
			_, a := signUpByPhone(c, p)
			return a
		}),
	},
	{
		name: "signup phone, no number", status: 400, code: "validation_failed",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/signup", jsonObject{"phone": "call me", "password": goodPassword})
		}),
	},
	{
		name: "signup phone, unknown channel", status: 400, code: "validation_failed",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/signup", jsonObject{"phone": c.number(), "password": goodPassword, "channel": "pigeon"})
		}),
	},
	{
		name: "verify POST, code of a sign-up by phone", status: 200, body: sessionShape(phoneUser(goodPhoneMeta, goodPhoneMeta, phoneSignedIn)),
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			phone, a := signUpByPhone(c, p)
			a.Expect(c.T, http.StatusOK)
			return enterCode(c, p, "sms", phone, p.Inbox(c.T, phone, 1)[0].Code)
		}),
	},
	{
		name: "verify POST, wrong code by phone", status: 403, code: "otp_expired",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			phone, a := signUpByPhone(&call{T: c.T, world: c.world}, p)
			a.Expect(c.T, http.StatusOK)
			return enterCode(c, p, "sms", phone, "000000")
		}),
	},
	{
		name: "otp phone, new user", status: 200, body: messageID,
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/otp", jsonObject{"phone": c.number()})
		}),
	},
	{
		name: "otp phone, test number", status: 200, body: `{message_id =test-otp}`,
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/otp", jsonObject{"phone": "4915100000000"})
		}),
	},
	{
		name: "otp phone, gateway refuses", status: 422, code: "sms_send_failed",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/otp", jsonObject{"phone": "14155552671"})
		}),
	},
	{
		name: "otp phone, which is off", status: 400, code: "phone_provider_disabled",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.mail, http.MethodPost, "/otp", jsonObject{"phone": c.number()})
		},
	},
	{
		name: "password grant, phone", status: 200, body: `{` + sessionMembers(phoneUser(goodPhoneMeta, goodPhoneMeta, phoneSignedIn)) + `, weak_password null}`,
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			phone, _ := phoneSession(c, p)
			return c.do(p, http.MethodPost, "/token?grant_type=password", jsonObject{"phone": phone, "password": goodPassword})
		}),
	},
	{
		name: "password grant, unconfirmed phone", status: 400, code: "phone_not_confirmed",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			phone, a := signUpByPhone(&call{T: c.T, world: c.world}, p)
			a.Expect(c.T, http.StatusOK)
			return c.do(p, http.MethodPost, "/token?grant_type=password", jsonObject{"phone": phone, "password": goodPassword})
		}),
	},
	{
		name: "update phone", status: 200, body: phoneUser(goodPhoneMeta, goodPhoneMeta, phoneSignedIn+", new_phone digits, phone_change_sent_at time"),
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			_, access := phoneSession(c, p)
			return c.as(p, access, http.MethodPut, "/user", jsonObject{"phone": c.number()})
		}),
	},
	{
		name: "verify POST, code of a change of phone", status: 200, body: sessionShape(phoneUser(goodPhoneMeta, goodPhoneMeta, phoneSignedIn+", phone_change_sent_at time")),
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			_, access := phoneSession(c, p)
			other := c.number()
			c.as(p, access, http.MethodPut, "/user", jsonObject{"phone": other}).Expect(c.T, http.StatusOK)
			return enterCode(c, p, "phone_change", other, p.Inbox(c.T, other, 1)[0].Code)
		}),
	},
	{
		name: "update phone, taken", status: 422, code: "phone_exists",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			taken, _ := phoneSession(c, p)
			_, access := phoneSession(c, p)
			return c.as(p, access, http.MethodPut, "/user", jsonObject{"phone": taken})
		}),
	},
	{
		name: "verify POST, wrong code of a change of phone", status: 403, code: "otp_expired",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			_, access := phoneSession(c, p)
			other := c.number()
			(&call{T: c.T, world: c.world}).as(p, access, http.MethodPut, "/user", jsonObject{"phone": other}).Expect(c.T, http.StatusOK)
			return enterCode(c, p, "phone_change", other, "000000")
		}),
	},
	{
		name: "verify POST, code of a change of phone as sms", status: 403, code: "otp_expired",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			_, access := phoneSession(c, p)
			other := c.number()
			(&call{T: c.T, world: c.world}).as(p, access, http.MethodPut, "/user", jsonObject{"phone": other}).Expect(c.T, http.StatusOK)
			return enterCode(c, p, "sms", other, p.Inbox(c.T, other, 1)[0].Code)
		}),
	},
	{
		name: "otp phone, whatsapp", status: 200, body: messageID,
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/otp", jsonObject{"phone": c.number(), "channel": "whatsapp"})
		}),
	},
	{
		name: "otp phone, unknown channel", status: 400, code: "validation_failed",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/otp", jsonObject{"phone": c.number(), "channel": "pigeon"})
		}),
	},
	{
		name: "otp, email and phone", status: 400, code: "validation_failed",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/otp", jsonObject{"phone": c.number(), "email": c.email()})
		}),
	},
	{
		name: "reauthenticate by text", status: 200, body: "{}",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			_, access := phoneSession(c, p)
			return c.as(p, access, http.MethodGet, "/reauthenticate", nil)
		}),
	},
	{
		name: "resend phone_change", status: 200, body: messageID,
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			phone, access := phoneSession(c, p)
			c.as(p, access, http.MethodPut, "/user", jsonObject{"phone": c.number()}).Expect(c.T, http.StatusOK)
			return c.do(p, http.MethodPost, "/resend", jsonObject{"type": "phone_change", "phone": phone})
		}),
	},
	{
		name: "resend sms, no number", status: 400, code: "validation_failed",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			return c.do(p, http.MethodPost, "/resend", jsonObject{"type": "sms"})
		}),
	},
	{
		name: "unlink the only identity, phone", status: 422, code: "single_identity_not_deletable",
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			_, access := phoneSession(c, p)
			me := (&call{T: c.T, world: c.world}).as(p, access, http.MethodGet, "/user", nil).Expect(c.T, http.StatusOK).JSON(c.T)
			id := me["identities"].([]any)[0].(map[string]any)["identity_id"].(string)
			return c.as(p, access, http.MethodDelete, "/user/identities/"+id, nil)
		}),
	},
	{
		name: "resend sms", status: 200, body: messageID,
		ask: byText(func(c *call, p *testProject) *servertest.Answer {
			phone, a := signUpByPhone(c, p)
			a.Expect(c.T, http.StatusOK)
			return c.do(p, http.MethodPost, "/resend", jsonObject{"type": "sms", "phone": phone})
		}),
	},
}

package server_test

import (
	"net/http"

	"github.com/reevehq/reeve/internal/server/servertest"
)

func generate(c *call, body jsonObject) *servertest.Answer {
	c.Helper()
	return c.admin(c.mail, http.MethodPost, "/admin/generate_link", body)
}

// linkShape is a user object with a link of the type beside.
func linkShape(typ, meta, data, more string) string {
	return userShape(meta, data, more+`, action_link text, email_otp digits, hashed_token text, redirect_to =`+site+`, verification_type =`+typ)
}

var adminLinkFacts = []fact{
	{
		name: "generate_link signup", status: 200, body: linkShape("signup", "", newMeta, "confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return generate(c, jsonObject{"type": "signup", "email": c.email(), "password": goodPassword})
		},
	},
	{
		name: "generate_link signup, confirmed already", status: 422, code: "email_exists",
		ask: func(c *call) *servertest.Answer {
			return generate(c, jsonObject{"type": "signup", "email": c.somebody(c.mail).User.Email, "password": goodPassword})
		},
	},
	{
		name: "generate_link magiclink", status: 200, deviates: "links are encoded", body: linkShape("magiclink", adminMeta, adminData, signedIn+", recovery_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return generate(c, jsonObject{"type": "magiclink", "email": c.user(c.mail).User.Email})
		},
	},
	{
		name: "generate_link magiclink for nobody", status: 200, body: linkShape("signup", "", newMeta, "confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return generate(c, jsonObject{"type": "magiclink", "email": c.email()})
		},
	},
	{
		name: "generate_link recovery", status: 200, body: linkShape("recovery", adminMeta, adminData, signedIn+", recovery_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return generate(c, jsonObject{"type": "recovery", "email": c.user(c.mail).User.Email})
		},
	},
	{
		name: "generate_link recovery for nobody", status: 404, code: "user_not_found",
		ask: func(c *call) *servertest.Answer {
			return generate(c, jsonObject{"type": "recovery", "email": c.email()})
		},
	},
	{
		name: "generate_link invite", status: 200, body: linkShape("invite", "", newMeta, "invited_at time, confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer { return generate(c, jsonObject{"type": "invite", "email": c.email()}) },
	},
	changeLink("email_change_new"), changeLink("email_change_current"),
	{
		name: "generate_link, unknown type", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return generate(c, jsonObject{"type": "what", "email": c.email()}) },
	},
	{
		name: "generate_link, no token", status: 401, code: "no_authorization",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.mail, http.MethodPost, "/admin/generate_link", jsonObject{"type": "invite", "email": c.email()})
		},
	},
	{
		name: "verify POST, invite", status: 200,
		body: sessionShape(userShape("email_verified true", goodMeta, signedIn+", invited_at time")),
		ask: func(c *call) *servertest.Answer {
			var link struct {
				HashedToken string `json:"hashed_token"`
			}
			c.mail.Admin(c.T, http.MethodPost, "/admin/generate_link", jsonObject{"type": "invite", "email": c.email()}).
				Expect(c.T, http.StatusOK).Into(c.T, &link)
			return post(c, jsonObject{"type": "invite", "token_hash": link.HashedToken})
		},
	},
	{
		name: "invite", status: 200, body: userShape("a number", newMeta, "invited_at time, confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			email := c.email()
			a := c.admin(c.mail, http.MethodPost, "/invite", jsonObject{"email": email, "data": jsonObject{"a": 1}})
			mailed(c, email, 1)
			return a
		},
	},
	{
		name: "invite, confirmed already", status: 422, code: "email_exists",
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.mail, http.MethodPost, "/invite", jsonObject{"email": c.somebody(c.mail).User.Email})
		},
	},
	{
		name: "invite as user", status: 403, code: "not_admin",
		ask: func(c *call) *servertest.Answer {
			return c.as(c.mail, c.somebody(c.mail).AccessToken, http.MethodPost, "/invite", jsonObject{"email": c.email()})
		},
	},
}

func changeLink(typ string) fact {
	return fact{
		name: "generate_link " + typ, status: 200,
		body: linkShape(typ, adminMeta, adminData, signedIn+", new_email text, email_change_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return generate(c, jsonObject{"type": typ, "email": c.user(c.mail).User.Email, "new_email": c.email()})
		},
	}
}

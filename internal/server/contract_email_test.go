package server_test

import (
	"net/http"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// changing is a user with a pending change of address, and both mails.
type changing struct {
	user  servertest.Session
	to    string
	toOld servertest.Mail
	toNew servertest.Mail
}

func changeEmail(c *call, p *testProject, more jsonObject) changing {
	c.Helper()
	ch := changing{user: c.user(p), to: c.email()}
	body := jsonObject{"email": ch.to}
	for k, v := range more {
		body[k] = v
	}
	p.As(c.T, ch.user.AccessToken, http.MethodPut, "/user", body).Expect(c.T, http.StatusOK)
	ch.toOld, ch.toNew = p.Inbox(c.T, ch.user.User.Email, 1)[0], p.Inbox(c.T, ch.to, 1)[0]
	return ch
}

const halfway = `{code =200, msg text}`

var (
	changePending = userShape(adminMeta, adminData, signedIn+", new_email text, email_change_sent_at time")
	emailChanged  = sessionShape(userShape(adminMeta, goodMeta, signedIn+", email_change_sent_at time"))
)

func verifyCode(c *call, p *testProject, email, code string) *servertest.Answer {
	c.Helper()
	return c.do(p, http.MethodPost, "/verify", jsonObject{"type": "email_change", "email": email, "token": code})
}

var emailChangeFacts = []fact{
	{
		name: "update email", status: 200, body: changePending,
		ask: func(c *call) *servertest.Answer {
			return c.as(c.mail, c.user(c.mail).AccessToken, http.MethodPut, "/user", jsonObject{"email": c.email()})
		},
	},
	{
		name: "update email, taken", status: 422, code: "email_exists",
		ask: func(c *call) *servertest.Answer {
			return noChange(jsonObject{"email": c.user(c.mail).User.Email})(c)
		},
	},
	{name: "update email, bad", status: 400, code: "validation_failed", ask: noChange(jsonObject{"email": "nonsense"})},
	{
		name: "update email, code of the current address", status: 200, body: halfway,
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, nil)
			return verifyCode(c, c.mail, ch.user.User.Email, ch.toOld.Code)
		},
	},
	{
		name: "update email, code of the new address", status: 200, body: halfway,
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, nil)
			return verifyCode(c, c.mail, ch.to, ch.toNew.Code)
		},
	},
	{
		name: "update email, both codes", status: 200, body: emailChanged,
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, nil)
			c.mail.Do(c.T, http.MethodPost, "/verify", jsonObject{"type": "email_change", "email": ch.user.User.Email, "token": ch.toOld.Code}).
				Expect(c.T, http.StatusOK)
			return verifyCode(c, c.mail, ch.to, ch.toNew.Code)
		},
	},
	{
		name: "update email, one code twice", status: 403, code: "otp_expired",
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, nil)
			c.mail.Do(c.T, http.MethodPost, "/verify", jsonObject{"type": "email_change", "email": ch.to, "token": ch.toNew.Code}).
				Expect(c.T, http.StatusOK)
			return verifyCode(c, c.mail, ch.to, ch.toNew.Code)
		},
	},
	{
		name: "update email, first link", status: 303, to: redirectTo{url: site, fragment: "{message text, sb =}"},
		ask: func(c *call) *servertest.Answer {
			return follow(c, "email_change", changeEmail(c, c.mail, nil).toOld.LinkToken(c.T), "")
		},
	},
	{
		name: "update email, first link with PKCE", status: 303,
		to: redirectTo{url: site, query: "{message text}", fragment: "{message text, sb =}"},
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, jsonObject{"code_challenge": challenge, "code_challenge_method": "s256"})
			return follow(c, "email_change", ch.toOld.LinkToken(c.T), "")
		},
	},
	{
		name: "update email, both links", status: 303, to: redirectTo{url: site, fragment: sessionFragment("email_change")},
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, nil)
			c.mail.Do(c.T, http.MethodGet, "/verify?type=email_change&token="+ch.toNew.LinkToken(c.T), nil).Expect(c.T, http.StatusSeeOther)
			return follow(c, "email_change", ch.toOld.LinkToken(c.T), "")
		},
	},
	{
		name: "update email, both links with PKCE", status: 303, to: redirectTo{url: site, query: "{code uuid}"},
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.mail, jsonObject{"code_challenge": challenge, "code_challenge_method": "s256"})
			c.mail.Do(c.T, http.MethodGet, "/verify?type=email_change&token="+ch.toNew.LinkToken(c.T), nil).Expect(c.T, http.StatusSeeOther)
			return follow(c, "email_change", ch.toOld.LinkToken(c.T), "")
		},
	},
	{
		name: "update email, autoconfirm", status: 200, body: changePending,
		ask: func(c *call) *servertest.Answer {
			return c.as(c.auto, c.user(c.auto).AccessToken, http.MethodPut, "/user", jsonObject{"email": c.email()})
		},
	},
	{
		name: "update email, autoconfirm, code of the new address", status: 200, body: halfway, deviates: "both addresses confirm",
		ask: func(c *call) *servertest.Answer {
			ch := changeEmail(c, c.auto, nil)
			return verifyCode(c, c.auto, ch.to, ch.toNew.Code)
		},
	},
	{
		name: "update email, new address alone without secure change", status: 200, body: emailChanged,
		ask: with(jsonObject{"mailer_secure_email_change_enabled": false}, func(c *call, p *testProject) *servertest.Answer {
			s, to := c.user(p), c.email()
			p.As(c.T, s.AccessToken, http.MethodPut, "/user", jsonObject{"email": to}).Expect(c.T, http.StatusOK)
			return verifyCode(c, p, to, p.Inbox(c.T, to, 1)[0].Code)
		}),
	},
}

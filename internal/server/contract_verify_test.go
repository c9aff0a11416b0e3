package server_test

import (
	"net/http"
	"net/url"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// mailed returns the newest mail to the address, of n.
func mailed(c *call, email string, n int) servertest.Mail {
	c.Helper()
	return c.mail.Inbox(c.T, email, n)[0]
}

// recovering is a confirmed user's recovery mail.
func recovering(c *call) (email string, m servertest.Mail) {
	c.Helper()
	email = c.user(c.mail).User.Email
	c.mail.Do(c.T, http.MethodPost, "/recover", jsonObject{"email": email}).Expect(c.T, http.StatusOK)
	return email, mailed(c, email, 1)
}

func post(c *call, body jsonObject) *servertest.Answer {
	c.Helper()
	return c.do(c.mail, http.MethodPost, "/verify", body)
}

var (
	justConfirmed = sessionShape(userShape(goodMeta, goodMeta, signedIn+", confirmation_sent_at time"))
	recovered     = sessionShape(userShape(adminMeta, adminData, signedIn+", recovery_sent_at time"))
)

// signupCode verifies the mailed code of a sign-up, type typ.
func signupCode(typ string) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		email := c.waiting(c.mail)
		return post(c, jsonObject{"type": typ, "email": email, "token": mailed(c, email, 1).Code})
	}
}

func recoveryCode(typ string) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		email, m := recovering(c)
		return post(c, jsonObject{"type": typ, "email": email, "token": m.Code})
	}
}

var verifyFacts = []fact{
	{name: "verify POST, code of a signup", status: 200, body: justConfirmed, deviates: "confirmed_at at once", ask: signupCode("signup")},
	{name: "verify POST, code of a signup as email", status: 200, body: justConfirmed, ask: signupCode("email")},
	{name: "verify POST, code of a recovery", status: 200, body: recovered, ask: recoveryCode("recovery")},
	{
		name: "verify POST, code of a recovery of an address not confirmed", status: 200, deviates: "recovery verifies the identity",
		body: sessionShape(userShape(goodMeta, goodMeta, signedIn+", confirmation_sent_at time, recovery_sent_at time")),
		ask: func(c *call) *servertest.Answer {
			email := c.waiting(c.mail)
			c.mail.Do(c.T, http.MethodPost, "/recover", jsonObject{"email": email}).Expect(c.T, http.StatusOK)
			return post(c, jsonObject{"type": "recovery", "email": email, "token": mailed(c, email, 2).Code})
		},
	},
	{name: "verify POST, code of a recovery as email", status: 200, body: recovered, ask: recoveryCode("email")},
	{name: "verify POST, code of a recovery as magiclink", status: 200, body: recovered, ask: recoveryCode("magiclink")},
	{
		name: "verify POST, token hash", status: 200, body: justConfirmed,
		ask: func(c *call) *servertest.Answer {
			return post(c, jsonObject{"type": "signup", "token_hash": mailed(c, c.waiting(c.mail), 1).LinkToken(c.T)})
		},
	},
	{
		name: "verify POST, used token", status: 403, code: "otp_expired",
		ask: func(c *call) *servertest.Answer {
			hash := mailed(c, c.waiting(c.mail), 1).LinkToken(c.T)
			c.mail.Do(c.T, http.MethodPost, "/verify", jsonObject{"type": "signup", "token_hash": hash}).Expect(c.T, http.StatusOK)
			return post(c, jsonObject{"type": "signup", "token_hash": hash})
		},
	},
	{
		name: "verify POST, expired token", status: 403, code: "otp_expired",
		ask: func(c *call) *servertest.Answer {
			email := c.waiting(c.mail)
			hash := mailed(c, email, 1).LinkToken(c.T)
			inDatabase(c.T, c.mail, `update auth.one_time_tokens set created_at = created_at - interval '61 minutes' where relates_to = $1`, email)
			return post(c, jsonObject{"type": "signup", "token_hash": hash})
		},
	},
	{
		name: "verify POST, wrong code", status: 403, code: "otp_expired",
		ask: func(c *call) *servertest.Answer {
			email, m := recovering(c)
			wrong := "000000"
			if m.Code == wrong {
				wrong = "000001"
			}
			return post(c, jsonObject{"type": "email", "email": email, "token": wrong})
		},
	},
	{
		name: "verify POST, code of another type", status: 403, code: "otp_expired",
		ask: func(c *call) *servertest.Answer {
			email, m := recovering(c)
			return post(c, jsonObject{"type": "signup", "email": email, "token": m.Code})
		},
	},
	{
		name: "verify POST, unknown address", status: 403, code: "otp_expired",
		ask: func(c *call) *servertest.Answer {
			return post(c, jsonObject{"type": "email", "email": c.email(), "token": "123456"})
		},
	},
	{
		name: "verify POST, banned", status: 403, code: "user_banned",
		ask: func(c *call) *servertest.Answer {
			email := c.waiting(c.mail)
			hash := mailed(c, email, 1).LinkToken(c.T)
			inDatabase(c.T, c.mail, `update auth.users set banned_until = now() + interval '1 hour' where email = $1`, email)
			return post(c, jsonObject{"type": "signup", "token_hash": hash})
		},
	},
	{
		name: "verify POST, no type", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return post(c, jsonObject{"token_hash": "aa"}) },
	},
	{
		name: "verify POST, unknown type", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return post(c, jsonObject{"type": "what", "token_hash": "aa"}) },
	},
	{
		name: "verify POST, no token", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return post(c, jsonObject{"type": "signup", "email": c.email()}) },
	},
	{
		name: "verify POST, token and hash", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer {
			return post(c, jsonObject{"type": "signup", "token_hash": "aa", "token": "123456"})
		},
	},
	{
		name: "verify POST, code without address", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return post(c, jsonObject{"type": "signup", "token": "123456"}) },
	},
}

// follow opens a link of a mail without a key, as mail programs do.
func follow(c *call, typ, link, to string) *servertest.Answer {
	c.Helper()
	q := url.Values{"type": {typ}, "token": {link}}
	if to != "" {
		q.Set("redirect_to", to)
	}
	return c.bare(c.mail, http.MethodGet, "/verify?"+q.Encode(), nil)
}

const site = "http://localhost:3000"

func sessionFragment(typ string) string {
	return `{access_token jwt, expires_at digits, expires_in =3600, refresh_token text, sb =, token_type =bearer, type =` + typ + `}`
}

const (
	linkRefused     = `{error =access_denied, error_code =otp_expired, error_description text, sb =}`
	linkRefusedPKCE = `{error =access_denied, error_code =otp_expired, error_description text}`
)

var linkFacts = []fact{
	{
		name: "verify GET, signup", status: 303, to: redirectTo{url: site, fragment: sessionFragment("signup")},
		ask: func(c *call) *servertest.Answer {
			return follow(c, "signup", mailed(c, c.waiting(c.mail), 1).LinkToken(c.T), "")
		},
	},
	{
		name: "verify GET, recovery", status: 303, to: redirectTo{url: site, fragment: sessionFragment("recovery")},
		ask: func(c *call) *servertest.Answer {
			_, m := recovering(c)
			return follow(c, "recovery", m.LinkToken(c.T), "")
		},
	},
	{
		name: "verify GET, magiclink to a path of the site", status: 303,
		to: redirectTo{url: site + "/welcome", fragment: sessionFragment("magiclink")},
		ask: func(c *call) *servertest.Answer {
			_, m := recovering(c)
			return follow(c, "magiclink", m.LinkToken(c.T), site+"/welcome")
		},
	},
	{
		name: "verify GET, email, of a magic link", status: 303, to: redirectTo{url: site, fragment: sessionFragment("magiclink")},
		ask: func(c *call) *servertest.Answer {
			_, m := recovering(c)
			return follow(c, "email", m.LinkToken(c.T), "")
		},
	},
	{
		name: "verify GET, email, of a sign-up", status: 303, to: redirectTo{url: site, fragment: sessionFragment("signup")},
		ask: func(c *call) *servertest.Answer {
			return follow(c, "email", mailed(c, c.waiting(c.mail), 1).LinkToken(c.T), "")
		},
	},
	{
		name: "verify POST, unknown type with a hash", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.mail, http.MethodPost, "/verify", jsonObject{"type": "nosuch", "token_hash": "aabbcc"})
		},
	},
	{
		name: "verify POST, unknown type with a code", status: 403, code: "otp_expired",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.mail, http.MethodPost, "/verify", jsonObject{"type": "nosuch", "email": "nobody@example.com", "token": "000000"})
		},
	},
	{
		name: "verify GET, redirect of the allow list", status: 303,
		to: redirectTo{url: "https://app.example/in", query: "{a =b}", fragment: sessionFragment("recovery")},
		ask: func(c *call) *servertest.Answer {
			_, m := recovering(c)
			return follow(c, "recovery", m.LinkToken(c.T), "https://app.example/in?a=b")
		},
	},
	{
		name: "verify GET, to a target with a fragment", status: 303, deviates: "a target's fragment is replaced",
		to: redirectTo{url: "https://app.example/in", fragment: sessionFragment("recovery")},
		ask: func(c *call) *servertest.Answer {
			_, m := recovering(c)
			return follow(c, "recovery", m.LinkToken(c.T), "https://app.example/in#/route")
		},
	},
	{
		name: "verify GET, redirect not allowed falls back to site url", status: 303,
		to: redirectTo{url: site, fragment: sessionFragment("recovery")},
		ask: func(c *call) *servertest.Answer {
			_, m := recovering(c)
			return follow(c, "recovery", m.LinkToken(c.T), "http://evil.example/")
		},
	},
	{
		name: "verify GET, unknown token", status: 303, to: redirectTo{url: site, fragment: linkRefused},
		ask: func(c *call) *servertest.Answer { return follow(c, "magiclink", "aabbcc", "http://evil.example/") },
	},
	{
		name: "verify GET, used token", status: 303, to: redirectTo{url: site + "/x", fragment: linkRefused},
		ask: func(c *call) *servertest.Answer {
			_, m := recovering(c)
			c.mail.Do(c.T, http.MethodGet, "/verify?type=recovery&token="+m.LinkToken(c.T), nil).Expect(c.T, http.StatusSeeOther)
			return follow(c, "recovery", m.LinkToken(c.T), site+"/x")
		},
	},
	{
		name: "verify GET with PKCE", status: 303, to: redirectTo{url: site + "/cb", query: "{code uuid}"},
		ask: func(c *call) *servertest.Answer {
			_, link := pkceLink(c)
			return follow(c, "signup", link, site+"/cb")
		},
	},
	{
		name: "verify GET with PKCE, email, of a sign-up", status: 303, deviates: "email links with PKCE",
		to: redirectTo{url: site + "/cb", query: "{code uuid}"},
		ask: func(c *call) *servertest.Answer {
			_, link := pkceLink(c)
			return follow(c, "email", link, site+"/cb")
		},
	},
	{
		name: "verify GET with PKCE, refused", status: 303,
		to:  redirectTo{url: site + "/cb", query: linkRefusedPKCE, fragment: linkRefused},
		ask: func(c *call) *servertest.Answer { return follow(c, "signup", "pkce_aabbcc", site+"/cb") },
	},
	{
		name: "verify GET, no token", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return follow(c, "signup", "", "") },
	},
	{
		name: "verify GET, no type", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return follow(c, "", "aabbcc", "") },
	},
}

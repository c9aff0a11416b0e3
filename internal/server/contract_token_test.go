package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/reevehq/reeve/internal/server/servertest"
)

func tokenGrant(grant string, body func(c *call) jsonObject) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		return c.do(c.auto, http.MethodPost, "/token?grant_type="+grant, body(c))
	}
}

func passwordGrant(c *call, p *testProject, email, pass string) *servertest.Answer {
	c.Helper()
	return c.do(p, http.MethodPost, "/token?grant_type=password", jsonObject{"email": email, "password": pass})
}

func refreshGrant(c *call, p *testProject, refresh string) *servertest.Answer {
	c.Helper()
	return c.do(p, http.MethodPost, "/token?grant_type=refresh_token", jsonObject{"refresh_token": refresh})
}

// adminMeta and adminData are the metadata of a user that an admin created.
const (
	adminMeta = "email_verified true"
	adminData = newMeta
)

// anyone is the user of a session that call.user makes.
var anyone = userShape(adminMeta, adminData, signedIn)

var tokenFacts = []fact{
	{
		name: "password grant", status: 200,
		body: "{" + sessionMembers(userShape(goodMeta, newMeta, signedIn)) + ", weak_password null}",
		ask: func(c *call) *servertest.Answer {
			email := c.waiting(c.auto)
			return passwordGrant(c, c.auto, email, goodPassword)
		},
	},
	{
		name: "password grant, password too weak by now", status: 200,
		body: "{" + sessionMembers(anyone) + ", weak_password {message text, reasons [=length]}}",
		ask: with(nil, func(c *call, p *testProject) *servertest.Answer {
			u := c.user(p)
			p.Configure(c.T, jsonObject{"password_min_length": 30})
			return passwordGrant(c, p, u.User.Email, goodPassword)
		}),
	},
	{
		name: "password grant, another lifetime of tokens", status: 200,
		body: strings.Replace("{"+sessionMembers(anyone)+", weak_password null}", "#3600", "#600", 1),
		ask: with(jsonObject{"jwt_exp": 600}, func(c *call, p *testProject) *servertest.Answer {
			return passwordGrant(c, p, c.somebody(p).User.Email, goodPassword)
		}),
	},
	{
		name: "password grant, wrong password", status: 400, code: "invalid_credentials",
		ask: func(c *call) *servertest.Answer {
			return passwordGrant(c, c.auto, c.somebody(c.auto).User.Email, "nope")
		},
	},
	{
		name: "password grant, unknown user", status: 400, code: "invalid_credentials",
		ask: func(c *call) *servertest.Answer { return passwordGrant(c, c.auto, c.email(), "nope") },
	},
	{
		name: "password grant, no address at all", status: 400, code: "invalid_credentials",
		ask: func(c *call) *servertest.Answer { return passwordGrant(c, c.auto, "nonsense", "nope") },
	},
	{
		name: "password grant, not confirmed", status: 400, code: "email_not_confirmed",
		ask: func(c *call) *servertest.Answer { return passwordGrant(c, c.mail, c.waiting(c.mail), goodPassword) },
	},
	{
		name: "password grant, not confirmed but allowed", status: 200,
		body: "{" + sessionMembers(userShape(newMeta, newMeta, "confirmation_sent_at time, last_sign_in_at time")) + ", weak_password null}",
		ask: with(jsonObject{"mailer_allow_unverified_email_sign_ins": true}, func(c *call, p *testProject) *servertest.Answer {
			return passwordGrant(c, p, c.waiting(p), goodPassword)
		}),
	},
	{
		name: "password grant, banned", status: 400, code: "user_banned",
		ask: func(c *call) *servertest.Answer {
			u := c.user(c.auto)
			ban(c, u)
			return passwordGrant(c, c.auto, u.User.Email, goodPassword)
		},
	},
	{
		name: "password grant, email is off", status: 422, code: "email_provider_disabled",
		ask: with(jsonObject{"external_email_enabled": false}, func(c *call, p *testProject) *servertest.Answer {
			return passwordGrant(c, p, c.email(), goodPassword)
		}),
	},
	{
		name: "password grant, phone is off", status: 422, code: "phone_provider_disabled",
		ask: tokenGrant("password", func(*call) jsonObject { return jsonObject{"phone": "15550001111", "password": goodPassword} }),
	},
	{
		name: "password grant, nobody", status: 400, code: "validation_failed",
		ask: tokenGrant("password", func(*call) jsonObject { return jsonObject{"password": goodPassword} }),
	},
	{name: "unknown grant", status: 400, code: "invalid_credentials", ask: tokenGrant("what", func(*call) jsonObject { return jsonObject{} })},
	{name: "no grant", status: 400, code: "invalid_credentials", ask: tokenGrant("", func(*call) jsonObject { return jsonObject{} })},
}

func ban(c *call, u servertest.Session) {
	c.Helper()
	c.auto.Admin(c.T, http.MethodPut, "/admin/users/"+u.User.ID, jsonObject{"ban_duration": "24h"}).Expect(c.T, http.StatusOK)
}

// turned refreshes a new session n times and returns all its refresh tokens.
func turned(c *call, p *testProject, n int) []string {
	c.Helper()
	tokens := []string{c.user(p).RefreshToken}
	for range n {
		var s servertest.Session
		p.Do(c.T, http.MethodPost, "/token?grant_type=refresh_token", jsonObject{"refresh_token": tokens[len(tokens)-1]}).
			Expect(c.T, http.StatusOK).Into(c.T, &s)
		tokens = append(tokens, s.RefreshToken)
	}
	return tokens
}

var strict = jsonObject{"security_refresh_token_reuse_interval": 0}

var refreshFacts = []fact{
	{
		name: "refresh", status: 200, body: sessionShape(anyone), deviates: "no headers about sessions",
		header: map[string]string{"Sb-Auth-User-Id": "^$", "Sb-Auth-Session-Id": "^$", "Sb-Auth-Refresh-Token-Counter": "^$"},
		ask:    func(c *call) *servertest.Answer { return refreshGrant(c, c.auto, c.user(c.auto).RefreshToken) },
	},
	{
		name: "refresh, unknown token", status: 400, code: "refresh_token_not_found",
		ask: func(c *call) *servertest.Answer { return refreshGrant(c, c.auto, "aaaaaaaaaaaa") },
	},
	{name: "refresh, no token", status: 400, code: "validation_failed", ask: tokenGrant("refresh_token", func(*call) jsonObject { return jsonObject{} })},
	{
		name: "refresh, old token within the reuse interval", status: 200, body: sessionShape(anyone),
		ask: func(c *call) *servertest.Answer { return refreshGrant(c, c.auto, turned(c, c.auto, 3)[0]) },
	},
	{
		name: "refresh, token one behind", status: 200, body: sessionShape(anyone), deviates: "the token one behind",
		ask: with(strict, func(c *call, p *testProject) *servertest.Answer { return refreshGrant(c, p, turned(c, p, 1)[0]) }),
	},
	{
		name: "refresh, old token after the reuse interval", status: 400, code: "refresh_token_already_used",
		ask: with(strict, func(c *call, p *testProject) *servertest.Answer { return refreshGrant(c, p, turned(c, p, 2)[0]) }),
	},
	{
		name: "refresh, newest token after reuse was detected", status: 400, code: "refresh_token_not_found",
		deviates: "a stolen session is over",
		ask: with(strict, func(c *call, p *testProject) *servertest.Answer {
			tokens := turned(c, p, 2)
			p.Do(c.T, http.MethodPost, "/token?grant_type=refresh_token", jsonObject{"refresh_token": tokens[0]}).
				Refused(c.T, http.StatusBadRequest, "refresh_token_already_used")
			return refreshGrant(c, p, tokens[2])
		}),
	},
	{
		name: "refresh, without rotation", status: 200, body: sessionShape(anyone),
		ask: with(jsonObject{"refresh_token_rotation_enabled": false, "security_refresh_token_reuse_interval": 0},
			func(c *call, p *testProject) *servertest.Answer { return refreshGrant(c, p, turned(c, p, 3)[0]) }),
	},
	{
		name: "refresh, session's time is over", status: 400, code: "session_expired",
		ask: with(jsonObject{"sessions_timebox": 1}, func(c *call, p *testProject) *servertest.Answer {
			s := c.user(p)
			inDatabase(c.T, p, `update auth.sessions set created_at = created_at - interval '2 hours' where user_id = $1`, s.User.ID)
			return refreshGrant(c, p, s.RefreshToken)
		}),
	},
	{
		name: "refresh, session inactive for too long", status: 400, code: "session_expired",
		ask: with(jsonObject{"sessions_inactivity_timeout": 1}, func(c *call, p *testProject) *servertest.Answer {
			s := c.user(p)
			inDatabase(c.T, p, `update auth.sessions set created_at = created_at - interval '2 hours' where user_id = $1`, s.User.ID)
			return refreshGrant(c, p, s.RefreshToken)
		}),
	},
	{
		name: "refresh, not the newest of one session a user", status: 400, code: "refresh_token_not_found",
		deviates: "one session is one session",
		ask: with(jsonObject{"sessions_single_per_user": true}, func(c *call, p *testProject) *servertest.Answer {
			s := c.user(p)
			p.SignIn(c.T, s.User.Email, goodPassword)
			return refreshGrant(c, p, s.RefreshToken)
		}),
	},
	{
		name: "refresh, banned", status: 400, code: "user_banned",
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			ban(c, s)
			return refreshGrant(c, c.auto, s.RefreshToken)
		},
	},
}

const verifier = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"

var challenge = func() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}()

// pkceLink signs up a new user with PKCE and returns the token of the mailed
// link.
func pkceLink(c *call) (email, link string) {
	c.Helper()
	email = c.email()
	c.mail.Do(c.T, http.MethodPost, "/signup", jsonObject{
		"email": email, "password": goodPassword, "code_challenge": challenge, "code_challenge_method": "s256",
	}).Expect(c.T, http.StatusOK)
	return email, c.mail.Inbox(c.T, email, 1)[0].LinkToken(c.T)
}

// authCode follows that link and returns the code.
func authCode(c *call) (email, code string) {
	c.Helper()
	email, link := pkceLink(c)
	a := c.mail.Do(c.T, http.MethodGet, "/verify?type=signup&token="+link, nil).Expect(c.T, http.StatusSeeOther)
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		c.Fatal(err)
	}
	return email, u.Query().Get("code")
}

func exchange(c *call, code, verifier string) *servertest.Answer {
	c.Helper()
	return c.do(c.mail, http.MethodPost, "/token?grant_type=pkce", jsonObject{"auth_code": code, "code_verifier": verifier})
}

var pkceFacts = []fact{
	{
		name: "pkce grant", status: 200, body: sessionShape(userShape(goodMeta, goodMeta, signedIn+", confirmation_sent_at time")),
		ask: func(c *call) *servertest.Answer {
			_, code := authCode(c)
			return exchange(c, code, verifier)
		},
	},
	{
		name: "pkce grant, wrong verifier", status: 400, code: "bad_code_verifier",
		ask: func(c *call) *servertest.Answer {
			_, code := authCode(c)
			return exchange(c, code, strings.Repeat("w", 52))
		},
	},
	{
		name: "pkce grant, code used", status: 404, code: "flow_state_not_found",
		ask: func(c *call) *servertest.Answer {
			_, code := authCode(c)
			c.mail.Do(c.T, http.MethodPost, "/token?grant_type=pkce", jsonObject{"auth_code": code, "code_verifier": verifier}).
				Expect(c.T, http.StatusOK)
			return exchange(c, code, verifier)
		},
	},
	{
		name: "pkce grant, code expired", status: 422, code: "flow_state_expired",
		ask: func(c *call) *servertest.Answer {
			_, code := authCode(c)
			inDatabase(c.T, c.mail, `update auth.flow_state set auth_code_issued_at = auth_code_issued_at - interval '1 hour' where auth_code = encode(sha256($1), 'hex')`, []byte(code))
			return exchange(c, code, verifier)
		},
	},
	{
		name: "pkce grant, unknown code", status: 404, code: "flow_state_not_found",
		ask: func(c *call) *servertest.Answer { return exchange(c, "88a918f9-9d6e-40a1-b138-aeb51eb58648", verifier) },
	},
	{
		name: "pkce grant, no verifier", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return exchange(c, "88a918f9-9d6e-40a1-b138-aeb51eb58648", "") },
	},
}

package server_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// change changes a new user's account.
func change(body jsonObject) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		return c.as(c.mail, c.user(c.mail).AccessToken, http.MethodPut, "/user", body)
	}
}

// noChange requests a change that is refused.
func noChange(body jsonObject) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		return c.as(c.mail, c.somebody(c.mail).AccessToken, http.MethodPut, "/user", body)
	}
}

func getUser(c *call, access string) *servertest.Answer {
	c.Helper()
	return c.as(c.auto, access, http.MethodGet, "/user", nil)
}

// forged requests the user with a token that was signed by an imported secret.
func forged(make func(s servertest.Session, session string) (user, sess string, exp time.Time)) func(c *call) *servertest.Answer {
	return with(nil, func(c *call, p *testProject) *servertest.Answer {
		key, s := importSecret(c.T, p, "standby"), c.user(p)
		good := key.tokenGrant(c.T, p, s.User.ID, sessionOf(c.T, s.AccessToken), time.Now().Add(time.Hour))
		until(c.T, "the imported key verifies", func() bool {
			return p.As(c.T, good, http.MethodGet, "/user", nil).Status == http.StatusOK
		})
		user, session, exp := make(s, sessionOf(c.T, s.AccessToken))
		return c.as(p, key.tokenGrant(c.T, p, user, session, exp), http.MethodGet, "/user", nil)
	})
}

var accountFacts = []fact{
	{
		name: "user", status: 200, body: anyone,
		ask: func(c *call) *servertest.Answer { return getUser(c, c.somebody(c.auto).AccessToken) },
	},
	{
		name: "user, no token", status: 401, code: "no_authorization",
		ask: func(c *call) *servertest.Answer { return c.do(c.auto, http.MethodGet, "/user", nil) },
	},
	{
		name: "user, bad token", status: 403, code: "bad_jwt",
		ask: func(c *call) *servertest.Answer { return getUser(c, c.somebody(c.auto).AccessToken+"x") },
	},
	{
		name: "user, token is no token", status: 403, code: "bad_jwt",
		ask: func(c *call) *servertest.Answer { return getUser(c, "nonsense") },
	},
	{
		name: "user, another project's token", status: 401, code: "bad_jwt",
		ask: func(c *call) *servertest.Answer { return getUser(c, c.somebody(c.mail).AccessToken) },
	},
	{
		name: "user, expired token", status: 403, code: "bad_jwt",
		ask: forged(func(s servertest.Session, session string) (string, string, time.Time) {
			return s.User.ID, session, time.Now().Add(-time.Minute)
		}),
	},
	{
		name: "user, token of a user that does not exist", status: 403, code: "user_not_found",
		ask: forged(func(servertest.Session, string) (string, string, time.Time) {
			return uuid.NewString(), uuid.NewString(), time.Now().Add(time.Hour)
		}),
	},
	{
		name: "user, token without a session", status: 200, body: anyone,
		ask: forged(func(s servertest.Session, _ string) (string, string, time.Time) {
			return s.User.ID, "", time.Now().Add(time.Hour)
		}),
	},
	{
		name: "user, token without a session, of a user that does not exist", status: 403, code: "user_not_found",
		ask: forged(func(servertest.Session, string) (string, string, time.Time) {
			return uuid.NewString(), "", time.Now().Add(time.Hour)
		}),
	},
	{
		name: "user, deleted", status: 403, code: "user_not_found",
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			c.auto.Admin(c.T, http.MethodDelete, "/admin/users/"+s.User.ID, jsonObject{}).Expect(c.T, http.StatusOK)
			return getUser(c, s.AccessToken)
		},
	},
	{
		name: "user, banned", status: 403, code: "user_banned",
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			ban(c, s)
			return getUser(c, s.AccessToken)
		},
	},
	{
		name: "update metadata", status: 200, body: userShape(adminMeta+", a number, nested {b [text]}", adminData, signedIn),
		ask: change(jsonObject{"data": jsonObject{"a": 1, "nested": jsonObject{"b": []string{"x"}}}}),
	},
	{
		name: "update metadata, null takes a key away", status: 200, body: userShape(adminMeta+", b number", adminData, signedIn),
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			c.auto.As(c.T, s.AccessToken, http.MethodPut, "/user", jsonObject{"data": jsonObject{"a": 1, "b": 2}}).Expect(c.T, http.StatusOK)
			return c.as(c.auto, s.AccessToken, http.MethodPut, "/user", jsonObject{"data": jsonObject{"a": nil}})
		},
	},
	{name: "update app_metadata", status: 403, code: "not_admin", ask: noChange(jsonObject{"app_metadata": jsonObject{"plan": "pro"}})},
	{name: "update password", status: 200, body: anyone, ask: change(jsonObject{"password": "password1234"})},
	{
		name: "update password during a change of address", status: 200, deviates: "a new password ends a change of address",
		body: userShape(adminMeta, adminData, signedIn+", email_change_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return c.as(c.mail, changeEmail(c, c.mail, nil).user.AccessToken, http.MethodPut, "/user", jsonObject{"password": "password1234"})
		},
	},
	{name: "update password to the same", status: 422, code: "same_password", ask: noChange(jsonObject{"password": goodPassword})},
	{name: "update password to a weak one", status: 422, code: "weak_password", body: weakLength, ask: noChange(jsonObject{"password": "123"})},
	{
		name: "update password, wrong current one", status: 400, code: "current_password_invalid", deviates: "a current password is checked",
		ask: noChange(jsonObject{"password": "password1234", "current_password": "nope"}),
	},
	{
		name: "update password at aal1 with a verified factor", status: 401, code: "insufficient_aal",
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			inDatabase(c.T, c.auto, `insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)
				values (gen_random_uuid(), $1, 'f', 'totp', 'verified', now(), now(), 'x')`, s.User.ID)
			return c.as(c.auto, s.AccessToken, http.MethodPut, "/user", jsonObject{"password": "another12345"})
		},
	},
	{name: "update, no token", status: 401, code: "no_authorization", ask: func(c *call) *servertest.Answer {
		return c.do(c.auto, http.MethodPut, "/user", jsonObject{"data": jsonObject{}})
	}},
	{name: "reauthenticate", status: 200, body: "{}", ask: func(c *call) *servertest.Answer {
		return c.as(c.mail, c.user(c.mail).AccessToken, http.MethodGet, "/reauthenticate", nil)
	}},
	{name: "reauthenticate, no token", status: 401, code: "no_authorization", ask: func(c *call) *servertest.Answer {
		return c.do(c.mail, http.MethodGet, "/reauthenticate", nil)
	}},
	{
		name: "logout", status: 204,
		ask: func(c *call) *servertest.Answer {
			return c.as(c.auto, c.user(c.auto).AccessToken, http.MethodPost, "/logout", nil)
		},
	},
	{name: "logout, bad scope", status: 400, code: "validation_failed", ask: func(c *call) *servertest.Answer {
		return c.as(c.auto, c.somebody(c.auto).AccessToken, http.MethodPost, "/logout?scope=what", nil)
	}},
	{name: "logout, no token", status: 401, code: "no_authorization", ask: func(c *call) *servertest.Answer {
		return c.do(c.auto, http.MethodPost, "/logout", nil)
	}},
	signedOut("global", "first", 403), signedOut("global", "second", 403), signedOut("", "second", 403),
	signedOut("local", "first", 403), signedOut("local", "second", 200),
	signedOut("others", "first", 200), signedOut("others", "second", 403),
}

// signedOut returns GET /user's answer in the first or second of a user's two
// sessions once the first one has signed out in the scope.
func signedOut(scope, which string, status int) fact {
	f := fact{name: strings.Join([]string{"user after logout", scope, which, "session"}, " "), status: status, body: anyone}
	if status != http.StatusOK {
		f.code, f.body = "session_not_found", ""
	}
	f.ask = func(c *call) *servertest.Answer {
		sessions := map[string]servertest.Session{"first": c.user(c.auto)}
		sessions["second"] = c.auto.SignIn(c.T, sessions["first"].User.Email, goodPassword)
		path := "/logout"
		if scope != "" {
			path += "?scope=" + scope
		}
		c.auto.As(c.T, sessions["first"].AccessToken, http.MethodPost, path, nil).Expect(c.T, http.StatusNoContent)
		return getUser(c, sessions[which].AccessToken)
	}
	return f
}

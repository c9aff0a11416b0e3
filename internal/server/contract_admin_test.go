package server_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

const (
	planned = `app_metadata {plan =pro, provider =email, providers [=email]}`
	// listed is the shape of a user in a list, where identities are not read.
	listed = "{" + userBase + ", user_metadata object, identities null, " + confirmed + ", last_sign_in_at? time}"
)

// made is the user object of a user that an admin created.
func made(more string) string { return userShape(adminMeta, adminData, more) }

// planUser is created with app_metadata.
func planUser() string {
	return strings.Replace(userShape("a number, "+adminMeta, adminData, confirmed),
		"app_metadata {provider =email, providers [=email]}", planned, 1)
}

func byID(method string, body jsonObject) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		return c.admin(c.auto, method, "/admin/users/"+c.user(c.auto).User.ID, body)
	}
}

// confirmedByMail is the id of a new user who followed the link of the sign-up.
func confirmedByMail(c *call) string {
	c.Helper()
	hash := mailed(c, c.waiting(c.mail), 1).LinkToken(c.T)
	var s servertest.Session
	c.mail.Do(c.T, http.MethodPost, "/verify", jsonObject{"type": "signup", "token_hash": hash}).Expect(c.T, http.StatusOK).Into(c.T, &s)
	return s.User.ID
}

var adminFacts = []fact{
	{
		name: "admin list users, page 1 of 3", status: 200, body: "{aud =authenticated, users [" + listed + "]}",
		header: map[string]string{
			"X-Total-Count": "^3$",
			"Link":          `^</admin/users\?page=2&per_page=1>; rel="next", </admin/users\?page=3&per_page=1>; rel="last"$`,
		},
		ask: with(nil, func(c *call, p *testProject) *servertest.Answer {
			for range 3 {
				c.user(p)
			}
			return c.admin(p, http.MethodGet, "/admin/users?page=1&per_page=1", nil)
		}),
	},
	{
		name: "admin list users, nobody", status: 200, body: "{aud =authenticated, users []}",
		header: map[string]string{"X-Total-Count": "^0$"},
		ask: with(nil, func(c *call, p *testProject) *servertest.Answer {
			return c.admin(p, http.MethodGet, "/admin/users", nil)
		}),
	},
	{
		name: "admin list users, bad page", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return c.admin(c.auto, http.MethodGet, "/admin/users?page=x", nil) },
	},
	{
		name: "admin list users, sorted by what is no column of lists", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodGet, "/admin/users?sort=email+asc", nil)
		},
	},
	{
		name: "admin list users, sorted in no direction", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodGet, "/admin/users?sort=created_at+up", nil)
		},
	},
	{
		name: "admin update user, weak password", status: 422, code: "weak_password", body: weakLength,
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodPut, "/admin/users/"+c.somebody(c.auto).User.ID, jsonObject{"password": "123"})
		},
	},
	{
		name: "admin as user", status: 403, code: "not_admin",
		ask: func(c *call) *servertest.Answer {
			return c.as(c.auto, c.somebody(c.auto).AccessToken, http.MethodGet, "/admin/users", nil)
		},
	},
	{
		name: "admin as user with the role service_role", status: 403, code: "not_admin", deviates: "admins have keys",
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			c.auto.Admin(c.T, http.MethodPut, "/admin/users/"+s.User.ID, jsonObject{"role": "service_role"}).Expect(c.T, http.StatusOK)
			access := c.auto.SignIn(c.T, s.User.Email, goodPassword).AccessToken
			return c.as(c.auto, access, http.MethodGet, "/admin/users", nil)
		},
	},
	{
		name: "admin as user who signed out", status: 403, code: "session_not_found",
		ask: func(c *call) *servertest.Answer {
			s := c.user(c.auto)
			c.auto.As(c.T, s.AccessToken, http.MethodPost, "/logout", nil).Expect(c.T, http.StatusNoContent)
			return c.as(c.auto, s.AccessToken, http.MethodGet, "/admin/users", nil)
		},
	},
	{
		name: "admin, no token", status: 401, code: "no_authorization",
		ask: func(c *call) *servertest.Answer { return c.do(c.auto, http.MethodGet, "/admin/users", nil) },
	},
	{
		name: "admin create user", status: 200, body: planUser(),
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodPost, "/admin/users", jsonObject{
				"email": c.email(), "password": goodPassword, "email_confirm": true,
				"user_metadata": jsonObject{"a": 1}, "app_metadata": jsonObject{"plan": "pro"},
			})
		},
	},
	{
		name: "admin create user, not confirmed", status: 200, body: userShape("", newMeta, ""),
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodPost, "/admin/users", jsonObject{"email": c.email()})
		},
	},
	{
		name: "admin create user, taken", status: 422, code: "email_exists",
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodPost, "/admin/users", jsonObject{"email": c.somebody(c.auto).User.Email, "password": goodPassword})
		},
	},
	{
		name: "admin create user, nobody", status: 400, code: "validation_failed",
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodPost, "/admin/users", jsonObject{"password": goodPassword})
		},
	},
	{name: "admin get user", status: 200, body: made(signedIn), ask: func(c *call) *servertest.Answer {
		return c.admin(c.auto, http.MethodGet, "/admin/users/"+c.somebody(c.auto).User.ID, nil)
	}},
	{
		name: "admin get user, unknown", status: 404, code: "user_not_found",
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodGet, "/admin/users/"+uuid.NewString(), nil)
		},
	},
	{
		name: "admin get user, bad id", status: 404, code: "validation_failed",
		ask: func(c *call) *servertest.Answer { return c.admin(c.auto, http.MethodGet, "/admin/users/xyz", nil) },
	},
	{
		name: "admin update user, ban", status: 200, body: made(signedIn + ", banned_until time"),
		ask: byID(http.MethodPut, jsonObject{"ban_duration": "24h"}),
	},
	{
		name: "admin update user, metadata", status: 200, body: userShape(adminMeta+", a number", adminData, signedIn),
		ask: byID(http.MethodPut, jsonObject{"user_metadata": jsonObject{"a": 1}}),
	},
	{
		name: "admin update user, email", status: 200, body: userShape(goodMeta, newMeta, signedIn+", confirmation_sent_at time"),
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.mail, http.MethodPut, "/admin/users/"+confirmedByMail(c), jsonObject{"email": c.email()})
		},
	},
	{
		name: "admin update user, email that is confirmed", status: 200, body: userShape(adminMeta, goodMeta, signedIn),
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodPut, "/admin/users/"+c.user(c.auto).User.ID, jsonObject{"email": c.email(), "email_confirm": true})
		},
	},
	{
		name: "admin update user, confirm", status: 200, body: userShape(adminMeta, newMeta, confirmed),
		ask: func(c *call) *servertest.Answer {
			id := c.auto.Admin(c.T, http.MethodPost, "/admin/users", jsonObject{"email": c.email()}).Expect(c.T, http.StatusOK).JSON(c.T)["id"]
			return c.admin(c.auto, http.MethodPut, fmt.Sprint("/admin/users/", id), jsonObject{"email_confirm": true})
		},
	},
	{
		name: "admin update user, unknown", status: 404, code: "user_not_found",
		ask: func(c *call) *servertest.Answer {
			return c.admin(c.auto, http.MethodPut, "/admin/users/"+uuid.NewString(), jsonObject{"ban_duration": "1h"})
		},
	},
	{name: "admin update user, bad ban", status: 400, code: "validation_failed", ask: func(c *call) *servertest.Answer {
		return c.admin(c.auto, http.MethodPut, "/admin/users/"+c.somebody(c.auto).User.ID, jsonObject{"ban_duration": "soon"})
	}},
	{name: "admin delete, soft", status: 200, body: "{}", ask: byID(http.MethodDelete, jsonObject{"should_soft_delete": true})},
	{name: "admin delete", status: 200, body: "{}", ask: byID(http.MethodDelete, jsonObject{})},
	{
		name: "admin audit", status: 200, deviates: "addresses in the audit log",
		header: map[string]string{"X-Total-Count": `^\d+$`, "Link": `^</admin/audit\?page=2&per_page=1>; rel="next", .*rel="last"$`},
		body: `[{id uuid, created_at time, ip_address text, payload {action =user_deleted, actor_id uuid, actor_username =service_role,
			actor_via_sso false, log_type =team, traits {user_id uuid, user_email text, user_phone =}}}]`,
		ask: with(nil, func(c *call, p *testProject) *servertest.Answer {
			p.Admin(c.T, http.MethodDelete, "/admin/users/"+c.user(p).User.ID, jsonObject{}).Expect(c.T, http.StatusOK)
			return c.admin(p, http.MethodGet, "/admin/audit?page=1&per_page=1", nil)
		}),
	},
}

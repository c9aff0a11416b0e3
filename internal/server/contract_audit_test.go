package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// auditFlow is a flow and its entries in the audit log: action, log type, actor
// and traits, the oldest entry first. USER and EMAIL are placeholders for the
// user.
type auditFlow struct {
	name    string
	byPhone bool // EMAIL is the user's number
	on      func(w *world) *testProject
	run     func(c *call, p *testProject, email string)
	want    []string
	// deviates names the entry of deviations that explains the difference.
	deviates string
}

const (
	viaEmail   = ` by EMAIL {"provider":"email"}`
	viaPhone   = ` by EMAIL {"provider":"phone"}`
	fromAdmin  = ` by service_role {"user_email":"EMAIL","user_id":"USER","user_phone":""}`
	madeByHand = "user_signedup team" + fromAdmin
	signedUp   = "user_signedup team" + viaEmail
	asked      = "user_confirmation_requested user" + viaEmail
)

func register(c *call, p *testProject, email string, more jsonObject) {
	c.Helper()
	body := jsonObject{"email": email, "password": goodPassword}
	for k, v := range more {
		body[k] = v
	}
	p.Do(c.T, http.MethodPost, "/signup", body)
}

func redeemMail(c *call, p *testProject, email, typ string, n int) {
	c.Helper()
	hash := p.Inbox(c.T, email, n)[0].LinkToken(c.T)
	p.Do(c.T, http.MethodPost, "/verify", jsonObject{"type": typ, "token_hash": hash}).Expect(c.T, http.StatusOK)
}

// finishPKCE follows the link of the only mail to the address, and exchanges its
// code.
func finishPKCE(c *call, p *testProject, email, typ string) {
	c.Helper()
	link := p.Inbox(c.T, email, 1)[0].LinkToken(c.T)
	_, query, _ := location(c.T, p.Do(c.T, http.MethodGet, "/verify?type="+typ+"&token="+link, nil))
	p.Do(c.T, http.MethodPost, "/token?grant_type=pkce", jsonObject{
		"auth_code": strings.TrimPrefix(query, "code="), "code_verifier": verifier,
	}).Expect(c.T, http.StatusOK)
}

var auditFlows = []auditFlow{
	{
		name: "sign-up, autoconfirm", on: onAuto, want: []string{signedUp, "login account" + viaEmail},
		run: func(c *call, p *testProject, email string) { register(c, p, email, nil) },
	},
	{
		name: "sign-up of a taken address, autoconfirm", on: onAuto,
		want: []string{signedUp, "login account" + viaEmail, "user_repeated_signup user" + viaEmail},
		run: func(c *call, p *testProject, email string) {
			register(c, p, email, nil)
			register(c, p, email, nil)
		},
	},
	{
		name: "sign-up and its mail, asked for thrice", on: onMail,
		want: []string{asked, asked, "user_confirmation_requested user by EMAIL null", signedUp, "user_repeated_signup user" + viaEmail},
		run: func(c *call, p *testProject, email string) {
			register(c, p, email, nil)
			register(c, p, email, nil)
			p.Do(c.T, http.MethodPost, "/resend", jsonObject{"type": "signup", "email": email}).Expect(c.T, http.StatusOK)
			redeemMail(c, p, email, "signup", 3)
			register(c, p, email, nil)
		},
	},
	{
		name: "sign-up with PKCE", on: onMail,
		want: []string{asked, signedUp, `login account by EMAIL {"provider_type":"email"}`},
		run: func(c *call, p *testProject, email string) {
			register(c, p, email, jsonObject{"code_challenge": challenge, "code_challenge_method": "s256"})
			finishPKCE(c, p, email, "signup")
		},
	},
	{
		name: "recovery with PKCE", on: onAuto,
		want: []string{
			madeByHand, "user_recovery_requested user by EMAIL null", "login account by EMAIL null",
			`login account by EMAIL {"provider_type":"recovery"}`,
		},
		run: func(c *call, p *testProject, email string) {
			p.Admin(c.T, http.MethodPost, "/admin/users", jsonObject{"email": email, "email_confirm": true}).Expect(c.T, http.StatusOK)
			p.Do(c.T, http.MethodPost, "/recover", jsonObject{
				"email": email, "code_challenge": challenge, "code_challenge_method": "s256",
			}).Expect(c.T, http.StatusOK)
			finishPKCE(c, p, email, "recovery")
		},
	},
	{
		name: "recovery before and after the address is confirmed", on: onMail,
		want: []string{
			asked, "user_recovery_requested user by EMAIL null", signedUp,
			"user_recovery_requested user by EMAIL null", "login account by EMAIL null",
		},
		run: func(c *call, p *testProject, email string) {
			register(c, p, email, nil)
			for n := range 2 {
				p.Do(c.T, http.MethodPost, "/recover", jsonObject{"email": email}).Expect(c.T, http.StatusOK)
				redeemMail(c, p, email, "recovery", 1+n+1)
			}
		},
	},
	{
		name: "password, metadata, sign-out", on: onAuto,
		want: []string{
			madeByHand, "login account" + viaEmail, "token_refreshed token by EMAIL null",
			"user_updated_password user by EMAIL null", "user_modified user by EMAIL null", "logout account by EMAIL null",
		},
		run: func(c *call, p *testProject, email string) {
			s := p.SignUp(c.T, email, goodPassword)
			p.Do(c.T, http.MethodPost, "/token?grant_type=refresh_token", jsonObject{"refresh_token": s.RefreshToken}).Expect(c.T, http.StatusOK)
			p.As(c.T, s.AccessToken, http.MethodPut, "/user", jsonObject{"password": "password1234"}).Expect(c.T, http.StatusOK)
			p.As(c.T, s.AccessToken, http.MethodPost, "/logout", nil).Expect(c.T, http.StatusNoContent)
		},
	},
	{
		name: "codes by text message", on: onText, byPhone: true, deviates: "a sign-in by phone is a login",
		want: []string{
			"user_confirmation_requested user" + viaPhone, "user_signedup team" + viaPhone,
			`user_recovery_requested user by EMAIL {"channel":"sms"}`, "login account by EMAIL null",
		},
		run: func(c *call, p *testProject, phone string) {
			for n := range 2 {
				p.Do(c.T, http.MethodPost, "/otp", jsonObject{"phone": phone}).Expect(c.T, http.StatusOK)
				enterCode(c, p, "sms", phone, p.Inbox(c.T, phone, n+1)[0].Code).Expect(c.T, http.StatusOK)
			}
		},
	},
	{
		name: "sign-up by phone, sent again, and reauthentication", on: onText, byPhone: true,
		want: []string{
			"user_confirmation_requested user" + viaPhone, "user_recovery_requested user by EMAIL null", "user_signedup team" + viaPhone,
			"user_reauthenticate_requested user by EMAIL null", "user_modified user by EMAIL null",
		},
		run: func(c *call, p *testProject, phone string) {
			p.Do(c.T, http.MethodPost, "/signup", jsonObject{"phone": phone, "password": goodPassword}).Expect(c.T, http.StatusOK)
			p.Do(c.T, http.MethodPost, "/resend", jsonObject{"type": "sms", "phone": phone}).Expect(c.T, http.StatusOK)
			access := enterCode(c, p, "sms", phone, p.Inbox(c.T, phone, 2)[0].Code).Expect(c.T, http.StatusOK).JSON(c.T)["access_token"].(string)
			p.As(c.T, access, http.MethodGet, "/reauthenticate", nil).Expect(c.T, http.StatusOK)
			p.As(c.T, access, http.MethodPut, "/user", jsonObject{"phone": c.number()}).Expect(c.T, http.StatusOK)
		},
	},
	{
		name: "invitation", on: onMail, want: []string{"user_invited team" + fromAdmin, signedUp},
		run: func(c *call, p *testProject, email string) {
			p.Admin(c.T, http.MethodPost, "/invite", jsonObject{"email": email}).Expect(c.T, http.StatusOK)
			redeemMail(c, p, email, "invite", 1)
		},
	},
	{
		name: "links and changes by an admin", on: onAuto, deviates: "admin in the audit log",
		want: []string{
			madeByHand, "user_recovery_requested user" + fromAdmin, "user_modified user" + fromAdmin,
			"user_updated_password user" + fromAdmin, "user_modified user" + fromAdmin,
		},
		run: func(c *call, p *testProject, email string) {
			id := p.Admin(c.T, http.MethodPost, "/admin/users", jsonObject{"email": email}).Expect(c.T, http.StatusOK).JSON(c.T)["id"]
			for _, link := range []jsonObject{{"type": "recovery"}, {"type": "email_change_new", "new_email": "new." + email}} {
				link["email"] = email
				p.Admin(c.T, http.MethodPost, "/admin/generate_link", link).Expect(c.T, http.StatusOK)
			}
			p.Admin(c.T, http.MethodPut, fmt.Sprint("/admin/users/", id), jsonObject{"password": "password1234"}).Expect(c.T, http.StatusOK)
		},
	},
}

// auditOf returns the project's entries about the user, the oldest first.
func auditOf(c *call, p *testProject, email string) []string {
	c.Helper()
	var list []struct {
		Payload struct {
			Action  string          `json:"action"`
			LogType string          `json:"log_type"`
			ActorID string          `json:"actor_id"`
			Actor   string          `json:"actor_username"`
			Traits  json.RawMessage `json:"traits"`
		} `json:"payload"`
	}
	p.Admin(c.T, http.MethodGet, "/admin/audit?per_page=10000", nil).Expect(c.T, http.StatusOK).Into(c.T, &list)
	var out []string
	for _, e := range slices.Backward(list) {
		var traits struct {
			Email string `json:"user_email"`
			ID    string `json:"user_id"`
		}
		if e.Payload.Traits == nil {
			e.Payload.Traits = json.RawMessage("null")
		}
		if err := json.Unmarshal(e.Payload.Traits, &traits); err != nil {
			c.Fatal(err)
		}
		if e.Payload.Actor != email && traits.Email != email {
			continue
		}
		line := fmt.Sprintf("%s %s by %s %s", e.Payload.Action, e.Payload.LogType, e.Payload.Actor, e.Payload.Traits)
		if traits.ID != "" {
			line = strings.ReplaceAll(line, traits.ID, "USER")
		}
		out = append(out, strings.ReplaceAll(line, email, "EMAIL"))
	}
	return out
}

// testAudit checks the audit entries of each flow.
func testAudit(t *testing.T, w *world) {
	for _, f := range auditFlows {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c := &call{T: t, world: w}
			p, email := f.on(w), c.email()
			if f.byPhone {
				email = c.number()
			}
			f.run(c, p, email)
			got := auditOf(c, p, email)
			if !slices.Equal(got, f.want) {
				t.Errorf("the audit log tells\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(f.want, "\n  "))
			}
		})
	}
}

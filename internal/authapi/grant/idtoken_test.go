package grant_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func TestIDToken(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.ManualLinking, c.MailerAutoconfirm = true, false })
	login := connector.Login{Profile: connector.Profile{Subject: "1", Email: "ann@example.com", EmailVerified: true, Data: m{"email": "ann@example.com"}}}
	raw := f.IDP.Issue(f.A, "n", login)
	send := func(p *flowtest.Project, body m, options ...flowtest.Option) *flowtest.Response {
		return p.Do(t, "POST", "/token?grant_type=id_token", body, options...)
	}
	for name, c := range map[string]struct {
		project *flowtest.Project
		body    m
		status  int
		code    string
	}{
		"no token":                {f.A, m{"provider": "idp"}, 400, "validation_failed"},
		"no provider":             {f.A, m{"id_token": raw}, 400, "validation_failed"},
		"unknown provider":        {f.A, m{"id_token": raw, "provider": "nope"}, 400, "validation_failed"},
		"switched off":            {f.A, m{"id_token": raw, "provider": "off"}, 400, "validation_failed"},
		"bad token":               {f.A, m{"id_token": "abc", "provider": "idp"}, 400, "bad_jwt"},
		"wrong nonce":             {f.A, m{"id_token": raw, "provider": "idp", "nonce": "x"}, 400, "bad_jwt"},
		"for another project":     {f.B, m{"id_token": raw, "provider": "idp", "nonce": "n"}, 400, "bad_jwt"},
		"link without a user":     {f.A, m{"id_token": raw, "provider": "idp", "nonce": "n", "link_identity": true}, 401, "no_authorization"},
		"provider that is a list": {f.A, m{"id_token": raw, "provider": []string{"idp"}}, 400, "bad_json"},
	} {
		t.Run(name, func(t *testing.T) { send(c.project, c.body).WantError(c.status, c.code) })
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
		t.Errorf("%d users of refused tokens", n)
	}
	s := send(f.A, m{"id_token": raw, "provider": "idp", "nonce": "n"}).Session()
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	if me.Get("email") != "ann@example.com" || me.Get("app_metadata.provider") != "idp" {
		t.Errorf("signed in as %s", me.Raw)
	}
	nameless := connector.Login{Profile: connector.Profile{Subject: "4"}}
	send(f.A, m{"id_token": f.IDP.Issue(f.A, "", nameless), "provider": "idp"}).WantError(400, "bad_jwt")
	login.Subject, login.Email, login.EmailVerified = "2", "unproved@example.com", false
	send(f.A, m{"id_token": f.IDP.Issue(f.A, "", login), "provider": "idp"}).WantError(403, "provider_email_needs_verification")
	f.A.Mail(t, "unproved@example.com")

	login.Subject, login.Email, login.EmailVerified = "3", "work@example.com", true
	link := m{"id_token": f.IDP.Issue(f.A, "", login), "provider": "idp", "link_identity": true}
	linked := send(f.A, link, flowtest.User(s.Access)).Session()
	if linked.UserID != s.UserID {
		t.Errorf("linked to %s, want %s", linked.UserID, s.UserID)
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.identities WHERE user_id = $1", s.UserID); n != 2 {
		t.Errorf("%d identities", n)
	}
	f.A.Exec(t, `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
		VALUES (gen_random_uuid(), $1, 'totp', 'verified', now(), now())`, s.UserID)
	send(f.A, link, flowtest.User(s.Access)).WantError(401, "insufficient_aal")
	f.A.Configure(func(c *tenants.Config) { c.ManualLinking = false })
	send(f.A, link, flowtest.User(s.Access)).WantError(404, "manual_linking_disabled")
}

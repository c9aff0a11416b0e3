package tenantapi_test

import (
	"net/http"
	"testing"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type m = map[string]any

// with adds the token of a captcha to a body.
func with(body m, token string) m {
	out := m{"gotrue_meta_security": m{"captcha_token": token}}
	for name, value := range body {
		out[name] = value
	}
	return out
}

// The routes of the reference need a captcha, and no others.
func TestCaptcha(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) {
		c.MailerAutoconfirm, c.AnonymousUsers, c.SMTPMaxFrequency, c.RateLimitAnonymous = true, true, 0, 1000
	})
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.B.SignUp(t, "ann@example.com", "password123")
	f.Services.Site("of-a")
	f.A.Change(func(t *tenants.Tenant) {
		t.Config.CaptchaEnabled, t.Config.CaptchaProvider = true, "turnstile"
		t.Secrets.Settings = setting.Secrets{setting.CaptchaSecret: "of-a"}
	})
	for name, c := range map[string]struct {
		path string
		body m
	}{
		"sign-up":    {"/signup", m{"email": "bob@example.com", "password": "password123"}},
		"anonymous":  {"/signup", m{}},
		"otp":        {"/otp", m{"email": "ann@example.com"}},
		"magic link": {"/magiclink", m{"email": "ann@example.com"}},
		"recovery":   {"/recover", m{"email": "ann@example.com"}},
		"resend":     {"/resend", m{"type": "signup", "email": "ann@example.com"}},
		"password":   {"/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"}},
	} {
		t.Run(name, func(t *testing.T) {
			f.A.Do(t, "POST", c.path, c.body).WantError(400, "captcha_failed")
			f.A.Do(t, "POST", c.path, with(c.body, "made up")).WantError(400, "captcha_failed")
			f.A.Do(t, "POST", c.path, m{"gotrue_meta_security": 5}).WantError(400, "captcha_failed")
			f.A.Do(t, "POST", c.path, "{").WantError(400, "captcha_failed")
			f.B.Do(t, "POST", c.path, c.body).Want(200)
			token := f.Services.Solve()
			f.A.Do(t, "POST", c.path, with(c.body, token)).Want(200)
			f.A.Do(t, "POST", c.path, with(c.body, token)).WantError(400, "captcha_failed")
			asked := len(f.Services.Forms())
			f.A.Admin(t, "POST", c.path, c.body)
			if n := len(f.Services.Forms()); n != asked {
				t.Error("asked for a secret key's request")
			}
		})
	}
	f.A.Admin(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"}).Want(200)
	login := connector.Login{Profile: connector.Profile{Subject: "9", Email: "eve@example.com", EmailVerified: true, Data: m{"email": "eve@example.com"}}}
	f.A.Do(t, "POST", "/token?grant_type=id_token", m{"provider": "idp", "id_token": f.IDP.Issue(f.A, "", login)}).Want(200)
	f.A.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": "00", "code_verifier": "x"}).WantError(404, "flow_state_not_found")
	f.A.Refresh(t, ann.Refresh).Want(200)
	f.A.Do(t, "PUT", "/user", m{"data": m{"a": 1}}, flowtest.User(ann.Access)).Want(200)
	f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "ann@example.com", "token": "000000"}).WantError(403, "otp_expired")
	f.Services.Break(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) })
	f.A.Do(t, "POST", "/recover", with(m{"email": "ann@example.com"}, f.Services.Solve())).WantError(503, "captcha_failed")
}

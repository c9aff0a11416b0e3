package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit/services"
)

// TestDeveloperFindsAbuse: each refusal by a guard against abuse, and each service
// that does not answer, is one entry of the project's log under the request's id,
// without the project's secret.
func TestDeveloperFindsAbuse(t *testing.T) {
	t.Parallel()
	s := services.Start(t)
	s.Site(captchaSecret)
	reeve := servertest.Start(t, func(c *config.Config) {
		c.Services = config.Services{TurnstileURL: s.Turnstile(), LeakedPasswordsURL: s.URL}
	})
	broken := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>down</html>", http.StatusInternalServerError)
	}
	for _, c := range []struct {
		code     string // of the entry
		settings jsonObject
		how      http.HandlerFunc
		captcha  bool
		email    string
		status   int
	}{
		{code: "captcha_failed", settings: captchaSettings, status: 400},
		{code: "captcha_unavailable", settings: captchaSettings, how: broken, captcha: true, status: 503},
		{code: "captcha_misconfigured", settings: jsonObject{
			"security_captcha_enabled": true, "security_captcha_provider": "turnstile", "security_captcha_secret": "0x4AAAanother",
		}, captcha: true, status: 400},
		{code: "leaked_passwords_unavailable", settings: jsonObject{"password_hibp_enabled": true}, how: broken, status: 200},
		{code: "leaked_passwords_unavailable", settings: jsonObject{"password_hibp_enabled": true, "password_hibp_fail_closed": true}, how: broken, status: 503},
		{code: "email_domain_refused", settings: jsonObject{"security_email_domains_blocked": "example.org"}, email: "ann@example.org", status: 400},
	} {
		p := reeve.Project(t, "shop", c.settings)
		body := jsonObject{"email": "ann@example.com", "password": goodPassword}
		if c.email != "" {
			body["email"] = c.email
		}
		if c.captcha {
			body["gotrue_meta_security"] = jsonObject{"captcha_token": s.Solve()}
		}
		s.Break(c.how)
		answer := p.Do(t, http.MethodPost, "/signup", body)
		s.Break(nil)
		if answer.Status != c.status {
			t.Errorf("%s: %d %s, want %d", c.code, answer.Status, answer.Body, c.status)
		}
		entry := logged(t, p, answer.Header.Get("X-Request-Id"))
		if entry.Code != c.code || entry.Count != 1 || entry.Message == "" {
			t.Errorf("%s: entry %+v", c.code, entry)
		}
		for name, value := range entry.Detail {
			if text, ok := value.(string); ok && strings.Contains(text, "0x4AAA") {
				t.Errorf("%s: %s shows the secret: %s", c.code, name, text)
			}
		}
	}
}

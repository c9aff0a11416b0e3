package captcha_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/captcha"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/services"
	"github.com/reevehq/reeve/tenants"
)

const siteSecret = "secret-canary-0123456789"

func scope(provider, secret string) *tenants.Scope {
	t := &tenants.Tenant{Config: tenants.DefaultConfig()}
	t.Config.CaptchaEnabled, t.Config.CaptchaProvider = true, provider
	t.Secrets.Settings = setting.Secrets{setting.CaptchaSecret: secret}
	return &tenants.Scope{Tenant: t, ClientIP: netip.MustParseAddr("192.0.2.7")}
}

func verifier(s *services.Services, timeout time.Duration) *captcha.Verifier {
	return &captcha.Verifier{HTTP: s.Client(timeout), URLs: captcha.URLs(s.HCaptcha(), s.Turnstile())}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for provider, used := range map[string]string{"hcaptcha": "expired-input-response", "turnstile": "timeout-or-duplicate"} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			s := services.Start(t)
			s.Site(siteSecret)
			v := verifier(s, captcha.Timeout)
			token := s.Solve()
			if err := v.Verify(t.Context(), scope(provider, " "+siteSecret+"\n"), " "+token+" "); err != nil {
				t.Fatal(err)
			}
			form := s.Forms()[0]
			if form.Get("secret") != siteSecret || form.Get("response") != token || form.Get("remoteip") != "192.0.2.7" {
				t.Errorf("sent %v", form)
			}
			for name, c := range map[string]struct{ secret, token, says string }{
				"used":         {siteSecret, token, used},
				"unknown":      {siteSecret, "x", "invalid-input-response"},
				"none":         {siteSecret, " ", "no captcha_token found"},
				"long":         {siteSecret, strings.Repeat("x", 9000), "too long"},
				"wrong secret": {"other", s.Solve(), "invalid-input-secret"},
				"no secret":    {"", s.Solve(), "missing-input-secret"},
			} {
				err := v.Verify(t.Context(), scope(provider, c.secret), c.token)
				if !errors.Is(err, captcha.ErrFailed) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if n := len(s.Forms()); n != 5 {
				t.Errorf("asked %d times, want not for the tokens that cannot be right", n)
			}
		})
	}
}

// Whatever the provider does but confirm, the request is refused.
func TestFailsClosed(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]http.HandlerFunc{
		"down":            func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":             func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"success":true}`, 500) },
		"HTML":            func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"a list":          func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[true]")) },
		"success as text": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"success":"true"}`)) },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"success":true,"x":"` + strings.Repeat("x", 1<<20) + `"}`))
		},
		"nothing":          func(http.ResponseWriter, *http.Request) {},
		"slower than time": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := services.Start(t)
			s.Site(siteSecret)
			timeout := captcha.Timeout
			if name == "slower than time" {
				timeout = 50 * time.Millisecond
			}
			s.Break(how)
			err := verifier(s, timeout).Verify(t.Context(), scope("turnstile", siteSecret), s.Solve())
			if !errors.Is(err, captcha.ErrUnavailable) || strings.Contains(err.Error(), siteSecret) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := verifier(services.Start(t), time.Second).Verify(t.Context(), scope("", siteSecret), "x"); !errors.Is(err, captcha.ErrUnavailable) {
		t.Errorf("no provider: %v", err)
	}
}

// Texts of the provider that are no codes are not shown.
func TestCodes(t *testing.T) {
	t.Parallel()
	s := services.Start(t)
	s.Break(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"success":false,"error-codes":["bad-request","<b>","` + strings.Repeat("x", 65) + `"]}`))
	})
	err := verifier(s, captcha.Timeout).Verify(t.Context(), scope("hcaptcha", siteSecret), "x")
	if err == nil || err.Error() != "captcha_failed: captcha protection: request disallowed (bad-request)" {
		t.Errorf("%v", err)
	}
}

package trial_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/connector/social"
	"github.com/reevehq/reeve/internal/connector/trial"
	"github.com/reevehq/reeve/internal/outbound"
)

func summary(checks []trial.Check) (out string) {
	for _, c := range checks {
		out += c.Name + "=" + string(c.Status) + " " + c.Detail + "\n"
	}
	return out
}

func TestProviders(t *testing.T) {
	t.Parallel()
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for name, c := range map[string]struct {
		provider string
		routes   func(d *connectortest.Double)
		want     []string
	}{
		"github, wrong secret": {"github", func(d *connectortest.Double) {
			d.Handle("https://github.com/login/oauth/authorize", redirect("https://github.com/login"))
			d.JSON("https://github.com/login/oauth/access_token", `{"error":"incorrect_client_credentials","error_description":"The client_id and/or client_secret passed are incorrect."}`)
		}, []string{"authorize=passed", "github.com/login.", "token=failed", "does not take client id and secret"}},
		"github": {"github", func(d *connectortest.Double) {
			d.Handle("https://github.com/login/oauth/authorize", redirect("/login"))
			d.JSON("https://github.com/login/oauth/access_token", `{"error":"bad_verification_code"}`)
		}, []string{"authorize=passed", "token=passed"}},
		"google, wrong callback": {"google", func(d *connectortest.Double) {
			d.Handle("https://accounts.google.com/o/oauth2/v2/auth", redirect("https://accounts.google.com/signin/oauth/error?authError=x"))
			d.Answer("https://oauth2.googleapis.com/token", 400, "application/json", `{"error":"redirect_uri_mismatch"}`)
		}, []string{"authorize=failed", "page for errors", "token=failed", "callback address is not registered"}},
		"an error for the callback": {"google", func(d *connectortest.Double) {
			d.Handle("https://accounts.google.com/o/oauth2/v2/auth", redirect("https://ref.example.com/auth/v1/callback?error=unauthorized_client&error_description=not+you"))
			d.Answer("https://oauth2.googleapis.com/token", 503, "text/html", "<h1>down</h1>")
		}, []string{"authorize=failed", "unauthorized_client: not you", "token=failed", "at the moment"}},
		"no telling": {"discord", func(d *connectortest.Double) {
			d.Answer("https://discord.com/api/oauth2/token", 400, "application/json", `{"error":"invalid_request"}`)
		}, []string{"authorize=warning", "answers 404", "token=warning", "does not tell"}},
		"twitter": {"twitter", func(d *connectortest.Double) {
			d.Answer("https://api.x.com/oauth/request_token", 401, "application/json", `{"errors":[{"code":32,"message":"Could not authenticate you."}]}`)
		}, []string{"token=failed", "Could not authenticate you"}},
		"takes everything": {"google", func(d *connectortest.Double) {
			d.JSON("https://accounts.google.com/o/oauth2/v2/auth", `{}`)
			d.JSON("https://oauth2.googleapis.com/token", `{"access_token":"a","id_token":"b"}`)
		}, []string{"authorize=passed", "token=failed", "took a code that nobody issued"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			c.routes(d)
			h := d.Client()
			reg := connector.Client{Project: "p", ID: "shop", Secret: "s3cret-canary"}
			got := summary(trial.Run(t.Context(), h, social.Connectors(h, time.Now)[c.provider], reg, "https://ref.example.com/auth/v1/callback"))
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
			if strings.Contains(got, "s3cret-canary") {
				t.Errorf("the secret is told:\n%s", got)
			}
		})
	}
}

// TestOutboundRules: an address that may not be reached is not told.
func TestOutboundRules(t *testing.T) {
	t.Parallel()
	h := outbound.New(outbound.Options{AllowPlainHTTP: true}).HTTP(time.Second)
	for _, d := range []custom.Definition{
		{Type: custom.OIDC, Issuer: "http://localhost:1"},
		{Type: custom.OAuth2, AuthURL: "http://localhost:1/a", TokenURL: "http://localhost:1/t", UserinfoURL: "http://localhost:1/u"},
	} {
		got := summary(trial.Run(t.Context(), h, custom.New(h, time.Now).Connector(d), connector.Client{Project: "p", ID: "a", Secret: "b"}, "https://x.example.com/callback"))
		if strings.Count(got, "=failed") != 2 || strings.Count(got, "not one that Reeve may reach") != 2 || strings.Contains(got, "127.0.0.1") {
			t.Errorf("%s:\n%s", d.Type, got)
		}
	}
}

package social_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
)

const (
	requestTokenURL = "https://api.x.com/oauth/request_token"
	accessTokenURL  = "https://api.x.com/oauth/access_token"
	verifyURL       = "https://api.x.com/1.1/account/verify_credentials.json"
)

// serveTwitter answers as X documents,
// https://docs.x.com/fundamentals/authentication/oauth-1-0a/obtaining-user-access-tokens
func serveTwitter(t *testing.T) *connectortest.Double {
	t.Helper()
	d := connectortest.New(t)
	d.Answer(requestTokenURL, 200, "text/html;charset=utf-8", "oauth_token=request-token&oauth_token_secret=request-secret&oauth_callback_confirmed=true")
	d.Answer(accessTokenURL, 200, "text/html;charset=utf-8", "oauth_token=6253282-access&oauth_token_secret=access-secret&user_id=6253282&screen_name=xapi")
	d.JSON(verifyURL, `{"id":6253282,"id_str":"6253282","name":"X API","screen_name":"xapi","profile_image_url_https":"https://pbs.example/p","email":"x@example.com"}`)
	return d
}

func TestTwitter(t *testing.T) {
	t.Parallel()
	d := serveTwitter(t)
	c := connectors(d)["twitter"]
	address, kept, err := c.(connector.Beginner).Begin(t.Context(), registration(), connector.Start{RedirectURI: redirect, State: "the-state"})
	if err != nil || address != "https://api.x.com/oauth/authenticate?oauth_token=request-token" {
		t.Fatal(address, err)
	}
	signed := d.Last(t, requestTokenURL).Header.Get("Authorization")
	if !strings.Contains(signed, `oauth_callback="https%3A%2F%2Fproject.example%2Fauth%2Fv1%2Fcallback%3Fstate%3Dthe-state"`) || strings.Contains(signed, "client-secret") {
		t.Error(signed)
	}
	cb := callback()
	cb.Kept, cb.Code = kept, "oauth-verifier"
	got, err := c.Exchange(t.Context(), registration(), cb)
	if err != nil {
		t.Fatal(err)
	}
	want := &connector.Login{AccessToken: "6253282-access", Profile: connector.Profile{
		Subject: "6253282", Email: "x@example.com", EmailVerified: true, Data: data("6253282", "x@example.com", true, map[string]any{
			"iss": "https://api.twitter.com/1.1/account/verify_credentials.json", "name": "X API", "full_name": "X API",
			"preferred_username": "xapi", "user_name": "xapi", "picture": "https://pbs.example/p", "avatar_url": "https://pbs.example/p",
		}),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if signed := d.Last(t, accessTokenURL).Header.Get("Authorization"); !strings.Contains(signed, `oauth_token="request-token"`) || !strings.Contains(signed, `oauth_verifier="oauth-verifier"`) {
		t.Error(signed)
	}
	profile := d.Last(t, verifyURL)
	if !strings.Contains(profile.Header.Get("Authorization"), `oauth_token="6253282-access"`) || profile.Query.Get("include_email") != "true" {
		t.Error(profile)
	}

	d.JSON(verifyURL, `{"id_str":"1","email":null}`) // no verified address
	if got, err := c.Exchange(t.Context(), registration(), cb); err != nil || got.Email != "" || got.EmailVerified {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := c.AuthorizeURL(t.Context(), registration(), connector.Start{}); !errors.Is(err, connector.ErrMisconfigured) {
		t.Error(err)
	}
}

func TestTwitterFaults(t *testing.T) {
	t.Parallel()
	answers := connectortest.Broken()
	answers["not confirmed"] = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed=false"))
	}
	kept := `{"t":"request-token","s":"request-secret"}`
	cb := callback()
	cb.Kept = kept
	secret := func(t *testing.T, err error) {
		t.Helper()
		for _, s := range []string{"client-secret", "request-token", "request-secret", "the-code", "6253282-access", "access-secret", "the-state", "oauth_signature"} {
			if err != nil && strings.Contains(err.Error(), s) {
				t.Errorf("the error shows %s: %v", s, err)
			}
		}
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := serveTwitter(t)
			d.Handle(requestTokenURL, answer)
			c := connectors(d)["twitter"]
			address, _, err := c.(connector.Beginner).Begin(t.Context(), registration(), connector.Start{RedirectURI: redirect, State: "the-state"})
			if !errors.Is(err, connector.ErrUnavailable) {
				t.Errorf("begin: %s, %v", address, err)
			}
			secret(t, err)
			if name == "not confirmed" {
				return
			}
			d = serveTwitter(t)
			d.Handle(accessTokenURL, answer)
			_, err = connectors(d)["twitter"].Exchange(t.Context(), registration(), cb)
			if !errors.Is(err, connector.ErrExchange) && !errors.Is(err, connector.ErrUnavailable) {
				t.Errorf("exchange: %v", err)
			}
			secret(t, err)
			d = serveTwitter(t)
			d.Handle(verifyURL, answer)
			_, err = connectors(d)["twitter"].Exchange(t.Context(), registration(), cb)
			if !errors.Is(err, connector.ErrProfile) && !errors.Is(err, connector.ErrUnavailable) {
				t.Errorf("profile: %v", err)
			}
			secret(t, err)
		})
	}
	for _, kept := range []string{"", "x", "{}", "null", `{"t":5}`} {
		cb := callback()
		cb.Kept = kept
		if _, err := connectors(serveTwitter(t))["twitter"].Exchange(t.Context(), registration(), cb); !errors.Is(err, connector.ErrExchange) {
			t.Errorf("%q: %v", kept, err)
		}
	}
	if _, _, err := connectors(connectortest.New(t))["twitter"].(connector.Beginner).Begin(t.Context(), connector.Client{ID: "x"}, connector.Start{}); !errors.Is(err, connector.ErrMisconfigured) {
		t.Error(err)
	}
}

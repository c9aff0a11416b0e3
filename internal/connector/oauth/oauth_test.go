package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/oauth"
)

const tokenURL = "https://provider.example/token"

var (
	client   = connector.Client{Project: "p", ID: "id:1", Secret: "s3cr&t+value"}
	callback = connector.Callback{RedirectURI: "https://p.example/auth/v1/callback", Code: "the code", Verifier: "verifier-verifier", Nonce: "nonce-nonce"}
)

func TestAuthorizeURL(t *testing.T) {
	t.Parallel()
	e := oauth.Endpoint{
		AuthURL: "https://provider.example/auth?tenant=1", Scopes: []string{"openid", "email"}, PKCE: true, Nonce: true,
		Params: url.Values{"response_mode": {"form_post"}, "owner": {"user"}},
	}
	raw, err := e.AuthorizeURL(client, connector.Start{
		RedirectURI: callback.RedirectURI, State: "state", Nonce: "nonce", Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		Scopes: []string{"email", "calendar read", ""},
		Params: url.Values{
			"prompt": {"consent"}, "state": {"evil"}, "Redirect_URI": {"https://evil.example"}, "response_type": {"token"}, "scope": {"all"},
			"response_mode": {"query"}, "request_uri": {"https://evil.example"}, "code_challenge": {"evil"}, "nonce": {"evil"},
			"client_id": {"evil"}, "owner": {"evil"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"tenant": {"1"}, "client_id": {"id:1"}, "redirect_uri": {callback.RedirectURI}, "response_type": {"code"}, "state": {"state"},
		"scope": {"openid email calendar read"}, "nonce": {"nonce"}, "prompt": {"consent"}, "response_mode": {"form_post"}, "owner": {"user"},
		// RFC 7636, appendix B
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	if got := u.Query().Encode(); got != want.Encode() || u.Host != "provider.example" || strings.Contains(u.RawQuery, "+") {
		t.Errorf("got  %s\nwant %s", raw, want.Encode())
	}

	bare, err := oauth.Endpoint{AuthURL: "https://provider.example/auth"}.AuthorizeURL(client, connector.Start{State: "s", Nonce: "n", Verifier: "v"})
	if err != nil || strings.Contains(bare, "nonce") || strings.Contains(bare, "challenge") || strings.Contains(bare, "scope") {
		t.Errorf("%s, %v", bare, err)
	}
	for name, c := range map[string]struct {
		client   connector.Client
		endpoint string
	}{
		"no id":     {connector.Client{Secret: "x"}, e.AuthURL},
		"no secret": {connector.Client{ID: "x"}, e.AuthURL},
		"script":    {client, "javascript:alert(1)"},
		"no host":   {client, "https:///auth"},
		"no URL":    {client, "https://a b/%zz"},
	} {
		if got, err := (oauth.Endpoint{AuthURL: c.endpoint}).AuthorizeURL(c.client, connector.Start{}); !errors.Is(err, connector.ErrMisconfigured) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		style oauth.Style
		basic bool
	}{"post": {oauth.Post, false}, "basic": {oauth.Basic, true}, "either": {oauth.Either, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			d.Token(tokenURL, "access", `,"refresh_token":"refresh","id_token":"id","profile":{"a":1}`)
			got, err := oauth.New(d.Client()).Exchange(t.Context(), oauth.Endpoint{TokenURL: tokenURL, Style: c.style, PKCE: true}, client, callback)
			if err != nil || got.Access != "access" || got.Refresh != "refresh" || got.ID != "id" || got.Extra("profile") == nil || got.Extra("x") != nil {
				t.Fatalf("%+v, %v", got, err)
			}
			r := d.Last(t, tokenURL)
			want := url.Values{
				"grant_type": {"authorization_code"}, "code": {"the code"}, "redirect_uri": {callback.RedirectURI}, "code_verifier": {callback.Verifier},
			}
			if c.basic {
				// RFC 6749, section 2.3.1: both are form-encoded first.
				if id, secret, _ := (&http.Request{Header: r.Header}).BasicAuth(); id != "id%3A1" || secret != "s3cr%26t%2Bvalue" {
					t.Errorf("authenticated as %s %s", id, secret)
				}
			} else {
				want.Set("client_id", client.ID)
				want.Set("client_secret", client.Secret)
			}
			if r.Form.Encode() != want.Encode() || r.Method != http.MethodPost {
				t.Errorf("%s %s, want %s", r.Method, r.Form.Encode(), want.Encode())
			}
		})
	}
}

// TestExchangeForm: GitHub's and Facebook's older answers are forms.
func TestExchangeForm(t *testing.T) {
	t.Parallel()
	d := connectortest.New(t)
	d.Answer(tokenURL, 200, "application/x-www-form-urlencoded; charset=utf-8", "access_token=a&scope=user&token_type=bearer")
	got, err := oauth.New(d.Client()).Exchange(t.Context(), oauth.Endpoint{TokenURL: tokenURL}, client, callback)
	if err != nil || got.Access != "a" || got.ID != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestTwoStyles: the second way is tried after a refusal of the client only, so
// that a code is never redeemed twice.
func TestTwoStyles(t *testing.T) {
	t.Parallel()
	first := map[oauth.Style]func(basic bool) bool{
		oauth.Either:    func(basic bool) bool { return basic },
		oauth.PostFirst: func(basic bool) bool { return !basic },
	}
	for name, c := range map[string]struct {
		status int
		body   string
		tries  int
		ok     bool
	}{
		"client refused":     {401, `{"error":"invalid_client"}`, 2, true},
		"client refused, 4":  {400, `{"error":"invalid_client"}`, 2, true},
		"client refused, no": {401, `<html>`, 2, true},
		"code refused":       {400, `{"error":"invalid_grant"}`, 1, false},
		"down":               {503, ``, 1, false},
	} {
		for style, isFirst := range first {
			t.Run(fmt.Sprint(name, ", style ", style), func(t *testing.T) {
				t.Parallel()
				d := connectortest.New(t)
				d.Handle(tokenURL, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					if _, _, basic := r.BasicAuth(); isFirst(basic) {
						w.WriteHeader(c.status)
						_, _ = w.Write([]byte(c.body))
						return
					}
					_, _ = w.Write([]byte(`{"access_token":"a"}`))
				})
				_, err := oauth.New(d.Client()).Exchange(t.Context(), oauth.Endpoint{TokenURL: tokenURL, Style: style}, client, callback)
				if (err == nil) != c.ok || len(d.Requests(tokenURL)) != c.tries {
					t.Errorf("%v after %d tries", err, len(d.Requests(tokenURL)))
				}
			})
		}
	}
}

// secrets are what no error may show.
var secrets = []string{client.Secret, url.QueryEscape(client.Secret), callback.Code, url.QueryEscape(callback.Code), callback.Verifier, callback.Nonce, "bearer-token", "from-the-query"}

func checkFault(t *testing.T, err error, allowed ...error) {
	t.Helper()
	found := false
	for _, a := range allowed {
		found = found || errors.Is(err, a)
	}
	if !found {
		t.Errorf("got %v, want one of %v", err, allowed)
		return
	}
	for _, s := range secrets {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error shows %q: %v", s, err)
		}
	}
	if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("no line for a log: %d bytes, %q", len(err.Error()), err)
	}
}

func TestExchangeFaults(t *testing.T) {
	t.Parallel()
	answers := connectortest.Broken()
	quote := `{"error":"invalid_grant","error_description":"code the code of s3cr&t+value and verifier-verifier\n is bad ` + strings.Repeat("x", 5000) + `"}`
	answers["quotes secrets"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		_, _ = w.Write([]byte(quote))
	}
	// https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
	answers["200 with an error"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = w.Write([]byte("error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired."))
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			d.Handle(tokenURL, answer)
			_, err := oauth.New(d.Client()).Exchange(t.Context(), oauth.Endpoint{TokenURL: tokenURL, PKCE: true}, client, callback)
			switch name {
			case "too many", "server error", "unavailable", "hung up":
				checkFault(t, err, connector.ErrUnavailable)
			case "cut off":
				checkFault(t, err, connector.ErrUnavailable, connector.ErrExchange)
			default:
				checkFault(t, err, connector.ErrExchange)
			}
		})
	}
}

// TestNoRedirect: neither code and secret nor the access token follow a
// redirect.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		d := connectortest.New(t)
		d.Handle(tokenURL, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/steal", status)
		})
		c := oauth.New(d.Client())
		_, err := c.Exchange(t.Context(), oauth.Endpoint{TokenURL: tokenURL}, client, callback)
		checkFault(t, err, connector.ErrExchange)
		checkFault(t, c.GetJSON(t.Context(), oauth.Request{URL: tokenURL, Bearer: "bearer-token"}, &struct{}{}), connector.ErrProfile)
		if n := len(d.Requests("https://evil.example/steal")); n > 0 {
			t.Errorf("%d: %d requests followed", status, n)
		}
	}
}

func TestGetJSON(t *testing.T) {
	t.Parallel()
	const address = "https://api.example/me"
	for name, answer := range connectortest.Broken() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			d.Handle(address, answer)
			var into struct {
				ID string `json:"id"`
			}
			err := oauth.New(d.Client()).GetJSON(t.Context(), oauth.Request{URL: address + "?proof=s3cr%26t%2Bvalue&derived=from-the-query", Bearer: "bearer-token", Secrets: []string{client.Secret}}, &into)
			switch name {
			case "null", "empty object":
				if err != nil || into.ID != "" {
					t.Errorf("%q, %v", into.ID, err)
				}
			case "too many", "server error", "unavailable", "hung up":
				checkFault(t, err, connector.ErrUnavailable)
			case "cut off":
				checkFault(t, err, connector.ErrUnavailable, connector.ErrProfile)
			default:
				checkFault(t, err, connector.ErrProfile)
			}
			var status *oauth.StatusError
			if name == "not found" && (!errors.As(err, &status) || status.Status != 404) {
				t.Errorf("no status in %v", err)
			}
			if r := d.Last(t, address); r.Header.Get("Authorization") != "Bearer bearer-token" || r.Header.Get("Accept") != "application/json" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

// TestSlow: a provider that does not answer is unavailable.
func TestSlow(t *testing.T) {
	t.Parallel()
	d := connectortest.New(t)
	release := make(chan struct{})
	defer close(release)
	arrived := make(chan struct{}, 2)
	d.Handle(tokenURL, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	c := oauth.New(d.Client())
	for name, call := range map[string]func(context.Context) error{
		"exchange": func(ctx context.Context) error {
			_, err := c.Exchange(ctx, oauth.Endpoint{TokenURL: tokenURL}, client, callback)
			return err
		},
		"profile": func(ctx context.Context) error {
			return c.GetJSON(ctx, oauth.Request{URL: tokenURL, Bearer: "bearer-token"}, &struct{}{})
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		if err := call(ctx); !errors.Is(err, connector.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		} else {
			checkFault(t, err, connector.ErrUnavailable)
		}
	}
}

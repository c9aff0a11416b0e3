package server_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestSetupLinkOpenID: a company's administrator sets up a provider that speaks OpenID
// Connect; the addresses to enter there are known before anything is saved, a draft can
// change its protocol, and a secret is never sent to another issuer.
func TestSetupLinkOpenID(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	idp, other := newIssuer(t), newIssuer(t)
	s := newSetup(t, p, map[string]any{"name": "Acme", "intents": []string{"sso"}, "domains": []string{"acme.example"}})
	const secret = "hunter2-hunter2"
	save := func(oidc map[string]any, more map[string]any) *servertest.Answer {
		body := map[string]any{"oidc": oidc}
		for name, value := range more {
			body[name] = value
		}
		got := s.ask(t, http.MethodPatch, "", body)
		if bytes.Contains(got.Body, []byte(secret)) {
			t.Errorf("the secret is shown: %s", got.Body)
		}
		return got
	}
	refused := func(name string, got *servertest.Answer, status int, code string) {
		t.Helper()
		if got.Status != status || got.JSON(t)["code"] != code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	st := s.state(t)
	redirect := st["service_provider"].(map[string]any)["oidc"].(map[string]any)["redirect_uri"].(string)
	if !strings.HasPrefix(redirect, p.URL+"/auth/v1/sso/oidc/callback/") || len(st["protocols"].([]any)) != 2 {
		t.Errorf("%v", st)
	}
	refused("no secret", save(map[string]any{"issuer": idp.url, "client_id": "client"}, nil), 400, "validation_failed")
	refused("nobody there", save(map[string]any{"issuer": idp.url + "/x", "client_id": "client", "client_secret": secret}, nil), 400, "sso_oidc_provider_error")
	refused("both protocols", save(map[string]any{"issuer": idp.url, "client_id": "client", "client_secret": secret}, map[string]any{"metadata_xml": "<x/>"}), 400, "validation_failed")

	// SAML first, then the other protocol, then SAML and back.
	saml := samltest.New(t, "https://idp.example", time.Now()).Metadata("https://idp.example")
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": saml}).Expect(t, 200)
	registration := map[string]any{"issuer": idp.url, "client_id": "wrong", "client_secret": secret}
	save(registration, nil).Expect(t, 200)
	if got := s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": saml}).Expect(t, 200).JSON(t)["connection"].(map[string]any); got["type"] != "saml" || got["issuer"] != nil {
		t.Errorf("back to SAML: %v", got)
	}
	got := save(registration, map[string]any{"idp": "keycloak", "mapping": map[string]any{"email": "", "name": "name", "groups": "groups"}}).Expect(t, 200).JSON(t)["connection"].(map[string]any)
	if got["type"] != "oidc" || got["issuer"] != idp.url || got["client_id"] != "wrong" || got["entity_id"] != "" || got["mapping"].(map[string]any)["groups"] != "groups" {
		t.Errorf("saved: %v", got)
	}
	refused("another issuer with the secret of the first", save(map[string]any{"issuer": other.url}, nil), 400, "validation_failed")

	try := func() map[string]any {
		t.Helper()
		start := s.ask(t, http.MethodPost, "/dry-run", nil).Expect(t, 200).JSON(t)["url"].(string)
		if !strings.Contains(start, "redirect_uri="+strings.NewReplacer(":", "%3A", "/", "%2F").Replace(redirect)) {
			t.Errorf("%s is not the address that was shown: %s", start, redirect)
		}
		if back := idp.answerSSO(t, p, start, nil); back.String() != "http://reeve.test/setup/"+p.Ref+"?step=try" {
			t.Fatalf("back at %s", back)
		}
		return s.state(t)["dry_run"].(map[string]any)
	}
	failed := func(attempt map[string]any) string {
		var out string
		for _, step := range attempt["detail"].(map[string]any)["steps"].([]any) {
			if m := step.(map[string]any); m["ok"] != true {
				out += m["check"].(string)
			}
		}
		return out
	}
	if a := try(); a["outcome"] != "refused" || failed(a) != "token" || s.blocked(t) != "dry_run" {
		t.Errorf("a token for another client: %v %s", a, s.blocked(t))
	}
	save(map[string]any{"client_id": "client", "scopes": []string{"groups"}}, nil).Expect(t, 200) // the secret stays
	if a := try(); a["outcome"] != "accepted" || s.blocked(t) != "" {
		t.Errorf("%v %s", a, s.blocked(t))
	}
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}).Expect(t, 200)
	begun := p.Do(t, http.MethodPost, "/sso", map[string]any{"domain": "acme.example", "skip_http_redirect": true}).Expect(t, 200).JSON(t)["url"].(string)
	if to := idp.answerSSO(t, p, begun, nil); !strings.Contains(to.Fragment, "access_token=") {
		t.Errorf("sent to %s", to)
	}
	refused("after it went live", save(map[string]any{"client_id": "x"}, nil), 404, "setup_link_invalid")

	// A link for a connection that the developer made keeps its protocol and its issuer.
	list := p.Reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/sso/connections", nil).Expect(t, 200).JSON(t)["items"].([]any)
	id := list[0].(map[string]any)["id"].(string)
	links := "/v1/projects/" + p.Ref + "/sso/setup-links"
	refused("certificate", p.Reeve.Manage(t, http.MethodPost, links, map[string]any{"provider_id": id, "intents": []string{"certificate"}}), 400, "validation_failed")
	p.Reeve.Manage(t, http.MethodPatch, "/v1/projects/"+p.Ref+"/sso/connections/"+id, map[string]any{"enabled": false}).Expect(t, 200)
	s = newSetup(t, p, map[string]any{"provider_id": id, "intents": []string{"sso"}})
	if got := s.state(t)["protocols"].([]any); len(got) != 1 || got[0] != "oidc" {
		t.Errorf("protocols: %v", got)
	}
	refused("another issuer", save(map[string]any{"issuer": other.url, "client_secret": secret}, nil), 422, "sso_oidc_issuer_mismatch")
	refused("another protocol", s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": saml}), 400, "validation_failed")
	save(map[string]any{"client_secret": secret + "-2"}, nil).Expect(t, 200)
}

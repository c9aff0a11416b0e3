package server_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// answerSSO signs ann in at the address that a sign-in goes to, and returns where the
// browser is sent then.
func (i *issuer) answerSSO(t *testing.T, p *servertest.Project, address string, more jsonObject) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	claims := jsonObject{
		"iss": i.url, "aud": "client", "sub": "ann", "email": "ann@acme.example", "iat": now, "exp": now + 600, "nonce": u.Query().Get("nonce"), "groups": []string{"staff"},
	}
	maps.Copy(claims, more)
	code, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	redirect := u.Query().Get("redirect_uri")
	if !strings.HasPrefix(address, i.url+"/authorize?") || !strings.HasPrefix(redirect, p.URL+"/auth/v1/") {
		t.Fatalf("begins at %s", address)
	}
	below := strings.TrimPrefix(redirect, p.URL+"/auth/v1") + "?" + url.Values{"state": {u.Query().Get("state")}, "code": {string(code)}}.Encode()
	to, err := url.Parse(p.Reeve.Do(t, http.MethodGet, p.Auth(below), nil).Expect(t, http.StatusSeeOther).Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestOpenIDConnections: members make, test, change and remove connections that speak
// OpenID Connect; nothing shows their secret, and clients of the hosted service, which
// know SAML alone, are not shown them in lists.
func TestOpenIDConnections(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := samlProject(t, reeve, "a"), samlProject(t, reeve, "b")
	idp := newIssuer(t)
	const hosted, ours, secret = "/config/auth/sso/providers", "/sso/connections", "hunter2-hunter2"
	manage := func(p *servertest.Project, method, below string, body any) *servertest.Answer {
		got := reeve.Manage(t, method, "/v1/projects/"+p.Ref+below, body)
		if bytes.Contains(got.Body, []byte(secret)) {
			t.Errorf("%s %s shows the secret: %s", method, below, got.Body)
		}
		return got
	}
	id := uuid.NewString()
	acme := func(more map[string]any) map[string]any {
		body := map[string]any{
			"type": "oidc", "name": "Acme", "domains": []string{"acme.example"}, "attribute_mapping": map[string]any{"keys": map[string]any{"team": map[string]any{"name": "department"}}},
			"oidc": map[string]any{"issuer": idp.url, "client_id": "client", "client_secret": secret, "scopes": []string{"groups"}}, "rules": map[string]any{"groups_attribute": "groups"},
		}
		maps.Copy(body, more)
		return body
	}
	made := manage(a, http.MethodPost, ours, acme(map[string]any{"id": id})).Expect(t, 201).JSON(t)
	oidc := made["oidc"].(map[string]any)
	at := a.URL + "/auth/v1/sso/oidc/"
	for name, want := range map[string]any{
		"issuer": idp.url, "client_id": "client", "redirect_uri": at + "callback/" + id, "backchannel_logout_uri": at + "backchannel-logout/" + id, "post_logout_redirect_uri": at + "logged-out",
	} {
		if oidc[name] != want {
			t.Errorf("%s: %v, want %v", name, oidc[name], want)
		}
	}
	if made["id"] != id || made["attribute_mapping"].(map[string]any)["keys"].(map[string]any)["team"] == nil {
		t.Errorf("made: %v", made)
	}

	second := map[string]any{"domains": []string{"globex.example"}}
	globex := func(members map[string]any) map[string]any {
		body := acme(second)
		for name, value := range members {
			if value == nil {
				delete(body, name)
			} else {
				body[name] = value
			}
		}
		return body
	}
	for name, c := range map[string]struct {
		path   string
		body   map[string]any
		status int
		code   string
	}{
		"an id that is used": {ours, globex(map[string]any{"id": id}), 409, "sso_provider_exists"},
		"an id of a form":    {ours, globex(map[string]any{"id": "00000000-0000-0000-0000-000000000001"}), 400, "validation_failed"},
		"no registration":    {hosted, globex(map[string]any{"oidc": nil, "name": nil}), 400, "validation_failed"},
		"metadata":           {ours, globex(map[string]any{"metadata_xml": "<x/>"}), 400, "validation_failed"},
		"no secret":          {ours, globex(map[string]any{"oidc": map[string]any{"issuer": idp.url, "client_id": "client"}}), 400, "validation_failed"},
		"nobody there":       {ours, globex(map[string]any{"oidc": map[string]any{"issuer": idp.url + "/x", "client_id": "c", "client_secret": secret}}), 400, "sso_oidc_provider_error"},
		"of SAML":            {ours, globex(map[string]any{"type": "saml"}), 400, "validation_failed"},
	} {
		if got := manage(a, http.MethodPost, c.path, c.body); got.Status != c.status || got.JSON(t)["code"] != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}

	// A dry run reports, and makes nobody; a sign-in makes the user.
	dry := func() map[string]any {
		start := manage(a, http.MethodPost, ours+"/"+id+"/test", map[string]any{}).Expect(t, 200).JSON(t)["url"].(string)
		back := idp.answerSSO(t, a, start, nil)
		if back.Path != "/p/"+a.Ref+"/sso/"+id {
			t.Fatalf("sent to %s", back)
		}
		return manage(a, http.MethodGet, ours+"/"+id+"/attempts/"+back.Query().Get("attempt"), nil).Expect(t, 200).JSON(t)
	}
	if got := dry(); got["outcome"] != "accepted" || got["found"] != "created" || got["groups"].([]any)[0] != "staff" {
		t.Errorf("dry run: %v", got)
	}
	begun := a.Do(t, http.MethodPost, "/sso", map[string]any{"domain": "acme.example", "skip_http_redirect": true}).Expect(t, 200).JSON(t)["url"].(string)
	if to := idp.answerSSO(t, a, begun, nil); !strings.Contains(to.Fragment, "access_token=") {
		t.Errorf("sent to %s", to)
	}
	if got := manage(a, http.MethodGet, ours+"/"+id, nil).Expect(t, 200).JSON(t); got["users"] != 1.0 || got["sessions"] != 1.0 {
		t.Errorf("used: %v", got)
	}

	// Changes: the secret alone, the mapping, never the issuer.
	manage(a, http.MethodPatch, ours+"/"+id, map[string]any{"oidc": map[string]any{"client_secret": secret + "-2"}}).Expect(t, 200)
	changed := manage(a, http.MethodPut, hosted+"/"+id, map[string]any{
		"oidc": map[string]any{"scopes": []string{}}, "attribute_mapping": map[string]any{"keys": map[string]any{}}, "rules": map[string]any{"create_users": false},
	}).Expect(t, 200).JSON(t)
	if got := changed["oidc"].(map[string]any); len(got["scopes"].([]any)) != 0 || got["client_id"] != "client" || len(got["attribute_mapping"].(map[string]any)["keys"].(map[string]any)) != 0 || changed["saml"] != nil {
		t.Errorf("changed: %v", changed)
	}
	if got := manage(a, http.MethodPatch, ours+"/"+id, map[string]any{"oidc": map[string]any{"issuer": newIssuer(t).url}}); got.Status != 422 || got.JSON(t)["code"] != "sso_oidc_issuer_mismatch" {
		t.Errorf("another issuer: %d %s", got.Status, got.Body)
	}

	for path, want := range map[string]int{hosted: 0, hosted + "?type=saml": 0, hosted + "?type=oidc": 1, ours: 1} {
		if got := manage(a, http.MethodGet, path, nil).Expect(t, 200).JSON(t)["items"].([]any); len(got) != want {
			t.Errorf("%s: %v", path, got)
		}
		if got := manage(b, http.MethodGet, path, nil).Expect(t, 200).JSON(t)["items"].([]any); len(got) != 0 {
			t.Errorf("%s of another project: %v", path, got)
		}
	}
	change := map[string]any{"oidc": map[string]any{"client_id": "stolen"}}
	for _, r := range []struct {
		method, path string
		body         any
	}{{"GET", hosted, nil}, {"PUT", hosted, change}, {"DELETE", hosted, nil}, {"GET", ours, nil}, {"PATCH", ours, change}, {"DELETE", ours, nil}} {
		if got := manage(b, r.method, r.path+"/"+id, r.body); got.Status != 404 || got.JSON(t)["code"] != "sso_provider_not_found" {
			t.Errorf("%s %s through another project: %d %s", r.method, r.path, got.Status, got.Body)
		}
	}

	// Its users stay, and nobody gets them by a connection of the same id.
	if got := manage(a, http.MethodDelete, hosted+"/"+id, nil).Expect(t, 200).JSON(t); got["oidc"].(map[string]any)["issuer"] != idp.url {
		t.Errorf("deleted: %v", got)
	}
	if got := manage(a, http.MethodPost, ours, acme(map[string]any{"id": id})); got.Status != 409 {
		t.Errorf("the id of a connection that had users: %d %s", got.Status, got.Body)
	}
	log := reeve.Manage(t, http.MethodGet, "/v1/organizations/default/audit-logs?"+url.Values{"ref": {a.Ref}}.Encode(), nil).Expect(t, 200).Body
	if bytes.Contains(log, []byte(secret)) || !bytes.Contains(log, []byte(`"client_secret":"replaced"`)) {
		t.Errorf("audit log: %s", log)
	}
}

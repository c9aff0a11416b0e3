package server_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// acmeIdP is an identity provider in a browser's place.
type acmeIdP struct {
	*samltest.IdP
	project *servertest.Project
}

// answer signs ann in at the address that a sign-in goes to, and returns where the
// browser is sent then.
func (a acmeIdP) answer(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var request struct {
		ID     string `xml:"ID,attr"`
		ACS    string `xml:"AssertionConsumerServiceURL,attr"`
		Issuer string `xml:"Issuer"`
	}
	if err := xml.Unmarshal(text, &request); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"RelayState": {u.Query().Get("RelayState")}, "SAMLResponse": {a.Encoded(samltest.Response{
		ACS: request.ACS, Audience: request.Issuer, RequestID: request.ID, NameID: "ann", SessionIndex: "_s", At: time.Now(),
		AssertionID: "_a" + strings.TrimPrefix(request.ID, "_"), SignAssertion: true,
		Attributes: map[string][]string{"email": {"ann@acme.example"}, "groups": {"staff"}},
	})}}
	res := a.project.Reeve.Do(t, http.MethodPost, a.project.Auth("/sso/saml/acs"), form.Encode(), "Content-Type", "application/x-www-form-urlencoded").Expect(t, http.StatusSeeOther)
	to, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestSSOConnections: members make connections by the rules of the project's own admin
// routes, in the form of the hosted service and in ours; a dry run reports and changes
// nothing; and a connection is its project's alone.
func TestSSOConnections(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := reeve.Project(t, "a", nil), reeve.Project(t, "b", map[string]any{"saml_enabled": true})
	const hosted, ours = "/config/auth/sso/providers", "/sso/connections"
	manage := func(p *servertest.Project, method, below string, body any) *servertest.Answer {
		return reeve.Manage(t, method, "/v1/projects/"+p.Ref+below, body)
	}
	idp := acmeIdP{samltest.New(t, "https://idp.example/acme", time.Now()), a}
	acme := map[string]any{
		"type": "saml", "metadata_xml": idp.Metadata("https://idp.example"), "domains": []string{"acme.example"},
		"attribute_mapping": map[string]any{"keys": map[string]any{"team": map[string]any{"name": "groups", "array": true}, "plan": map[string]any{"default": "basic"}}},
	}
	for _, r := range []struct{ method, path string }{{"GET", hosted}, {"POST", hosted}, {"POST", ours}, {"GET", "/sso/keys"}} {
		var body any
		if r.method == http.MethodPost {
			body = acme
		}
		if got := manage(a, r.method, r.path, body); got.Status != 404 || got.JSON(t)["code"] != "saml_provider_disabled" || !bytes.Contains(got.Body, []byte("saml_enabled")) {
			t.Errorf("%s %s while SAML is off: %d %s", r.method, r.path, got.Status, got.Body)
		}
	}
	a.Configure(t, map[string]any{"saml_enabled": true, "saml_allow_encrypted_assertions": true})

	created := manage(a, http.MethodPost, hosted, acme).Expect(t, 201).JSON(t)
	id := created["id"].(string)
	saml := created["saml"].(map[string]any)
	if saml["entity_id"] != "https://idp.example/acme" || saml["id"] == "" || created["domains"].([]any)[0].(map[string]any)["domain"] != "acme.example" {
		t.Errorf("created: %v", created)
	}
	for name, c := range map[string]struct {
		path   string
		body   map[string]any
		status int
		code   string
	}{
		"taken":          {hosted, acme, 422, "saml_idp_already_exists"},
		"no metadata":    {hosted, map[string]any{"type": "saml"}, 400, "validation_failed"},
		"another type":   {hosted, map[string]any{"type": "oidc"}, 400, "validation_failed"},
		"unknown member": {ours, map[string]any{"metadata_xml": "x", "disabled": true}, 400, "validation_failed"},
		"a web page":     {ours, map[string]any{"metadata_xml": "<html></html>"}, 400, "validation_failed"},
	} {
		if got := manage(a, http.MethodPost, c.path, c.body); got.Status != c.status || got.JSON(t)["code"] != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	manage(a, http.MethodPut, hosted+"/"+id, map[string]any{"domains": []string{"acme.example", "acme.test"}}).Expect(t, 200)
	changed := manage(a, http.MethodPatch, ours+"/"+id, map[string]any{"name": "Acme", "rules": map[string]any{"groups_attribute": "groups", "allowed_groups": []string{"staff"}}}).Expect(t, 200).JSON(t)
	if changed["name"] != "Acme" || len(changed["domains"].([]any)) != 2 || changed["rules"].(map[string]any)["create_users"] != true {
		t.Errorf("changed: %v", changed)
	}
	if got := manage(a, http.MethodPatch, ours+"/"+id, map[string]any{"rules": map[string]any{"groups_attribute": ""}}); got.Status != 400 {
		t.Errorf("groups without their attribute: %d %s", got.Status, got.Body)
	}
	if got := manage(a, http.MethodPost, ours+"/"+id+"/refresh", map[string]any{}); got.Status != 400 {
		t.Errorf("refresh of uploaded metadata: %d %s", got.Status, got.Body)
	}

	// A dry run ends at the dashboard, with a report and without a user.
	start := manage(a, http.MethodPost, ours+"/"+id+"/test", map[string]any{}).Expect(t, 200).JSON(t)["url"].(string)
	back := idp.answer(t, start)
	if back.Path != "/p/"+a.Ref+"/sso/"+id || back.Fragment != "" {
		t.Fatalf("sent to %s", back)
	}
	attempt := manage(a, http.MethodGet, ours+"/"+id+"/attempts/"+back.Query().Get("attempt"), nil).Expect(t, 200).JSON(t)
	if attempt["kind"] != "dry_run" || attempt["outcome"] != "accepted" || attempt["found"] != "created" || attempt["email"] != "ann@acme.example" {
		t.Errorf("attempt: %v", attempt)
	}
	// A sign-in makes the user and its session.
	begun := a.Do(t, http.MethodPost, "/sso", map[string]any{"domain": "acme.example", "skip_http_redirect": true}).Expect(t, 200).JSON(t)["url"].(string)
	if to := idp.answer(t, begun); !strings.Contains(to.Fragment, "access_token=") {
		t.Errorf("sent to %s", to)
	}
	got := manage(a, http.MethodGet, ours+"/"+id, nil).Expect(t, 200).JSON(t)
	state := got["saml"].(map[string]any)
	if got["users"] != 1.0 || got["sessions"] != 1.0 || got["last_sign_in_at"] == nil || len(state["certificates"].([]any)) != 1 || state["certificate_expires_at"] == nil || state["sign_in_url"] == "" {
		t.Errorf("used: %v", got)
	}
	list := manage(a, http.MethodGet, ours+"/"+id+"/attempts?limit=1", nil).Expect(t, 200).JSON(t)["items"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["kind"] != "login" {
		t.Errorf("attempts: %v", list)
	}

	// Through b, a's connection and its attempts do not exist.
	for _, r := range []struct {
		method, path string
		body         any
	}{
		{"GET", hosted + "/" + id, nil}, {"PUT", hosted + "/" + id, map[string]any{"domains": []string{"b.example"}}}, {"DELETE", hosted + "/" + id, nil},
		{"GET", ours + "/" + id, nil}, {"PATCH", ours + "/" + id, map[string]any{"enabled": false}}, {"DELETE", ours + "/" + id, nil},
		{"POST", ours + "/" + id + "/test", map[string]any{}}, {"POST", ours + "/" + id + "/refresh", map[string]any{}},
		{"GET", ours + "/" + id + "/domains", nil}, {"POST", ours + "/" + id + "/domains", map[string]any{"domain": "b.example"}},
		{"GET", ours + "/" + id + "/scim/tokens", nil}, {"POST", ours + "/" + id + "/scim/tokens", map[string]any{}}, {"GET", ours + "/" + id + "/scim/log", nil},
		{"GET", ours + "/" + id + "/attempts", nil}, {"GET", ours + "/" + id + "/attempts/" + back.Query().Get("attempt"), nil},
	} {
		if got := manage(b, r.method, r.path, r.body); got.Status != 404 || got.JSON(t)["code"] != "sso_provider_not_found" {
			t.Errorf("%s %s through another project: %d %s", r.method, r.path, got.Status, got.Body)
		}
	}
	for _, path := range []string{hosted, ours} {
		if got := manage(b, http.MethodGet, path, nil).Expect(t, 200).Body; bytes.Contains(got, []byte("acme")) {
			t.Errorf("b lists %s", got)
		}
	}

	// A domain is claimed, and not proved by the developer's word.
	claim := manage(a, http.MethodPost, ours+"/"+id+"/domains", map[string]any{"domain": "proved.acme-corp.com"}).Expect(t, 201).JSON(t)
	if claim["state"] != "pending" || claim["record_value"] == nil {
		t.Errorf("claim: %v", claim)
	}
	if left := manage(a, http.MethodDelete, ours+"/"+id+"/domains/proved.acme-corp.com", nil).Expect(t, 200).JSON(t)["items"].([]any); len(left) != 2 {
		t.Errorf("domains: %v", left)
	}
	// A directory pushes with a token, and what it pushed is made again.
	made := manage(a, http.MethodPost, ours+"/"+id+"/scim/tokens", map[string]any{}).Expect(t, 201).JSON(t)
	push := func() int {
		return reeve.Do(t, http.MethodPost, a.Auth("/scim/v2/Users"), map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "bob@acme.example", "active": true,
			"emails": []any{map[string]any{"value": "bob@acme.example", "primary": true}},
		}, "Authorization", "Bearer "+made["token"].(string), "Content-Type", "application/scim+json").Status
	}
	if status := push(); status != 201 {
		t.Errorf("push: %d", status)
	}
	pushes := manage(a, http.MethodGet, ours+"/"+id+"/scim/log", nil).Expect(t, 200).JSON(t)["items"].([]any)
	if len(pushes) != 1 || pushes[0].(map[string]any)["status"] != 201.0 {
		t.Fatalf("pushes: %v", pushes)
	}
	entry := strconv.FormatInt(int64(pushes[0].(map[string]any)["id"].(float64)), 10)
	if again := manage(a, http.MethodPost, ours+"/"+id+"/scim/log/"+entry+"/replay", nil).Expect(t, 200).JSON(t); again["status"] != 409.0 {
		t.Errorf("made again: %v", again)
	}
	if got := manage(b, http.MethodPost, ours+"/"+id+"/scim/log/"+entry+"/replay", nil); got.Status != 404 {
		t.Errorf("made again through another project: %d %s", got.Status, got.Body)
	}
	token := made["entry"].(map[string]any)["id"].(string)
	if got := manage(b, http.MethodDelete, ours+"/"+id+"/scim/tokens/"+token, nil); got.Status != 404 {
		t.Errorf("revoked through another project: %d %s", got.Status, got.Body)
	}
	manage(a, http.MethodDelete, ours+"/"+id+"/scim/tokens/"+token, nil).Expect(t, 200)
	if status := push(); status != 401 {
		t.Errorf("push with a revoked token: %d", status)
	}

	keys := manage(a, http.MethodPost, "/sso/keys", nil).Expect(t, 201).JSON(t)["items"].([]any)
	manage(a, http.MethodDelete, "/sso/keys/"+keys[0].(map[string]any)["id"].(string), nil).Expect(t, 200)
	if left := manage(a, http.MethodGet, "/sso/keys", nil).Expect(t, 200).JSON(t)["items"].([]any); len(left) != 1 || left[0].(map[string]any)["signs"] != true {
		t.Errorf("keys: %v", left)
	}

	manage(a, http.MethodPatch, ours+"/"+id, map[string]any{"enabled": false}).Expect(t, 200)
	if off := manage(a, http.MethodGet, ours, nil).Expect(t, 200).JSON(t)["items"].([]any)[0].(map[string]any); off["enabled"] != false || off["sessions"] != 0.0 {
		t.Errorf("switched off: %v", off)
	}
	manage(a, http.MethodDelete, hosted+"/"+id, nil).Expect(t, 200)
	manage(a, http.MethodGet, ours+"/"+id, nil).Expect(t, 404)
	log := reeve.Manage(t, http.MethodGet, "/v1/organizations/default/audit-logs?"+url.Values{"ref": {a.Ref}}.Encode(), nil).Expect(t, 200).Body
	for _, action := range []string{"create-sso-provider", "update-sso-connection", "delete-sso-provider", "test-sso-connection"} {
		if !bytes.Contains(log, []byte(action)) {
			t.Errorf("the audit log has no %s", action)
		}
	}
	if bytes.Contains(log, []byte(made["token"].(string))) {
		t.Error("the audit log has a token")
	}
	if bytes.Contains(log, []byte("X509Certificate")) {
		t.Error("the audit log has metadata")
	}
}

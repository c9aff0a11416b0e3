package server_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// setup is a setup link and the page that has it.
type setup struct {
	project *servertest.Project
	id      string
	token   string
}

// newSetup makes a link by the Management API.
func newSetup(t *testing.T, p *servertest.Project, body map[string]any) *setup {
	t.Helper()
	made := p.Reeve.Manage(t, http.MethodPost, "/v1/projects/"+p.Ref+"/sso/setup-links", body).Expect(t, 201).JSON(t)
	page, token, ok := strings.Cut(made["url"].(string), "#")
	if !ok || page != "http://reeve.test/setup/"+p.Ref || made["state"] != "open" {
		t.Fatalf("%v", made)
	}
	return &setup{p, made["id"].(string), token}
}

// ask sends a request of the page.
func (s *setup) ask(t *testing.T, method, below string, body any) *servertest.Answer {
	t.Helper()
	return s.project.Reeve.Do(t, method, "/v1/sso-setup/"+s.project.Ref+below, body, "Authorization", "Bearer "+s.token)
}

// state is what the page shows.
func (s *setup) state(t *testing.T) map[string]any {
	t.Helper()
	return s.ask(t, http.MethodGet, "", nil).Expect(t, 200).JSON(t)
}

// try runs a dry run at a provider, which answers with statements.
func (s *setup) try(t *testing.T, idp *samltest.IdP, statements map[string][]string) {
	t.Helper()
	u, err := url.Parse(s.ask(t, http.MethodPost, "/dry-run", nil).Expect(t, 200).JSON(t)["url"].(string))
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
	form := url.Values{"RelayState": {u.Query().Get("RelayState")}, "SAMLResponse": {idp.Encoded(samltest.Response{
		ACS: request.ACS, Audience: request.Issuer, RequestID: request.ID, NameID: "ann", At: time.Now(), SignAssertion: true, Attributes: statements,
	})}}
	back := s.project.Reeve.Do(t, http.MethodPost, s.project.Auth("/sso/saml/acs"), form.Encode(), "Content-Type", "application/x-www-form-urlencoded").
		Expect(t, 303).Header.Get("Location")
	if back != "http://reeve.test/setup/"+s.project.Ref+"?step=try" {
		t.Fatalf("back at %s", back)
	}
}

// blocked are why the connection cannot go live.
func (s *setup) blocked(t *testing.T) string {
	t.Helper()
	var out []string
	for _, b := range s.state(t)["blockers"].([]any) {
		out = append(out, b.(string))
	}
	return strings.Join(out, " ")
}

func samlProject(t *testing.T, reeve *servertest.Reeve, name string) *servertest.Project {
	t.Helper()
	return reeve.Project(t, name, map[string]any{"saml_enabled": true, "site_url": "https://app.example.com"})
}

// TestSetupLink: a company's administrator describes the identity provider, tries it,
// and goes live; each step needs the one before.
func TestSetupLink(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	s := newSetup(t, p, map[string]any{"name": "Acme", "intents": []string{"sso"}, "domains": []string{"Acme.example"}})
	st := s.state(t)
	sp := st["service_provider"].(map[string]any)
	if st["project"] != "shop" || st["company"] != "Acme" || sp["acs_url"] != p.URL+"/auth/v1/sso/saml/acs" || sp["entity_id"] != p.URL+"/auth/v1/sso/saml/metadata" {
		t.Errorf("%v", st)
	}
	if s.blocked(t) != "metadata" {
		t.Error(s.blocked(t))
	}
	s.ask(t, http.MethodPost, "/dry-run", nil).Expect(t, 409)
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}).Expect(t, 409)
	s.ask(t, http.MethodPatch, "", map[string]any{"idp": "okta"}).Expect(t, 200)
	s.ask(t, http.MethodPatch, "", map[string]any{"idp": "mine"}).Expect(t, 400)
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": "<html></html>"}).Expect(t, 400)
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_url": "https://127.0.0.1:1/metadata"}).Expect(t, 422)

	// The wrong provider first: a draft can get another.
	wrong, idp := samltest.New(t, "https://wrong.example", time.Now()), samltest.New(t, "https://idp.example", time.Now())
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": wrong.Metadata("https://wrong.example")}).Expect(t, 200)
	saved := s.ask(t, http.MethodPatch, "", map[string]any{
		"metadata_xml": idp.Metadata("https://idp.example"), "mapping": map[string]any{"email": "mail", "name": "cn", "groups": "groups"},
	}).Expect(t, 200).JSON(t)
	connection := saved["connection"].(map[string]any)
	if connection["entity_id"] != "https://idp.example" || connection["live"] != false || len(connection["certificates"].([]any)) != 1 || saved["idp"] != "okta" {
		t.Errorf("%v", connection)
	}
	if list := p.Admin(t, http.MethodGet, "/admin/sso/providers", nil).Expect(t, 200); bytes.Count(list.Body, []byte(`"entity_id"`)) != 1 {
		t.Errorf("%s", list.Body)
	}
	p.Do(t, http.MethodPost, "/sso", map[string]any{"domain": "acme.example"}).Refused(t, 404, "sso_provider_disabled")

	s.try(t, wrong, map[string][]string{"mail": {"ann@acme.example"}})
	if run := s.state(t)["dry_run"].(map[string]any); run["outcome"] != "refused" || s.blocked(t) != "dry_run" {
		t.Errorf("%v", run)
	}
	s.try(t, idp, map[string][]string{"mail": {"ann@other.example"}})
	if run := s.state(t)["dry_run"].(map[string]any); run["outcome"] != "refused" {
		t.Errorf("%v", run)
	}
	good := map[string][]string{"mail": {"ann@acme.example"}, "cn": {"Ann"}, "groups": {"staff"}}
	s.try(t, idp, good)
	run := s.state(t)["dry_run"].(map[string]any)
	detail := run["detail"].(map[string]any)
	if run["outcome"] != "accepted" || detail["email"] != "ann@acme.example" || detail["found"] != "created" || s.blocked(t) != "" {
		t.Errorf("%v", run)
	}
	s.ask(t, http.MethodPatch, "", map[string]any{"mapping": map[string]any{"email": "mail"}}).Expect(t, 200)
	if s.blocked(t) != "dry_run_outdated" {
		t.Error(s.blocked(t))
	}
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}).Expect(t, 409)
	s.try(t, idp, good)
	done := s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}).Expect(t, 200).JSON(t)
	if done["connection"].(map[string]any)["live"] != true {
		t.Errorf("%v", done)
	}
	p.Do(t, http.MethodPost, "/sso", map[string]any{"domain": "acme.example"}).Expect(t, 303)
	s.ask(t, http.MethodGet, "", nil).Expect(t, 404) // used up

	entries := servertest.Connect(t, p.AdminURL(t))
	for action, want := range map[string]int{
		"sso_setup_link_created": 1, "sso_setup_link_opened": 1, "sso_provider_created": 1, "sso_provider_updated": 3, "sso_setup_link_done": 1,
	} {
		var n int
		by := `payload ->> 'actor_username' = 'setup link: Acme' AND payload #>> '{traits,via}' = 'setup_link'`
		if action == "sso_setup_link_created" {
			by = `payload #>> '{traits,via}' = 'management_api'`
		}
		if err := entries.QueryRow(t.Context(), `SELECT count(*) FROM auth.audit_log_entries WHERE payload ->> 'action' = $1 AND `+by, action).Scan(&n); err != nil || n != want {
			t.Errorf("%d entries %s, want %d (%v)", n, action, want, err)
		}
	}
	var kept int
	if err := entries.QueryRow(t.Context(), `SELECT count(*) FROM reeve.sso_setup_link l WHERE l::text LIKE '%'||$1||'%'`, s.token[30:]).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("the token is stored: %d %v", kept, err)
	}
}

// TestSetupLinkIsolation: a link reaches its own connection and project, and every token
// that is not in force gets one answer.
func TestSetupLinkIsolation(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	a, b := samlProject(t, reeve, "a"), samlProject(t, reeve, "b")
	idp, other := samltest.New(t, "https://idp.example", time.Now()), samltest.New(t, "https://other.example", time.Now())
	one := newSetup(t, a, map[string]any{"name": "Acme", "intents": []string{"sso"}})
	two := newSetup(t, a, map[string]any{"name": "Other", "intents": []string{"sso"}})
	one.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": idp.Metadata("https://idp.example")}).Expect(t, 200)
	two.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": other.Metadata("https://other.example")}).Expect(t, 200)
	two.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": idp.Metadata("https://idp.example")}).Expect(t, 422)
	if raw := two.ask(t, http.MethodGet, "", nil).Expect(t, 200).Body; bytes.Contains(raw, []byte("https://idp.example")) || bytes.Contains(raw, []byte("Acme")) {
		t.Errorf("%s", raw)
	}
	// A dry run of one proves nothing for the other.
	one.try(t, idp, map[string][]string{"mail": {"ann@acme.example"}})
	if one.blocked(t) != "" || two.blocked(t) != "dry_run" {
		t.Errorf("%s / %s", one.blocked(t), two.blocked(t))
	}

	revoked, expired := newSetup(t, a, map[string]any{"name": "R", "intents": []string{"sso"}}), newSetup(t, a, map[string]any{"name": "E", "intents": []string{"sso"}})
	links := "/v1/projects/" + a.Ref + "/sso/setup-links/"
	reeve.Manage(t, http.MethodDelete, "/v1/projects/"+b.Ref+"/sso/setup-links/"+revoked.id, nil).Expect(t, 404)
	reeve.Manage(t, http.MethodDelete, links+revoked.id, nil).Expect(t, 200)
	b.Admin(t, http.MethodDelete, "/admin/sso/setup-links/"+expired.id, nil).Refused(t, 404, "setup_link_not_found")
	if raw := b.Admin(t, http.MethodGet, "/admin/sso/setup-links", nil).Expect(t, 200).Body; string(raw) != `{"items":[]}` {
		t.Errorf("%s", raw)
	}
	database := servertest.Connect(t, a.AdminURL(t))
	if _, err := database.Exec(t.Context(), `UPDATE reeve.sso_setup_link SET expires_at = now() - interval '1 second' WHERE id = $1`, expired.id); err != nil {
		t.Fatal(err)
	}
	deleted := newSetup(t, a, map[string]any{"name": "D", "intents": []string{"sso"}})
	third := samltest.New(t, "https://third.example", time.Now())
	deleted.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": third.Metadata("https://third.example")}).Expect(t, 200)
	var provider string
	if err := database.QueryRow(t.Context(), `SELECT provider_id::text FROM reeve.sso_setup_link WHERE id = $1`, deleted.id).Scan(&provider); err != nil {
		t.Fatal(err)
	}
	a.Admin(t, http.MethodDelete, "/admin/sso/providers/"+provider, nil).Expect(t, 200)

	elsewhere, nowhere := *one, *one
	elsewhere.project = b
	nowhere.project = &servertest.Project{Reeve: reeve, Ref: strings.Repeat("z", 20)}
	changed := *one
	changed.token = one.token[:len(one.token)-4] + "AAAA"
	mixed := *one
	mixed.token = one.token[:30] + two.token[30:]
	var want []byte
	for name, s := range map[string]*setup{
		"none": {a, "", ""}, "nonsense": {a, "", "x"}, "an API key": {a, "", a.SecretKey}, "revoked": revoked, "expired": expired, "of a deleted connection": deleted,
		"of another project": &elsewhere, "of no project": &nowhere, "changed": &changed, "of two links": &mixed,
	} {
		for _, r := range []struct{ method, below string }{
			{http.MethodGet, ""}, {http.MethodPatch, ""}, {http.MethodPost, "/dry-run"}, {http.MethodPost, "/finish"}, {http.MethodPost, "/scim-token"},
			{http.MethodPost, "/domains"}, {http.MethodPost, "/domains/check"}, {http.MethodPost, "/domains/mail"}, {http.MethodPost, "/domains/drop"},
		} {
			got := s.ask(t, r.method, r.below, map[string]any{})
			if want == nil {
				want = got.Body
			}
			if got.Status != 404 || !bytes.Equal(got.Body, want) {
				t.Errorf("%s, %s %s: %d %s", name, r.method, r.below, got.Status, got.Body)
			}
		}
	}
	if !bytes.Contains(want, []byte("setup_link_invalid")) {
		t.Errorf("%s", want)
	}
}

// TestSetupLinkIntents: a link does what it is for, once.
func TestSetupLinkIntents(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	idp := samltest.New(t, "https://idp.example", time.Now())
	id := p.Admin(t, http.MethodPost, "/admin/sso/providers", map[string]any{
		"type": "saml", "metadata_xml": idp.Metadata("https://idp.example"), "domains": []string{"acme.example"},
	}).Expect(t, 201).JSON(t)["id"].(string)
	for name, body := range map[string]map[string]any{
		"no intents":            {"name": "x", "intents": []string{}},
		"an unknown one":        {"name": "x", "intents": []string{"all"}},
		"no name":               {"intents": []string{"sso"}},
		"nothing to connect":    {"name": "x", "intents": []string{"domain"}},
		"both kinds":            {"provider_id": id, "intents": []string{"sso", "certificate"}},
		"too long":              {"name": "x", "intents": []string{"sso"}, "expires_in": 100 * 24 * 3600},
		"domains of existing":   {"provider_id": id, "intents": []string{"certificate"}, "domains": []string{"x.example"}},
		"no domain":             {"name": "x", "intents": []string{"sso"}, "domains": []string{"x"}},
		"a connection in use":   {"provider_id": id, "intents": []string{"sso"}},
		"no such connection":    {"provider_id": "00000000-0000-4000-8000-000000000000", "intents": []string{"domain"}},
		"a domain of another's": {"name": "x", "intents": []string{"sso"}, "domains": []string{"ACME.example"}},
	} {
		if a := p.Admin(t, http.MethodPost, "/admin/sso/setup-links", body); a.Status < 400 || a.Status >= 500 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	s := newSetup(t, p, map[string]any{"provider_id": id, "intents": []string{"certificate"}})
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "certificate"}).Expect(t, 409)
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}).Expect(t, 409)
	s.ask(t, http.MethodPost, "/scim-token", nil).Expect(t, 409)
	s.ask(t, http.MethodPatch, "", map[string]any{"mapping": map[string]any{"email": "mail"}}).Expect(t, 409)
	other := samltest.New(t, "https://other.example", time.Now())
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": other.Metadata("https://other.example")}).Expect(t, 422)
	renewed := samltest.New(t, "https://idp.example", time.Now())
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": renewed.Metadata("https://idp.example")}).Expect(t, 200)
	s.try(t, renewed, map[string][]string{"mail": {"ann@acme.example"}})
	if run := s.state(t)["dry_run"].(map[string]any); run["outcome"] != "accepted" {
		t.Errorf("%v", run)
	}
	for _, below := range []string{"/domains", "/domains/check", "/domains/mail", "/domains/drop"} {
		s.ask(t, http.MethodPost, below, map[string]any{"domain": "acme.example"}).Expect(t, 409)
	}
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "certificate"}).Expect(t, 200)
	s.ask(t, http.MethodGet, "", nil).Expect(t, 404)
	p.Configure(t, map[string]any{"saml_enabled": false})
	p.Admin(t, http.MethodPost, "/admin/sso/setup-links", map[string]any{"name": "x", "intents": []string{"sso"}}).Refused(t, 404, "saml_provider_disabled")
}

// TestSetupLinkDomain: a domain is proved by those who run it before the connection goes
// live.
func TestSetupLinkDomain(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	s := newSetup(t, p, map[string]any{"name": "Acme", "intents": []string{"sso", "domain"}})
	s.ask(t, http.MethodPost, "/domains", map[string]any{"domain": "acme.example"}).Expect(t, 409)
	idp := samltest.New(t, "https://idp.example", time.Now())
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": idp.Metadata("https://idp.example")}).Expect(t, 200)
	s.try(t, idp, map[string][]string{"mail": {"ann@acme.example"}})
	if s.blocked(t) != "domain" {
		t.Error(s.blocked(t))
	}
	s.ask(t, http.MethodPost, "/domains", map[string]any{"domain": "gmail.com"}).Expect(t, 422)
	claimed := s.ask(t, http.MethodPost, "/domains", map[string]any{"domain": "acme.example"}).Expect(t, 200).JSON(t)["domains"].([]any)[0].(map[string]any)
	if claimed["state"] != "pending" || claimed["record_name"] != "_reeve-challenge.acme.example" || !strings.HasPrefix(claimed["record_value"].(string), "reeve-domain-verification=") {
		t.Errorf("%v", claimed)
	}
	s.ask(t, http.MethodPost, "/domains/mail", map[string]any{"domain": "acme.example", "mailbox": "ceo"}).Expect(t, 400)
	s.ask(t, http.MethodPost, "/domains/mail", map[string]any{"domain": "acme.example", "mailbox": "admin"}).Expect(t, 200)
	if mail := p.Inbox(t, "admin@acme.example", 1)[0]; len(mail.Links) == 0 {
		t.Errorf("%+v", mail)
	}
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}).Expect(t, 409)
	s.ask(t, http.MethodPost, "/domains/drop", map[string]any{"domain": "acme.example"}).Expect(t, 200)
	s.ask(t, http.MethodPost, "/domains/drop", map[string]any{"domain": "acme.example"}).Expect(t, 404)
	s.ask(t, http.MethodPost, "/domains", map[string]any{"domain": "acme.example"}).Expect(t, 200)
	// As if the link of the mail was used.
	if _, err := servertest.Connect(t, p.AdminURL(t)).Exec(t.Context(), `WITH c AS (UPDATE reeve.sso_claim SET proof = 'mail', proved_at = now() RETURNING provider_id, domain)
		INSERT INTO auth.sso_domains (id, sso_provider_id, domain, created_at, updated_at) SELECT gen_random_uuid(), provider_id, domain, now(), now() FROM c`); err != nil {
		t.Fatal(err)
	}
	if s.blocked(t) != "" {
		t.Error(s.blocked(t))
	}
	s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}).Expect(t, 200)
	p.Do(t, http.MethodPost, "/sso", map[string]any{"domain": "acme.example"}).Expect(t, 303)
	s.ask(t, http.MethodGet, "", nil).Expect(t, 404)
}

// TestSetupLinkSCIM: the token of a directory is made once, for the link's connection.
func TestSetupLinkSCIM(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	idp := samltest.New(t, "https://idp.example", time.Now())
	id := p.Admin(t, http.MethodPost, "/admin/sso/providers", map[string]any{"type": "saml", "metadata_xml": idp.Metadata("https://idp.example")}).Expect(t, 201).JSON(t)["id"].(string)
	s := newSetup(t, p, map[string]any{"provider_id": id, "intents": []string{"scim", "certificate"}})
	made := s.ask(t, http.MethodPost, "/scim-token", nil).Expect(t, 200).JSON(t)
	if made["base_url"] != p.URL+"/auth/v1/scim/v2" {
		t.Errorf("%v", made)
	}
	s.ask(t, http.MethodPost, "/scim-token", nil).Expect(t, 409)
	p.Reeve.Do(t, http.MethodGet, p.Auth("/scim/v2/Users"), nil, "Authorization", "Bearer "+made["token"].(string)).Expect(t, 200)
}

// TestSetupLinkLimit: requests of one link are limited, and do not limit another.
func TestSetupLinkLimit(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	one := newSetup(t, p, map[string]any{"name": "One", "intents": []string{"sso"}})
	two := newSetup(t, p, map[string]any{"name": "Two", "intents": []string{"sso"}})
	limited := false
	for range 150 {
		if a := one.ask(t, http.MethodGet, "", nil); a.Status == http.StatusTooManyRequests {
			limited = a.Header.Get("Retry-After") != ""
			break
		}
	}
	if !limited {
		t.Error("150 requests at once are answered")
	}
	two.state(t)
}

// TestSetupLinkGroups: whether groups reach app_metadata is for the developer to say, also
// of a connection that a link makes; a link can only name another statement.
func TestSetupLinkGroups(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	connection := func(id any) map[string]any {
		return p.Admin(t, http.MethodGet, "/admin/sso/providers/"+id.(string), nil).Expect(t, 200).JSON(t)
	}
	for name, c := range map[string]struct {
		rule, names, want string
	}{
		"of the directory":                   {"scim", "roles", "scim"},
		"of the directory, none":             {"scim", "", "scim"},
		"none":                               {"", "roles", ""},
		"of a statement":                     {"groups", "memberOf", "memberOf"},
		"of a statement, where some must be": {"groups", "", "groups"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := map[string]any{"groups_attribute": c.rule}
			if c.rule != "" {
				rules["allowed_groups"] = []string{"staff"}
			}
			entity := "https://idp.example/" + strings.ReplaceAll(name, " ", "-")
			made := p.Admin(t, http.MethodPost, "/admin/sso/providers", map[string]any{
				"type": "saml", "metadata_xml": samltest.New(t, entity, time.Now()).Metadata("https://idp.example"), "disabled": true, "rules": rules,
			}).Expect(t, 201).JSON(t)
			s := newSetup(t, p, map[string]any{"name": "Acme", "intents": []string{"sso"}, "provider_id": made["id"]})
			state := s.ask(t, http.MethodPatch, "", map[string]any{"mapping": map[string]any{"email": "mail", "groups": c.names}}).Expect(t, 200).JSON(t)
			if got := connection(made["id"])["rules"].(map[string]any); got["groups_attribute"] != c.want {
				t.Errorf("the link made the groups those of %q", got["groups_attribute"])
			}
			if shown := state["connection"].(map[string]any)["mapping"].(map[string]any)["groups"]; c.names != "" && shown != c.names {
				t.Errorf("the page shows %q", shown)
			}
		})
	}
	s := newSetup(t, p, map[string]any{"name": "Acme", "intents": []string{"sso"}, "domains": []string{"acme.example"}})
	s.ask(t, http.MethodPatch, "", map[string]any{
		"metadata_xml": samltest.New(t, "https://idp.example/new", time.Now()).Metadata("https://idp.example"), "mapping": map[string]any{"groups": "roles"},
	}).Expect(t, 200)
	for _, made := range p.Admin(t, http.MethodGet, "/admin/sso/providers", nil).Expect(t, 200).JSON(t)["items"].([]any) {
		made := made.(map[string]any)
		if made["name"] != "Acme" {
			continue
		}
		keys := made["saml"].(map[string]any)["attribute_mapping"].(map[string]any)["keys"].(map[string]any)
		if rules := made["rules"].(map[string]any); rules["groups_attribute"] != "" && rules["groups_attribute"] != nil || keys["groups"].(map[string]any)["name"] != "roles" {
			t.Errorf("%v %v", rules, keys)
		}
	}
}

// TestSetupLinkOfAConnectionInUse: a link that was forgotten neither switches on what the
// developer switched off nor puts another provider in its place, once people have come by
// the connection.
func TestSetupLinkOfAConnectionInUse(t *testing.T) {
	t.Parallel()
	p := samlProject(t, servertest.Start(t), "shop")
	s := newSetup(t, p, map[string]any{"name": "Acme", "intents": []string{"sso"}, "domains": []string{"acme.example"}})
	idp := samltest.New(t, "https://idp.example", time.Now())
	s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": idp.Metadata("https://idp.example")}).Expect(t, 200)
	var list struct{ Items []struct{ ID string } }
	p.Admin(t, http.MethodGet, "/admin/sso/providers", nil).Expect(t, 200).Into(t, &list)
	id := list.Items[0].ID
	s.try(t, idp, map[string][]string{"mail": {"ann@acme.example"}})
	if s.blocked(t) != "" {
		t.Fatal(s.blocked(t))
	}
	// The developer goes live by hand, somebody comes, and it is switched off.
	for _, disabled := range []bool{false, true} {
		p.Admin(t, http.MethodPut, "/admin/sso/providers/"+id, map[string]any{"disabled": disabled}).Expect(t, 200)
	}
	zoe := p.SignUp(t, "zoe@acme.example", "correct horse")
	if _, err := servertest.Connect(t, p.AdminURL(t)).Exec(t.Context(), `INSERT INTO auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
		VALUES ('zoe', $1, '{"sub":"zoe"}', $2, now(), now())`, zoe.User.ID, "sso:"+id); err != nil {
		t.Fatal(err)
	}
	s.try(t, idp, map[string][]string{"mail": {"bob@acme.example"}})
	wantCode(t, s.ask(t, http.MethodPost, "/finish", map[string]any{"intent": "sso"}), "409 sso_provider_in_use")
	other := samltest.New(t, "https://other.example", time.Now())
	wantCode(t, s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": other.Metadata("https://other.example")}), "409 sso_provider_in_use")
	// It ends with its connection.
	p.Admin(t, http.MethodDelete, "/admin/sso/providers/"+id, nil).Expect(t, 200)
	wantCode(t, s.ask(t, http.MethodPatch, "", map[string]any{"metadata_xml": other.Metadata("https://other.example")}), "404 setup_link_invalid")
}

package server_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/saml/samltest"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// ssoWorld is a project with a connection.
type ssoWorld struct {
	*testProject
	idp    *samltest.IdP
	id     string // of the connection
	domain string
}

// inSSO runs ask in the project of an ssoWorld, which the facts share.
func inSSO(ask func(c *call, p ssoWorld) *servertest.Answer) func(c *call) *servertest.Answer {
	return func(c *call) *servertest.Answer {
		c.Helper()
		return ask(c, shared(c.world, "sso", func() ssoWorld {
			w := ssoWorld{testProject: c.reeve.Project(c.world.tb, "sso", jsonObject{"saml_enabled": true}), domain: "acme.example"}
			w.idp = samltest.New(c.world.tb, "https://idp.example/acme", time.Now())
			w.id, _ = w.Admin(c.T, http.MethodPost, ssoProviders, connectionOf(w.idp.EntityID, w.domain, w.idp)).Expect(c.T, http.StatusCreated).JSON(c.T)["id"].(string)
			return w
		}))
	}
}

const ssoProviders = "/admin/sso/providers"

// connectionOf is the body that makes a connection.
func connectionOf(entity, domain string, idp *samltest.IdP) jsonObject {
	return jsonObject{
		"type": "saml", "metadata_xml": samltest.MetadataOf(entity, "https://idp.example", idp.Certificate), "domains": []string{domain},
		"attribute_mapping": jsonObject{"keys": jsonObject{"mail": jsonObject{"name": "mail"}}},
	}
}

// another is the body that makes a connection that there is not yet.
func (w ssoWorld) another(c *call) jsonObject {
	n := c.count.Add(1)
	return connectionOf(fmt.Sprintf("https://idp.example/%d", n), fmt.Sprintf("d%d.example", n), w.idp)
}

// made is the id of a new connection.
func (w ssoWorld) made(c *call) string {
	c.Helper()
	id, _ := w.Admin(c.T, http.MethodPost, ssoProviders, w.another(c)).Expect(c.T, http.StatusCreated).JSON(c.T)["id"].(string)
	return id
}

// signIn asks where a sign-in goes.
func signIn(body func(w ssoWorld) jsonObject) func(c *call) *servertest.Answer {
	return inSSO(func(c *call, p ssoWorld) *servertest.Answer {
		return c.do(p.testProject, http.MethodPost, "/sso", body(p))
	})
}

// atConnection administers a connection by the part of its path.
func atConnection(method, path string, body any) func(c *call) *servertest.Answer {
	return inSSO(func(c *call, p ssoWorld) *servertest.Answer {
		return c.admin(p.testProject, method, ssoProviders+"/"+path, body)
	})
}

const (
	// The members type, name and rules are Reeve's own.
	connectionShape = `{id uuid, disabled null, type =saml, name =, rules object, saml {entity_id text, metadata_xml text,
		attribute_mapping {keys {mail {name =mail}}}}, domains [{domain text}], created_at time, updated_at time}`
	ssoQuery     = `{SAMLRequest text, RelayState uuid, SigAlg =http://www.w3.org/2001/04/xmldsig-more#rsa-sha256, Signature text}`
	signedSHA256 = "requests are signed with SHA-256"
)

var ssoFacts = []fact{
	{
		name: "sso by domain, opened by an app", status: 200, body: `{url text}`, deviates: signedSHA256,
		ask: signIn(func(w ssoWorld) jsonObject { return jsonObject{"domain": w.domain, "skip_http_redirect": true} }),
	},
	{
		name: "sso by domain", status: 303, to: redirectTo{url: "https://idp.example/sso", query: ssoQuery}, deviates: signedSHA256,
		ask: signIn(func(w ssoWorld) jsonObject { return jsonObject{"domain": w.domain} }),
	},
	{
		name: "sso by id", status: 303, to: redirectTo{url: "https://idp.example/sso", query: ssoQuery}, deviates: signedSHA256,
		ask: signIn(func(w ssoWorld) jsonObject { return jsonObject{"provider_id": w.id} }),
	},
	{name: "sso, no domain", status: 400, code: "validation_failed", ask: signIn(func(ssoWorld) jsonObject { return jsonObject{} })},
	{
		name: "sso, domain and id", status: 400, code: "validation_failed",
		ask: signIn(func(w ssoWorld) jsonObject { return jsonObject{"domain": w.domain, "provider_id": w.id} }),
	},
	{
		name: "sso, unknown domain", status: 404, code: "sso_provider_not_found",
		ask: signIn(func(ssoWorld) jsonObject { return jsonObject{"domain": "nope.example"} }),
	},
	{
		name: "sso, unknown id", status: 404, code: "sso_provider_not_found",
		ask: signIn(func(ssoWorld) jsonObject { return jsonObject{"provider_id": uuid.NewString()} }),
	},
	{
		name: "sso, SAML is off", status: 404, code: "saml_provider_disabled",
		ask: func(c *call) *servertest.Answer {
			return c.do(c.auto, http.MethodPost, "/sso", jsonObject{"domain": "acme.example"})
		},
	},
	{
		name: "saml acs, nothing", status: 303,
		to: redirectTo{url: site, query: `{error =invalid_request, error_code =validation_failed, error_description text}`},
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.bare(p.testProject, http.MethodPost, "/sso/saml/acs", jsonObject{})
		}),
	},
	{
		name: "admin sso list, nothing", status: 200, body: `{items []}`,
		ask: func(c *call) *servertest.Answer { return c.admin(c.auto, http.MethodGet, ssoProviders, nil) },
	},
	{
		name: "admin sso list", status: 200, body: `{items [` + connectionShape + `]}`,
		ask: with(jsonObject{"saml_enabled": true}, func(c *call, p *testProject) *servertest.Answer {
			idp := samltest.New(c.T, "https://idp.example/listed", time.Now())
			p.Admin(c.T, http.MethodPost, ssoProviders, connectionOf(idp.EntityID, "listed.example", idp)).Expect(c.T, http.StatusCreated)
			return c.admin(p, http.MethodGet, ssoProviders, nil)
		}),
	},
	{
		name: "admin sso create", status: 201, body: connectionShape,
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPost, ssoProviders, p.another(c))
		}),
	},
	{
		name: "admin sso create, bad metadata", status: 400, code: "validation_failed", deviates: "bad metadata is the client's error",
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPost, ssoProviders, jsonObject{"type": "saml", "metadata_xml": "<x/>", "domains": []string{"a.example"}})
		}),
	},
	{
		name: "admin sso create, no metadata", status: 400, code: "validation_failed",
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPost, ssoProviders, jsonObject{"type": "saml"})
		}),
	},
	{
		name: "admin sso create, a provider that there is", status: 422, code: "saml_idp_already_exists",
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPost, ssoProviders, connectionOf(p.idp.EntityID, "free.example", p.idp))
		}),
	},
	{
		name: "admin sso create, a domain of another", status: 422, code: "sso_domain_already_exists",
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPost, ssoProviders, connectionOf("https://idp.example/other", p.domain, p.idp))
		}),
	},
	{
		name: "admin sso get", status: 200, body: connectionShape,
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodGet, ssoProviders+"/"+p.id, nil)
		}),
	},
	{name: "admin sso get, unknown", status: 404, code: "sso_provider_not_found", ask: atConnection(http.MethodGet, uuid.NewString(), nil)},
	{name: "admin sso get, no id", status: 404, code: "sso_provider_not_found", ask: atConnection(http.MethodGet, "x", nil)},
	{
		name: "admin sso update", status: 200, body: connectionShape,
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			domains := []string{fmt.Sprintf("d%d.example", c.count.Add(1))}
			return c.admin(p.testProject, http.MethodPut, ssoProviders+"/"+p.made(c), jsonObject{"domains": domains})
		}),
	},
	{
		name: "admin sso update, metadata of another", status: 422, code: "saml_entity_id_mismatch",
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodPut, ssoProviders+"/"+p.id, jsonObject{"metadata_xml": p.another(c)["metadata_xml"]})
		}),
	},
	{name: "admin sso update, unknown", status: 404, code: "sso_provider_not_found", ask: atConnection(http.MethodPut, uuid.NewString(), jsonObject{"domains": []string{}})},
	{
		name: "admin sso delete", status: 200, body: connectionShape,
		ask: inSSO(func(c *call, p ssoWorld) *servertest.Answer {
			return c.admin(p.testProject, http.MethodDelete, ssoProviders+"/"+p.made(c), nil)
		}),
	},
	{name: "admin sso delete, unknown", status: 404, code: "sso_provider_not_found", ask: atConnection(http.MethodDelete, uuid.NewString(), nil)},
}

// testSAMLMetadata: the project's metadata is XML for anybody, and says where it is.
func testSAMLMetadata(t *testing.T, w *world) {
	inSSO(func(c *call, p ssoWorld) *servertest.Answer {
		a := c.bare(p.testProject, http.MethodGet, "/sso/saml/metadata", nil).Expect(t, http.StatusOK)
		var got struct {
			XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
			EntityID string   `xml:"entityID,attr"`
			Service  struct {
				ACS []struct {
					Binding  string `xml:"Binding,attr"`
					Location string `xml:"Location,attr"`
				} `xml:"AssertionConsumerService"`
			} `xml:"SPSSODescriptor"`
		}
		if err := xml.Unmarshal(a.Body, &got); err != nil {
			t.Fatalf("%v in %s", err, a.Body)
		}
		if !strings.HasSuffix(got.EntityID, "/auth/v1/sso/saml/metadata") || len(got.Service.ACS) == 0 ||
			!strings.HasSuffix(got.Service.ACS[0].Location, "/auth/v1/sso/saml/acs") || got.Service.ACS[0].Binding != "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" {
			t.Errorf("%+v", got)
		}
		if kind, cache := a.Header.Get("Content-Type"), a.Header.Get("Cache-Control"); kind != "application/xml" || cache != "public, max-age=600" || a.Header.Get("Content-Disposition") != "" {
			t.Errorf("%v", a.Header)
		}
		download := c.bare(p.testProject, http.MethodGet, "/sso/saml/metadata?download=true", nil).Expect(t, http.StatusOK)
		if got := download.Header.Get("Content-Disposition"); got != `attachment; filename="metadata.xml"` && got != "attachment; filename=metadata.xml" {
			t.Errorf("Content-Disposition: %s", got)
		}
		return a
	})(&call{T: t, world: w})
}

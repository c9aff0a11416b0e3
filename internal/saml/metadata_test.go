package saml_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/saml"
	"github.com/reevehq/reeve/internal/saml/samltest"
)

func TestMetadata(t *testing.T) {
	p := samltest.New(t, "https://idp.example/metadata", now)
	doc := p.Metadata("https://idp.example")
	m, err := saml.ParseMetadata([]byte("\xef\xbb\xbf<?xml version=\"1.0\"?><!-- of a tool -->"+doc), "", now)
	if err != nil {
		t.Fatal(err)
	}
	if m.EntityID != p.EntityID || m.SSO != "https://idp.example/sso" || m.Logout == nil || m.Logout.Location != "https://idp.example/slo" || len(m.Certificates) != 1 {
		t.Errorf("%+v", m)
	}
	expired := samltest.Certificate(t, p.Key, now.Add(-2*time.Hour), now.Add(-time.Hour))
	weakKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := samltest.Certificate(t, weakKey, now.Add(-time.Hour), now.Add(time.Hour))
	if m, err := saml.ParseMetadata([]byte(samltest.MetadataOf("x", "https://idp.example", expired, p.Certificate)), "", now); err != nil || len(m.Certificates) != 1 {
		t.Errorf("%+v, %v", m, err) // an old certificate beside the current one
	}
	list := `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + doc + samltest.MetadataOf("https://two.example", "https://two.example", p.Certificate) + `</EntitiesDescriptor>`
	if m, err := saml.ParseMetadata([]byte(list), "https://two.example", now); err != nil || m.EntityID != "https://two.example" {
		t.Errorf("%+v, %v", m, err)
	}
	for name, c := range map[string]struct{ doc, says string }{
		"HTML":                    {"<!DOCTYPE html><html></html>", "web page"},
		"nothing":                 {"", "cannot be read"},
		"not XML":                 {"{}", "cannot be read"},
		"another document":        {`<x xmlns="urn:x"/>`, "no SAML metadata"},
		"an entity":               {`<!DOCTYPE x [<!ENTITY e "y">]>` + doc, "document type"},
		"expired certificate":     {samltest.MetadataOf("x", "https://idp.example", expired), "expired"},
		"weak certificate":        {samltest.MetadataOf("x", "https://idp.example", weak), "1024 bits"},
		"no certificate":          {samltest.MetadataOf("x", "https://idp.example"), "no certificate"},
		"no name":                 {samltest.MetadataOf("", "https://idp.example", p.Certificate), "entityID"},
		"script as an address":    {samltest.MetadataOf("x", "javascript:alert(1)//", p.Certificate), "not one of a web page"},
		"expired metadata":        {strings.Replace(doc, "<EntityDescriptor ", `<EntityDescriptor validUntil="2020-01-01T00:00:00Z" `, 1), "expired on 2020-01-01"},
		"several":                 {list, "2 identity providers"},
		"of a service":            {strings.NewReplacer("IDPSSODescriptor", "SPSSODescriptor").Replace(doc), "service provider"},
		"SAML 1":                  {strings.Replace(doc, `protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"`, `protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"`, 1), "SAML 2.0"},
		"without redirect":        {strings.Replace(doc, `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"`, `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP"`, 1), "HTTP-Redirect"},
		"certificate not base64":  {strings.Replace(doc, "<ds:X509Certificate>", "<ds:X509Certificate>%%", 1), "not base64"},
		"certificate of nonsense": {strings.Replace(doc, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA", 1), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := saml.ParseMetadata([]byte(c.doc), "", now)
			var r *saml.Refusal
			if !errors.As(err, &r) || r.Check != saml.CheckMetadata || !strings.Contains(r.Reason, c.says) {
				t.Errorf("%+v, %v, want %q", m, err, c.says)
			}
		})
	}
}

// TestOwnMetadata: what the service says of itself is what a provider reads.
func TestOwnMetadata(t *testing.T) {
	s := newService(t)
	raw, err := s.Metadata([]string{"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{s.EntityID, s.ACS, s.Logout, `WantAssertionsSigned="true"`, `use="encryption"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
	if _, err := saml.ParseMetadata(raw, "", now); err == nil || !strings.Contains(err.Error(), "service provider") {
		t.Errorf("read as a provider's: %v", err)
	}
}

func FuzzMetadata(f *testing.F) {
	p := samltest.New(f, "https://idp.example/metadata", now)
	f.Add([]byte(p.Metadata("https://idp.example")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := saml.ParseMetadata(raw, "", now)
		if err == nil && (m.EntityID == "" || m.SSO == "" || len(m.Certificates) == 0) {
			t.Errorf("%+v", m)
		}
	})
}

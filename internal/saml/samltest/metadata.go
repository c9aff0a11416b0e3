package samltest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// Metadata returns the metadata of the provider, with its addresses under base.
func (p *IdP) Metadata(base string) string {
	return MetadataOf(p.EntityID, base, p.Certificate)
}

// MetadataOf is Metadata of any provider.
func MetadataOf(entityID, base string, certs ...*x509.Certificate) string {
	var keys strings.Builder
	for _, c := range certs {
		_, _ = fmt.Fprintf(&keys, `<KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>`,
			base64.StdEncoding.EncodeToString(c.Raw))
	}
	return fmt.Sprintf(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">`+
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">%s`+
		`<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%s/slo"/>`+
		`<NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>`+
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%s/sso"/>`+
		`</IDPSSODescriptor></EntityDescriptor>`, entityID, keys.String(), base, base)
}

// EncryptionKey returns the key for encryption of a service provider's metadata.
func EncryptionKey(t testing.TB, metadata []byte) *rsa.PublicKey {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(metadata); err != nil {
		t.Fatal(err)
	}
	el := doc.FindElement("//KeyDescriptor[@use='encryption']//X509Certificate")
	if el == nil {
		t.Fatalf("no key in %s", metadata)
	}
	der, err := base64.StdEncoding.DecodeString(el.Text())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		t.Fatal("not RSA")
	}
	return key
}

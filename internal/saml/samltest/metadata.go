package samltest

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
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

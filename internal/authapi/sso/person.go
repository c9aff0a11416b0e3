package sso

import (
	"encoding/json"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/saml"
)

const (
	subjectID         = "urn:oasis:names:tc:SAML:attribute:subject-id"
	maxID             = 1024 // bytes
	formatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	formatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	formatEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
)

// addressNames are the statements in which identity providers give the address, if the
// connection's mapping names none.
var addressNames = []string{
	"urn:oid:0.9.2342.19200300.100.1.3",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
	"http://schemas.xmlsoap.org/claims/EmailAddress",
	"mail", "Mail", "email",
}

// personOf is whom an assertion describes. auth.ErrSAMLAssertionNoUserID for an
// assertion whose name of the user is different each time, auth.ErrSAMLAssertionNoEmail.
func personOf(p *auth.SSOProvider, a *saml.Assertion) (who users.ProviderUser, err error) {
	if want := p.SAML.NameIDFormat; want != "" && want != formatUnspecified && want != a.NameID.Format {
		// Whoever can ask the provider for another name must not become another user.
		return who, auth.ErrSAMLAssertionNoUserID.Saying("The Name ID has another format than the connection asks for")
	}
	id := first(a, subjectID)
	if id == "" && a.NameID.Format != formatTransient {
		id = a.NameID.Value
	}
	if id == "" || len(id) > maxID {
		return who, auth.ErrSAMLAssertionNoUserID
	}
	claims := mapped(p, a)
	address, _ := claims["email"].(string)
	for _, name := range addressNames {
		if address == "" {
			address = first(a, name)
		}
	}
	if address == "" && a.NameID.Format == formatEmail {
		address = a.NameID.Value
	}
	email, err := auth.NormalizeEmail(address)
	if err != nil || email == "" {
		return who, auth.ErrSAMLAssertionNoEmail.Because(err)
	}
	data := map[string]any{
		"iss": a.Issuer, "email": email, "email_verified": true, "phone_verified": false, "custom_claims": claims,
	}
	return users.ProviderUser{
		Identity: users.Identity{Provider: p.Provider(), ProviderID: id, Data: data}, Email: email, Verified: true,
	}, nil
}

// mapped returns the claims that the connection's mapping makes of the statements.
func mapped(p *auth.SSOProvider, a *saml.Assertion) map[string]any {
	var m auth.AttributeMapping
	_ = json.Unmarshal(p.SAML.AttributeMapping, &m) // SQL may have written anything
	claims := map[string]any{}
	for key, to := range m.Keys {
		values := lookUp(a, append([]string{to.Name}, to.Names...))
		switch {
		case len(values) > 0 && to.Array:
			claims[key] = values
		case len(values) > 0:
			claims[key] = values[0]
		case to.Default != nil:
			claims[key] = to.Default
		}
	}
	return claims
}

// lookUp returns the values of the first of the names that the provider states. A
// friendly name, which any statement can have, counts where no statement has the name.
func lookUp(a *saml.Assertion, names []string) []string {
	for _, name := range names {
		if name == "" {
			continue
		}
		for _, of := range []func(saml.Attribute) string{
			func(at saml.Attribute) string { return at.Name }, func(at saml.Attribute) string { return at.FriendlyName },
		} {
			for _, at := range a.Attributes {
				if of(at) == name && len(at.Values) > 0 {
					return at.Values
				}
			}
		}
	}
	return nil
}

func first(a *saml.Assertion, name string) string {
	for _, v := range lookUp(a, []string{name}) {
		return v
	}
	return ""
}

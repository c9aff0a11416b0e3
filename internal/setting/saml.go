package setting

// SAML is sign-in by SAML 2.0.
type SAML struct {
	SAMLEnabled   bool
	SAMLEncrypted bool // assertions are accepted encrypted
	// SAMLExternalURL is by which address identity providers know the project's auth API;
	// "" for its own.
	SAMLExternalURL string
}

// saml is single sign-on with SAML 2.0.
func saml() Group {
	return Group{Title: "SAML", Settings: []Setting{
		{
			Name: "saml_enabled", Kind: Bool, Public: "saml_enabled",
			Field:  func(c *Config) any { return &c.SAMLEnabled },
			Effect: "Users can sign in by enterprise connections with SAML 2.0. See [enterprise SSO](sso.md).",
		},
		{
			Name: "saml_external_url", Kind: Text, MaxLength: maxURL, Format: samlURL,
			Field:  func(c *Config) any { return &c.SAMLExternalURL },
			Effect: "The address of the project's auth API, ending in `/auth/v1`, by which its SAML metadata names it; empty for the project's own. Set it to the former address when the address changes, so that identity providers need no change. Messages to either are accepted.",
		},
		{
			Name: "saml_allow_encrypted_assertions", Kind: Bool,
			Field:  func(c *Config) any { return &c.SAMLEncrypted },
			Effect: "Encrypted assertions of identity providers are accepted. The project's SAML metadata has the key to encrypt for.",
		},
	}}
}

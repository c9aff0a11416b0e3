package setting

// SAML is sign-in by SAML 2.0.
type SAML struct {
	SAMLEnabled   bool
	SAMLEncrypted bool // assertions are accepted encrypted
}

// saml is single sign-on with SAML 2.0.
func saml() Group {
	return Group{Title: "SAML", Settings: []Setting{
		{
			Name: "saml_enabled", Kind: Bool, Public: "saml_enabled",
			Field:  func(c *Config) any { return &c.SAMLEnabled },
			Effect: "Users can sign in by enterprise connections with SAML 2.0. See [enterprise SSO](sso.md).",
		},
		{Name: "saml_external_url", Kind: Text},
		{
			Name: "saml_allow_encrypted_assertions", Kind: Bool,
			Field:  func(c *Config) any { return &c.SAMLEncrypted },
			Effect: "Encrypted assertions of identity providers are accepted. The project's SAML metadata has the key to encrypt for.",
		},
	}}
}

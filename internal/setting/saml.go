package setting

// saml is single sign-on with SAML 2.0.
func saml() Group {
	return Group{Title: "SAML", Settings: []Setting{
		{Name: "saml_enabled", Kind: Bool, Public: "saml_enabled"},
		{Name: "saml_external_url", Kind: Text},
		{Name: "saml_allow_encrypted_assertions", Kind: Bool},
	}}
}

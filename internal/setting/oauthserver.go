package setting

// oauthServer is the project as an OAuth 2.1 authorization server.
func oauthServer() Group {
	return Group{Title: "OAuth server", Settings: []Setting{
		{Name: "oauth_server_enabled", Kind: Bool},
		{Name: "oauth_server_allow_dynamic_registration", Kind: Bool},
		{Name: "oauth_server_authorization_path", Kind: Text, Default: "/oauth/consent"},
	}}
}

package setting

// provider is an external identity provider, and which settings the reference
// has for it beside its client and whether it is on.
type provider struct {
	name          string
	public        string // its member of external in /auth/v1/settings
	url           bool   // has its own address at each customer
	moreClients   bool   // takes tokens that were issued to further clients
	skipNonce     bool   // can leave out the check of the nonce
	emailRequired bool   // has no choice to do without an address
}

// providers are the sign-ins at external identity providers.
func providers() Group {
	g := Group{Title: "External providers"}
	for _, p := range []provider{
		{name: "apple", public: "apple", moreClients: true},
		{name: "azure", public: "azure", url: true},
		{name: "bitbucket", public: "bitbucket"},
		{name: "discord", public: "discord"},
		{name: "facebook", public: "facebook"},
		{name: "figma", public: "figma"},
		{name: "github", public: "github"},
		{name: "gitlab", public: "gitlab", url: true},
		{name: "google", public: "google", moreClients: true, skipNonce: true},
		{name: "kakao", public: "kakao"},
		{name: "keycloak", public: "keycloak", url: true},
		{name: "linkedin_oidc", public: "linkedin_oidc"},
		{name: "notion", public: "notion"},
		{name: "slack", public: "slack"},
		{name: "slack_oidc", public: "slack_oidc"},
		{name: "spotify", public: "spotify"},
		{name: "twitch", public: "twitch"},
		{name: "twitter", public: "twitter"},
		{name: "workos", public: "workos", url: true, emailRequired: true},
		{name: "x"}, // not in the reference
		{name: "zoom", public: "zoom"},
	} {
		g.Settings = append(g.Settings, p.settings()...)
	}
	g.Settings = append(g.Settings,
		Setting{Name: "custom_oauth_enabled", Kind: Bool},
		Setting{Name: "custom_oauth_max_providers", Kind: Integer, Default: 0},
		Setting{Name: "nimbus_oauth_client_id", Kind: Text},
		Setting{Name: "nimbus_oauth_client_secret", Kind: Text, Secret: true, MaxLength: maxSecret},
		Setting{Name: "nimbus_oauth_email_optional", Kind: Bool},
	)
	return g
}

func (p provider) settings() []Setting {
	prefix := "external_" + p.name
	enabled := Setting{Name: prefix + "_enabled", Kind: Bool}
	if p.public != "" {
		enabled.Public = "external." + p.public
	}
	out := []Setting{
		enabled,
		{Name: prefix + "_client_id", Kind: Text},
		{Name: prefix + "_secret", Kind: Text, Secret: true, MaxLength: maxSecret},
	}
	if p.moreClients {
		out = append(out, Setting{Name: prefix + "_additional_client_ids", Kind: Text})
	}
	if p.url {
		out = append(out, Setting{Name: prefix + "_url", Kind: Text})
	}
	if p.skipNonce {
		out = append(out, Setting{Name: prefix + "_skip_nonce_check", Kind: Bool})
	}
	if !p.emailRequired {
		out = append(out, Setting{Name: prefix + "_email_optional", Kind: Bool})
	}
	return out
}

package setting

import (
	"fmt"
	"slices"
	"strings"
)

// providerKind is an external identity provider, and which settings it has
// beside its client and whether it is on.
type providerKind struct {
	name          string
	hidden        bool // not a member of external in /auth/v1/settings
	url           bool // may have an address of its own at each customer
	urlRequired   bool // has no common address
	moreClients   bool // takes tokens that were issued to further clients
	skipNonce     bool // can leave out the check of the nonce
	emailRequired bool // has no choice to do without an address
	// idTokens says that apps may sign in with an ID token, for which no secret is
	// needed.
	idTokens bool
}

// providerKinds are all providers. The settings of fly, linkedin, snapchat and
// vercel_marketplace are not in the reference's config/auth.
var providerKinds = []providerKind{
	{name: "apple", moreClients: true, idTokens: true},
	{name: "azure", url: true, idTokens: true},
	{name: "bitbucket"},
	{name: "discord"},
	{name: "facebook", idTokens: true},
	{name: "figma"},
	{name: "fly"},
	{name: "github"},
	{name: "gitlab", url: true},
	{name: "google", moreClients: true, skipNonce: true, idTokens: true},
	{name: "kakao", idTokens: true},
	{name: "keycloak", url: true, urlRequired: true, idTokens: true},
	{name: "linkedin"},
	{name: "linkedin_oidc"},
	{name: "notion"},
	{name: "slack"},
	{name: "slack_oidc"},
	{name: "snapchat", idTokens: true},
	{name: "spotify"},
	{name: "twitch"},
	{name: "twitter"},
	{name: "vercel_marketplace", hidden: true, idTokens: true},
	{name: "workos", url: true, emailRequired: true},
	{name: "x", hidden: true},
	{name: "zoom"},
}

// Providers is what projects set for sign-ins at external identity providers,
// secrets apart. Few projects set any of it, and each process keeps the settings
// of many projects, so it is packed; see Config.Provider.
type Providers struct {
	// A bit each, by the provider's place in providerKinds.
	on, emailOptional, skipNonce uint32
	// texts has the name and the value of each text that is not empty, sorted by
	// name, each followed by a zero byte.
	texts string

	CustomOAuthEnabled      bool
	CustomOAuthMaxProviders int
}

// Provider is a project's registration at an external identity provider.
type Provider struct {
	Name          string
	Enabled       bool
	ClientID      string
	MoreClientIDs []string // to which ID tokens may be issued too
	Secret        string   // the name of the client secret in Secrets
	URL           string   // of the provider, where a project may choose it; else ""
	EmailOptional bool     // a user without address may sign in
	// SkipNonceCheck accepts ID tokens whatever their nonce is.
	SkipNonceCheck bool
}

// ProviderNames returns the names of all external identity providers.
func ProviderNames() []string {
	out := make([]string, len(providerKinds))
	for i, p := range providerKinds {
		out[i] = p.name
	}
	return out
}

// Provider returns the project's registration at a provider; ok is false for a
// name that is not among ProviderNames.
func (c *Config) Provider(name string) (p Provider, ok bool) {
	i := slices.IndexFunc(providerKinds, func(k providerKind) bool { return k.name == name })
	if i < 0 {
		return Provider{}, false
	}
	k, bit := providerKinds[i], uint32(1)<<i
	ids := splitIDs(c.text(k.setting("client_id")) + "," + c.text(k.setting("additional_client_ids")))
	p = Provider{
		Name: name, Enabled: c.on&bit != 0, Secret: k.setting("secret"), URL: strings.TrimRight(c.text(k.setting("url")), "/"),
		EmailOptional: c.emailOptional&bit != 0, SkipNonceCheck: c.skipNonce&bit != 0,
	}
	if len(ids) > 0 {
		p.ClientID, p.MoreClientIDs = ids[0], ids[1:]
	}
	return p, true
}

// splitIDs splits a list of client ids at its commas.
func splitIDs(list string) (out []string) {
	for id := range strings.SplitSeq(list, ",") {
		if id = strings.TrimSpace(id); id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// text returns the value of a packed text.
func (p *Providers) text(name string) string {
	rest := p.texts
	for rest != "" {
		var n, value string
		n, rest, _ = strings.Cut(rest, "\x00")
		value, rest, _ = strings.Cut(rest, "\x00")
		if n == name {
			return value
		}
	}
	return ""
}

// setText replaces the value of a packed text.
func (p *Providers) setText(name, value string) {
	value = strings.ReplaceAll(value, "\x00", "")
	if p.text(name) == value {
		return
	}
	parts := strings.Split(strings.TrimSuffix(p.texts, "\x00"), "\x00")
	pairs := []string{}
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i] != name {
			pairs = append(pairs, parts[i]+"\x00"+parts[i+1]+"\x00")
		}
	}
	if value != "" {
		pairs = append(pairs, name+"\x00"+value+"\x00")
	}
	slices.Sort(pairs)
	p.texts = strings.Join(pairs, "")
}

func (k providerKind) setting(end string) string { return "external_" + k.name + "_" + end }

// providers are the sign-ins at external identity providers.
func providers() Group {
	g := Group{Title: "External providers", Rules: []Rule{
		{
			Text: "An enabled provider needs its client id, and its secret unless apps sign in there with ID tokens alone " +
				"(" + idTokenProviders() + "). Keycloak needs its URL. See [providers](providers.md).",
			Check: enabledProviders,
		},
	}}
	for i, k := range providerKinds {
		g.Settings = append(g.Settings, k.settings(uint32(1)<<i)...)
	}
	g.Settings = append(g.Settings,
		Setting{
			Name: "custom_oauth_enabled", Kind: Bool, Default: true,
			Field:  func(c *Config) any { return &c.CustomOAuthEnabled },
			Effect: "Lets users sign in at the project's custom providers.",
		},
		Setting{
			Name: "custom_oauth_max_providers", Kind: Integer, Default: 0, Min: 0, Max: 100,
			Field:  func(c *Config) any { return &c.CustomOAuthMaxProviders },
			Effect: "The most custom providers that the project may have; 0 for 100.",
		},
		Setting{Name: "nimbus_oauth_client_id", Kind: Text},
		Setting{Name: "nimbus_oauth_client_secret", Kind: Text, Secret: true, MaxLength: maxSecret},
		Setting{Name: "nimbus_oauth_email_optional", Kind: Bool},
	)
	return g
}

func idTokenProviders() string {
	var names []string
	for _, k := range providerKinds {
		if k.idTokens {
			names = append(names, k.name)
		}
	}
	return strings.Join(names, ", ")
}

func (k providerKind) settings(bit uint32) []Setting {
	enabled := Setting{
		Name: k.setting("enabled"), Kind: Bool, packed: packedBit(bit, func(p *Providers) *uint32 { return &p.on }),
		Effect: "Lets users sign in at the provider.",
	}
	if !k.hidden {
		enabled.Public = "external." + k.name
	}
	out := []Setting{
		enabled,
		k.text("client_id", maxURL, nil, "Client id at the provider. Further ids after commas may be the audience of ID tokens."),
		{
			Name: k.setting("secret"), Kind: Text, Secret: true, MaxLength: maxSecret,
			Effect: "Client secret at the provider.",
		},
	}
	if k.moreClients {
		out = append(out, k.text("additional_client_ids", maxURL, nil, "Further client ids, separated by commas, that may be the audience of ID tokens."))
	}
	if k.url {
		out = append(out, k.text("url", maxURL, optional(providerURL), "Address of the provider."))
	}
	if k.skipNonce {
		out = append(out, Setting{
			Name: k.setting("skip_nonce_check"), Kind: Bool, packed: packedBit(bit, func(p *Providers) *uint32 { return &p.skipNonce }),
			Effect: "Accepts ID tokens whatever their nonce is.",
		})
	}
	if !k.emailRequired {
		out = append(out, Setting{
			Name: k.setting("email_optional"), Kind: Bool, packed: packedBit(bit, func(p *Providers) *uint32 { return &p.emailOptional }),
			Effect: "Lets users sign in of whom the provider gives no e-mail address.",
		})
	}
	return out
}

// text is a packed text, which is null while it is empty.
func (k providerKind) text(end string, most int, format func(string) error, effect string) Setting {
	name := k.setting(end)
	return Setting{
		Name: name, Kind: Text, MaxLength: most, Format: format, Null: true, Effect: effect,
		packed: &packed{
			get: func(c *Config) any { return c.Providers.text(name) },
			set: func(c *Config, value any) { c.setText(name, value.(string)) },
		},
	}
}

func packedBit(bit uint32, of func(*Providers) *uint32) *packed {
	return &packed{
		get: func(c *Config) any { return *of(&c.Providers)&bit != 0 },
		set: func(c *Config, value any) {
			if value.(bool) {
				*of(&c.Providers) |= bit
			} else {
				*of(&c.Providers) &^= bit
			}
		},
	}
}

// enabledProviders refuses a provider that is on and cannot work.
func enabledProviders(c *Config, secrets Secrets) error {
	for _, k := range providerKinds {
		if p, _ := c.Provider(k.name); !p.Enabled {
			continue
		}
		if missing := c.missingOf(k, secrets); len(missing) > 0 {
			return fmt.Errorf("%s: is required with %s", missing[0], k.setting("enabled"))
		}
	}
	return nil
}

// MissingOf returns the settings that sign-ins at a provider need and that are
// empty. A provider that a project defines itself needs none.
func (c *Config) MissingOf(provider string, secrets Secrets) []string {
	for _, k := range providerKinds {
		if k.name == provider {
			return c.missingOf(k, secrets)
		}
	}
	return nil
}

func (c *Config) missingOf(k providerKind, secrets Secrets) (missing []string) {
	p, _ := c.Provider(k.name)
	if p.ClientID == "" {
		missing = append(missing, k.setting("client_id"))
	}
	if !k.idTokens && secrets[p.Secret] == "" {
		missing = append(missing, k.setting("secret"))
	}
	if k.urlRequired && p.URL == "" {
		missing = append(missing, k.setting("url"))
	}
	return missing
}

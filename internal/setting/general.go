package setting

import "strings"

// General is where links may lead and who may sign up.
type General struct {
	SiteURL        string
	URIAllowList   string // comma separated globs
	ManualLinking  bool
	AnonymousUsers bool
	DisableSignup  bool
	// AnonymousUsersMaxDays is after how many days without activity anonymous users
	// are deleted; 0 for never.
	AnonymousUsersMaxDays int
}

func general() Group {
	return Group{Title: "General", Settings: []Setting{
		{
			Name: "site_url", Kind: Text, Default: "http://localhost:3000", MaxLength: maxURL, Format: siteURL,
			Field:  func(c *Config) any { return &c.SiteURL },
			Effect: "Where links in mails lead unless the request names another address. An http or https URL.",
		},
		{
			Name: "uri_allow_list", Kind: Text, MaxLength: 4096, Lines: true, Format: allowList,
			Field:  func(c *Config) any { return &c.URIAllowList },
			Effect: "Further addresses that links may lead to: URLs with `*`, `**` and `?`, separated by commas. See [redirects](auth.md#redirects).",
		},
		{
			Name: "disable_signup", Kind: Bool, Public: "disable_signup",
			Field:  func(c *Config) any { return &c.DisableSignup },
			Effect: "Refuses new users, except those that an admin creates or invites.",
		},
		{
			Name: "external_anonymous_users_enabled", Kind: Bool, Public: "external.anonymous_users",
			Field:  func(c *Config) any { return &c.AnonymousUsers },
			Effect: "Lets people sign in without any credentials, as [anonymous users](auth.md#anonymous-users).",
		},
		{
			Name: "security_anonymous_users_max_age_days", Kind: Integer, Min: 0, Max: 3650,
			Field: func(c *Config) any { return &c.AnonymousUsersMaxDays },
			Effect: "Deletes anonymous users who were not active for this many days; 0 for never. " +
				"See [anonymous users](abuse.md#old-anonymous-users).",
		},
		{
			Name: "security_manual_linking_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.ManualLinking },
			Effect: "Lets users link further sign-ins to their account, and unlink them.",
		},
	}}
}

// AllowList splits URIAllowList into its globs.
func (c *Config) AllowList() []string {
	var out []string
	for part := range strings.SplitSeq(c.URIAllowList, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

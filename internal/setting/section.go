package setting

import "strings"

// Section is settings that belong together for people: on a page of a dashboard.
// Group is where they are declared.
type Section struct {
	ID, Title string
	Settings  []Setting
	Rules     []string // sentences about settings of the section
}

// sections is the order of the sections, and which groups are in them.
var sections = []struct{ id, title, group string }{
	{"urls", "URLs", ""},
	{"sign_up", "Sign-up", "General"},
	{"email", "E-mail", "E-mail"},
	{"email_domains", "Domains of addresses", "Domains of addresses"},
	{"phone", "Phone", "Phone"},
	{"passwords", "Passwords", "Passwords"},
	{"mfa", "Multi-factor authentication", "Multi-factor authentication"},
	{"passkeys", "Passkeys", "Passkeys"},
	{"sessions", "Sessions", "Sessions"},
	{"tokens", "Tokens", "Tokens"},
	{"rate_limits", "Rate limits", "Limits"},
	{"captcha", "Captcha", "Captcha"},
	{"smtp", "SMTP", "SMTP"},
	{"templates", "Mail templates", "Mail templates"},
	{"notifications", "Notification mails", "Notification mails"},
	{"providers", "External providers", "External providers"},
	{"saml", "SAML", "SAML"},
	{"web3", "Web3", "Web3"},
	{"hooks", "Hooks", "Hooks"},
	{"oauth_server", "OAuth server", "OAuth server"},
	{"api_keys", "API keys", ""},
	{"server", "Server", "Server"},
}

// elsewhere are settings whose section is not that of their group.
var elsewhere = map[string]string{
	"site_url": "urls", "uri_allow_list": "urls", "security_leaked_keys_revoked": "api_keys", "rate_limit_web3": "web3",
}

// Sections returns all settings by section. A setting of no known group is in
// sign_up.
func Sections() []Section {
	out := make([]Section, len(sections))
	place := map[string]int{}
	byGroup := map[string]string{}
	for i, s := range sections {
		out[i] = Section{ID: s.id, Title: s.title}
		place[s.id] = i
		byGroup[s.group] = s.id
	}
	for _, g := range declared.groups {
		id, known := byGroup[g.Title]
		if !known {
			id = "sign_up"
		}
		for _, r := range g.Rules {
			out[place[id]].Rules = append(out[place[id]].Rules, r.Text)
		}
		for _, s := range g.Settings {
			in := id
			if other := elsewhere[s.Name]; other != "" {
				in = other
			}
			out[place[in]].Settings = append(out[place[in]].Settings, s)
		}
	}
	return out
}

// Provider returns the external identity provider that the setting is of; "" for
// none.
func (s Setting) Provider() string {
	for _, k := range providerKinds {
		for _, end := range []string{"enabled", "client_id", "secret", "additional_client_ids", "url", "skip_nonce_check", "email_optional"} {
			if s.Name == k.setting(end) {
				return k.name
			}
		}
	}
	return ""
}

// Unit returns what an Integer or Number counts: "seconds", "hours", "days", or ""
// for things.
func (s Setting) Unit() string {
	switch {
	case s.Kind != Integer && s.Kind != Number:
		return ""
	case strings.HasSuffix(s.Name, "_days"), s.Name == "mfa_policy_grace_period":
		return "days"
	case s.Name == "sessions_timebox", s.Name == "sessions_inactivity_timeout", s.Name == "sessions_allow_low_aal":
		return "hours"
	case strings.HasSuffix(s.Name, "_exp"), strings.HasSuffix(s.Name, "_max_frequency"), strings.HasSuffix(s.Name, "_interval"),
		strings.HasSuffix(s.Name, "_duration"):
		return "seconds"
	}
	return ""
}

// acronyms are the words of names that are written in another way.
var acronyms = map[string]string{
	"id": "ID", "ids": "IDs", "url": "URL", "uri": "URL", "urls": "URLs", "otp": "OTP", "exp": "validity", "jwt": "JWT", "smtp": "SMTP",
	"sms": "SMS", "mfa": "MFA", "totp": "TOTP", "hibp": "leaked passwords", "sid": "SID", "api": "API", "saml": "SAML", "rp": "relying party",
	"pass": "password", "oauth": "OAuth", "oidc": "OIDC", "twilio": "Twilio", "vonage": "Vonage", "textlocal": "Textlocal",
	"messagebird": "MessageBird", "db": "database", "web": "Web", "authn": "Authn", "mailer": "mail", "sb": "Sb",
}

// Label is the name in words. The prefixes that a section shares are left out.
func (s Setting) Label() string {
	name := s.Name
	if p := s.Provider(); p != "" {
		name = strings.TrimPrefix(name, "external_"+p+"_")
	}
	for _, prefix := range []string{"security_", "external_", "mailer_", "rate_limit_", "smtp_", "hook_"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			name = rest
			break
		}
	}
	words := strings.Split(name, "_")
	for i, w := range words {
		if a := acronyms[w]; a != "" {
			words[i] = a
		}
	}
	label := strings.Join(words, " ")
	return strings.ToUpper(label[:1]) + label[1:]
}

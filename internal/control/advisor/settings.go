package advisor

import (
	"strings"

	"github.com/reevehq/reeve/tenants"
)

// Bounds of the lints of settings.
const (
	longOTP       = 3600 // seconds
	shortPassword = 8
)

// ofSettings returns the lints of a project's configuration.
func ofSettings(c tenants.Config) (out []Lint) {
	add := func(name, title, description, detail, remediation string) {
		out = append(out, Lint{
			Name: name, Title: title, Level: levelWarning, Facing: "EXTERNAL", Categories: []string{security},
			Description: description, Detail: detail, Remediation: remediation,
			Metadata: Metadata{Entity: "Auth", Type: "auth"}, CacheKey: name,
		})
	}
	if c.MailerOTPExp > longOTP {
		add("auth_otp_long_expiry", "Codes and links in mails are valid for long",
			"Whoever reads a mail later can still use its code or link.",
			"mailer_otp_exp is more than an hour.", "Set mailer_otp_exp to 3600 or less.")
	}
	if c.PasswordMinLength < shortPassword {
		add("password_requirements_min_length", "Passwords may be short",
			"Short passwords are guessed soon.",
			"password_min_length is less than 8.", "Set password_min_length to 8 or more.")
	}
	if c.PasswordRequiredCharacters == "" {
		add("auth_password_policy_missing", "Passwords need no particular characters",
			"Passwords of one group of characters are guessed sooner.",
			"password_required_characters is empty.", "Set password_required_characters, or a larger password_min_length.")
	}
	if !c.LeakedPasswords {
		add("auth_leaked_password_protection", "Leaked passwords are accepted",
			"Passwords that are known from data breaches are tried first.",
			"password_hibp_enabled is false.", "Set password_hibp_enabled to true.")
	}
	for _, glob := range c.AllowList() {
		if wide(glob) {
			add("auth_redirect_wildcard", "Links may lead to hosts of others",
				"Links in mails and sign-ins at providers end at an address of the list, with tokens in it.",
				"uri_allow_list has an entry with a host that anybody can register.",
				"Name the hosts in uri_allow_list; use wildcards for the path, or for subdomains of a domain of yours.")
			break
		}
	}
	return out
}

// wide reports whether a glob of the allow list admits hosts outside of one
// domain: its host has "**", which also matches dots and slashes, or ends within
// less than two labels after a wildcard.
func wide(glob string) bool {
	host := glob
	if scheme, rest, ok := strings.Cut(glob, "://"); ok {
		if !strings.HasPrefix(scheme, "http") && !strings.ContainsAny(scheme, "*?[{") {
			return false // the scheme of an app
		}
		host = rest
	}
	if i := strings.IndexAny(host, "/:#"); i >= 0 {
		host = host[:i]
	}
	if strings.Contains(host, "**") {
		return true
	}
	i := strings.LastIndex(host, "*")
	return i >= 0 && strings.Count(strings.Trim(host[i+1:], "."), ".") < 1
}

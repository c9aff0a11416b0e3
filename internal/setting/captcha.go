package setting

import (
	"errors"
	"strings"
)

// Captcha is a proof that a person asks.
type Captcha struct {
	CaptchaEnabled  bool
	CaptchaProvider string // hcaptcha or turnstile
	CaptchaSiteKey  string // public; for pages of Reeve's own
}

// CaptchaSecret names the secret key at the captcha's provider.
const CaptchaSecret = "security_captcha_secret"

func captcha() Group {
	return Group{Title: "Captcha", Settings: []Setting{
		{
			Name: "security_captcha_enabled", Kind: Bool,
			Field: func(c *Config) any { return &c.CaptchaEnabled },
			Effect: "Requires the token of a solved captcha for sign-up, sign-in with a password, and every request for a mail or " +
				"message. See [captcha](abuse.md#captcha).",
		},
		{
			Name: "security_captcha_provider", Kind: Text, OneOf: []string{"", "hcaptcha", "turnstile"}, Null: true,
			Field:  func(c *Config) any { return &c.CaptchaProvider },
			Effect: "Who makes the captcha.",
		},
		{
			Name: CaptchaSecret, Kind: Text, Secret: true, MaxLength: maxSecret,
			Effect: "Secret key of the site at that provider.",
		},
		{
			Name: "security_captcha_site_key", Kind: Text, MaxLength: 100,
			Field:  func(c *Config) any { return &c.CaptchaSiteKey },
			Effect: "Public key of the site there, which Reeve's own sign-in page shows the captcha with. Apps have it in their own pages.",
			Format: siteKey,
		},
	}, Rules: []Rule{
		{Text: "`security_captcha_provider` and `security_captcha_secret` are required with `security_captcha_enabled`.", Check: captchaComplete},
	}}
}

// siteKey accepts what the providers issue: it is a part of a page's script.
func siteKey(key string) error {
	if strings.ContainsFunc(key, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	}) {
		return errors.New("is not a site key: letters, digits, - and _ only")
	}
	return nil
}

func captchaComplete(c *Config, secrets Secrets) error {
	switch {
	case !c.CaptchaEnabled:
		return nil
	case c.CaptchaProvider == "":
		return errors.New("security_captcha_provider: is required with security_captcha_enabled")
	case secrets[CaptchaSecret] == "":
		return errors.New("security_captcha_secret: is required with security_captcha_enabled")
	}
	return nil
}

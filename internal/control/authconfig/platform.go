package authconfig

import (
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/setting"
)

// checkPlatform refuses a configuration of the platform project with which nobody
// could sign in to the installation any more: who could mend it is a person who is
// signed in.
func checkPlatform(c *setting.Config) error {
	if c.CaptchaEnabled && c.CaptchaSiteKey == "" {
		return text.Invalid("security_captcha_site_key: is required with security_captcha_enabled, because the dashboard's own sign-in page shows the captcha")
	}
	if c.ExternalEmailEnabled {
		return nil
	}
	for _, name := range setting.ProviderNames() {
		if p, ok := c.Provider(name); ok && p.Enabled {
			return nil
		}
	}
	return text.Invalid("external_email_enabled: it is the last way to sign in to this installation: turn a provider on first")
}

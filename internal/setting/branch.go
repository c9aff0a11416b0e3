package setting

import "strings"

// WithoutSecrets returns the settings of a copy of a project that gets none of
// its secrets: what needs one is off. The present secrets say what that is. The
// result passes CheckTogether without secrets if c passes it with them.
func (c Config) WithoutSecrets(present Secrets) Config {
	off := []string{"security_captcha_enabled", "smtp_host", "sms_provider"}
	for name := range present {
		if provider, ok := strings.CutSuffix(name, "_secret"); ok {
			off = append(off, provider+"_enabled") // of external_google_secret
		}
	}
	for _, name := range off {
		if s, ok := ByName(name); ok && s.Kept() {
			s.Set(&c, nil)
		}
	}
	return c
}

package advisor

import (
	"testing"

	"github.com/reevehq/reeve/tenants"
)

func TestOfSettings(t *testing.T) {
	t.Parallel()
	good := tenants.DefaultConfig()
	good.PasswordMinLength, good.LeakedPasswords = 10, true
	good.PasswordRequiredCharacters = "abc:123"
	good.URIAllowList = "https://*.example.com/**,http://localhost:*/**,myapp://**,https://app-*.vercel.app"
	if found := ofSettings(good); len(found) != 0 {
		t.Errorf("of sound settings: %+v", found)
	}
	for name, change := range map[string]func(*tenants.Config){
		"auth_otp_long_expiry":             func(c *tenants.Config) { c.MailerOTPExp = 3601 },
		"password_requirements_min_length": func(c *tenants.Config) { c.PasswordMinLength = 7 },
		"auth_password_policy_missing":     func(c *tenants.Config) { c.PasswordRequiredCharacters = "" },
		"auth_leaked_password_protection":  func(c *tenants.Config) { c.LeakedPasswords = false },
		"auth_redirect_wildcard":           func(c *tenants.Config) { c.URIAllowList = "https://example.com,https://**" },
	} {
		c := good
		change(&c)
		if found := ofSettings(c); len(found) != 1 || found[0].Name != name || found[0].CacheKey == "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestWide(t *testing.T) {
	t.Parallel()
	for glob, want := range map[string]bool{
		"**": true, "*": true, "https://*": true, "https://**": true, "http*://**": true, "*://*": true, "https://*.com/**": true,
		"https://example.com**": true, "https://example.com*": true, "https://**.example.com": true,
		"https://example.com/**": false, "https://*.example.com": false, "http://localhost:*/**": false, "http://localhost:3000": false,
		"myapp://**": false, "com.example.app:**": false, "https://preview-*.example.com/*": false, "*://example.com/**": false,
	} {
		if got := wide(glob); got != want {
			t.Errorf("wide(%q) = %v", glob, got)
		}
	}
}

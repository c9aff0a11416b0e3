package dashboard

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/setting"
)

// ConfigPath is the address of what a page needs to know before anybody signs in.
const ConfigPath = "/dashboard/config"

// What becomes of mails of the platform project.
const (
	MailSent     = "sent"
	MailCaptured = "captured" // in the project's inbox, for development
	MailUnsent   = "unsent"   // there is no mail server
)

// Config is what a page needs to know before anybody signs in. It is public, and
// the same for everybody.
type Config struct {
	Version string `json:"version" doc:"Of the server."`
	Dev     bool   `json:"dev" doc:"Whether this is reeve dev."`
	// FirstRun says that nobody has set up the installation.
	FirstRun bool   `json:"first_run" doc:"Whether nobody has an operator's account yet: the setup link makes one."`
	Mail     string `json:"mail" enum:"sent,captured,unsent" doc:"What becomes of mails to people who sign in: without a mail server they stay unsent."`
	Auth     Auth   `json:"auth"`
}

// Auth is the project at which people sign in.
type Auth struct {
	URL            string         `json:"url" doc:"The platform project's, for an SDK."`
	PublishableKey string         `json:"publishable_key" doc:"The platform project's, for an SDK."`
	SignUp         bool           `json:"sign_up" doc:"Whether anybody may sign up."`
	Confirm        bool           `json:"confirm_email" doc:"Whether a sign-up waits for the link that is mailed."`
	Methods        Methods        `json:"methods"`
	Passwords      PasswordPolicy `json:"passwords"`
	Captcha        string         `json:"captcha" enum:",hcaptcha,turnstile" doc:"Which captcha forms must solve; empty for none."`
	CaptchaSiteKey string         `json:"captcha_site_key" doc:"The site's public key at that captcha's provider; empty for none."`
}

// Methods are the ways to sign in.
type Methods struct {
	Email     bool     `json:"email" doc:"Address with a password, or with a mailed link or code."`
	Phone     bool     `json:"phone"`
	Passkeys  bool     `json:"passkeys" doc:"Sign-in with a passkey."`
	Providers []string `json:"providers" doc:"Names of the identity providers that are enabled."`
	// Custom are those that the project defines itself.
	Custom []CustomMethod `json:"custom" doc:"Identity providers that the project defines itself and that are enabled."`
}

// CustomMethod is an identity provider that the platform project defines itself.
type CustomMethod struct {
	Provider string `json:"provider" doc:"Such as custom:acme: what an SDK is told."`
	Name     string `json:"name" doc:"As people are shown it."`
}

// PasswordPolicy is what a new password must be.
type PasswordPolicy struct {
	MinLength          int      `json:"min_length" doc:"In characters."`
	MaxBytes           int      `json:"max_bytes"`
	RequiredCharacters []string `json:"required_characters" doc:"A password must have a character of each."`
	RefusesLeaked      bool     `json:"refuses_leaked" doc:"Passwords known from data breaches are refused."`
	CurrentRequired    bool     `json:"current_required" doc:"A change of the password asks for the current one."`
	// ReauthenticationRequired is about sessions older than a day.
	ReauthenticationRequired bool `json:"reauthentication_required" doc:"A change of the password in a session older than a day asks for a mailed nonce."`
}

// AuthOf returns what the settings of the platform project say.
func AuthOf(c *setting.Config) Auth {
	a := Auth{
		SignUp: !c.DisableSignup, Confirm: !c.MailerAutoconfirm,
		Methods:   Methods{Email: c.ExternalEmailEnabled, Phone: c.ExternalPhoneEnabled, Passkeys: c.PasskeyEnabled, Providers: []string{}, Custom: []CustomMethod{}},
		Passwords: passwordsOf(c),
	}
	if c.CaptchaEnabled {
		a.Captcha, a.CaptchaSiteKey = c.CaptchaProvider, c.CaptchaSiteKey
	}
	for _, name := range setting.ProviderNames() {
		if p, ok := c.Provider(name); ok && p.Enabled {
			a.Methods.Providers = append(a.Methods.Providers, name)
		}
	}
	return a
}

func passwordsOf(c *setting.Config) PasswordPolicy {
	rules := password.PolicyOf(c)
	p := PasswordPolicy{
		MinLength: rules.MinLength, MaxBytes: password.MaxBytes, RequiredCharacters: []string{}, RefusesLeaked: c.LeakedPasswords,
		CurrentRequired: c.CurrentPasswordForPassword, ReauthenticationRequired: c.ReauthenticateForPassword,
	}
	for _, group := range rules.RequiredCharacters {
		p.RequiredCharacters = append(p.RequiredCharacters, string(group))
	}
	return p
}

// ShowConfig answers what Configure returns. It is for GET, and needs no session.
func (h Handler) ShowConfig(w http.ResponseWriter, r *http.Request) error {
	if !h.Main(r.Host) {
		return errHost
	}
	c, err := h.Configure(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=10")
	return json.NewEncoder(w).Encode(c)
}

// Configurer returns the Config of an installation.
type Configurer func(context.Context) (Config, error)

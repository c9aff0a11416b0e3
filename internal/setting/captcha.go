package setting

// captcha is a proof that a person asks.
func captcha() Group {
	return Group{Title: "Captcha", Settings: []Setting{
		{Name: "security_captcha_enabled", Kind: Bool},
		{Name: "security_captcha_provider", Kind: Text, OneOf: []string{"hcaptcha", "turnstile"}},
		{Name: "security_captcha_secret", Kind: Text, Secret: true, MaxLength: maxSecret},
	}}
}

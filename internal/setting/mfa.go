package setting

// Factors is which second factors users can enroll and use.
type Factors struct {
	MaxFactors int
	TOTPEnroll bool
	TOTPVerify bool
	// A key of WebAuthn, for the party of Config.RelyingParty.
	WebAuthnEnroll bool
	WebAuthnVerify bool
	// A telephone number, to which codes are sent.
	PhoneEnroll          bool
	PhoneVerify          bool
	MFAPhoneMaxFrequency int // seconds between two codes to one number
	MFAPhoneOTPLength    int
	MFAPhoneTemplate     string
	// Recovery codes.
	RecoveryEnroll bool
	RecoveryVerify bool
}

// FactorText is a text message with this code of a second factor.
func (c *Config) FactorText(code string) string {
	return codeInText.ReplaceAllLiteralString(c.MFAPhoneTemplate, code)
}

// mfa is the second factors that users can enroll.
func mfa() Group {
	return Group{Title: "Multi-factor authentication", Rules: mfaPolicyRules(), Settings: append([]Setting{
		{
			Name: "mfa_max_enrolled_factors", Kind: Integer, Default: 10, Min: 1, Max: 30,
			Field:  func(c *Config) any { return &c.MaxFactors },
			Effect: "How many second factors a user can have. See [second factors](mfa.md).",
		},
		{
			Name: "mfa_totp_enroll_enabled", Kind: Bool, Default: true,
			Field:  func(c *Config) any { return &c.TOTPEnroll },
			Effect: "Users can enroll an authenticator app as a second factor.",
		},
		{
			Name: "mfa_totp_verify_enabled", Kind: Bool, Default: true,
			Field:  func(c *Config) any { return &c.TOTPVerify },
			Effect: "Codes of enrolled authenticator apps are accepted. While it is off, users with only such a factor stay at aal1.",
		},
		{
			Name: "mfa_phone_enroll_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.PhoneEnroll },
			Effect: "Users can enroll a phone number as a second factor. The first code that was sent to it verifies it.",
		},
		{
			Name: "mfa_phone_verify_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.PhoneVerify },
			Effect: "Codes are sent to enrolled numbers, by the gateway of `sms_provider`, and accepted. While it is off, users with only such a factor stay at aal1.",
		},
		{
			Name: "mfa_phone_max_frequency", Kind: Integer, Default: 5, Min: 0, Max: maxInt16,
			Field:  func(c *Config) any { return &c.MFAPhoneMaxFrequency },
			Effect: "Least number of seconds between two codes of second factors to one number.",
		},
		{
			Name: "mfa_phone_otp_length", Kind: Integer, Default: 6, Min: 6, Max: 10,
			Field:  func(c *Config) any { return &c.MFAPhoneOTPLength },
			Effect: "Digits of a code of a second factor.",
		},
		{
			Name: "mfa_phone_template", Kind: Text, Default: smsTemplate, MaxLength: 640, Lines: true, Format: textTemplate,
			Field:  func(c *Config) any { return &c.MFAPhoneTemplate },
			Effect: "Text of a message with a code of a second factor. `{{ .Code }}` stands for the code.",
		},
		{
			Name: "mfa_recovery_codes_enroll_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.RecoveryEnroll },
			Effect: "Users with another second factor can have recovery codes made: ten, each good for one time at which the other factor is out of reach.",
		},
		{
			Name: "mfa_recovery_codes_verify_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.RecoveryVerify },
			Effect: "Recovery codes are accepted. After five wrong ones in a row none of the user's is for fifteen minutes.",
		},
		{
			Name: "mfa_web_authn_enroll_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.WebAuthnEnroll },
			Effect: "Users can enroll a security key, or a key of their device, as a second factor. It is for the domain of `webauthn_rp_id`.",
		},
		{
			Name: "mfa_web_authn_verify_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.WebAuthnVerify },
			Effect: "Proofs of enrolled keys are accepted. While it is off, users with only such a factor stay at aal1, and nobody can finish enrolling one.",
		},
	}, mfaPolicySettings()...)}
}

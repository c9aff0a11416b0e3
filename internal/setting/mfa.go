package setting

// mfa is the second factors that users can enroll.
func mfa() Group {
	return Group{Title: "Multi-factor authentication", Settings: []Setting{
		{Name: "mfa_max_enrolled_factors", Kind: Integer, Default: 10},
		{Name: "mfa_totp_enroll_enabled", Kind: Bool},
		{Name: "mfa_totp_verify_enabled", Kind: Bool},
		{Name: "mfa_phone_enroll_enabled", Kind: Bool},
		{Name: "mfa_phone_verify_enabled", Kind: Bool},
		{Name: "mfa_phone_max_frequency", Kind: Integer, Default: 5},
		{Name: "mfa_phone_otp_length", Kind: Integer, Default: 6},
		{Name: "mfa_phone_template", Kind: Text, Default: smsTemplate},
		{Name: "mfa_web_authn_enroll_enabled", Kind: Bool},
		{Name: "mfa_web_authn_verify_enabled", Kind: Bool},
	}}
}

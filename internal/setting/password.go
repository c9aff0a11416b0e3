package setting

// Passwords is the policy for passwords.
type Passwords struct {
	PasswordMinLength          int
	PasswordRequiredCharacters string
	ReauthenticateForPassword  bool
}

const (
	lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	symbols              = `!@#$%^&*()_+-=[]{};'\\:"|<>?,./` + "`~"
)

func passwords() Group {
	return Group{Title: "Passwords", Settings: []Setting{
		{
			Name: "password_min_length", Kind: Integer, Default: 6, Min: 6, Max: 72,
			Field:  func(c *Config) any { return &c.PasswordMinLength },
			Effect: "Least number of characters of a password.",
		},
		{
			Name: "password_required_characters", Kind: Text,
			OneOf: []string{
				"", lower + upper + ":" + digits, lower + ":" + upper + ":" + digits,
				lower + ":" + upper + ":" + digits + ":" + symbols,
			},
			Field:  func(c *Config) any { return &c.PasswordRequiredCharacters },
			Effect: "Groups of characters, separated by colons: a password must hold one of each.",
		},
		{Name: "password_hibp_enabled", Kind: Bool},
		{
			Name: "security_update_password_require_reauthentication", Kind: Bool,
			Field: func(c *Config) any { return &c.ReauthenticateForPassword },
			Effect: "Whether a new password asks for the nonce that [`GET /reauthenticate`](auth.md#the-account) mails, " +
				"in sessions older than a day.",
		},
		{Name: "security_update_password_require_current_password", Kind: Bool},
	}}
}

package setting

// Passwords is the policy for passwords.
type Passwords struct {
	PasswordMinLength          int
	PasswordRequiredCharacters string
	ReauthenticateForPassword  bool
	CurrentPasswordForPassword bool
	LeakedPasswords            bool
	LeakedPasswordsFailClosed  bool
	LeakedPasswordsAtSignIn    bool
	RevokeLeakedKeys           bool
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
		{
			Name: "password_hibp_enabled", Kind: Bool,
			Field: func(c *Config) any { return &c.LeakedPasswords },
			Effect: "Refuses new passwords that are known from data breaches, by the list of haveibeenpwned.com. " +
				"See [leaked passwords](abuse.md#leaked-passwords).",
		},
		{
			Name: "password_hibp_fail_closed", Kind: Bool,
			Field:  func(c *Config) any { return &c.LeakedPasswordsFailClosed },
			Effect: "Refuses new passwords while that list cannot be asked. Otherwise they are accepted, and the project's log says so.",
		},
		{
			Name: "password_hibp_at_sign_in", Kind: Bool,
			Field:  func(c *Config) any { return &c.LeakedPasswordsAtSignIn },
			Effect: "Asks the list at each sign-in with a password too, which succeeds all the same; the answer's `weak_password` says it.",
		},
		{
			Name: "security_leaked_keys_revoked", Kind: Bool, Default: true,
			Field: func(c *Config) any { return &c.RevokeLeakedKeys },
			Effect: "Revokes a secret key at once when somebody reports it as leaked. Otherwise the owners and administrators are told only. " +
				"See [leaked keys](keys.md#leaked-keys).",
		},
		{
			Name: "security_update_password_require_reauthentication", Kind: Bool,
			Field: func(c *Config) any { return &c.ReauthenticateForPassword },
			Effect: "Whether a new password asks for the nonce that [`GET /reauthenticate`](auth.md#the-account) mails, " +
				"in sessions older than a day.",
		},
		{
			Name: "security_update_password_require_current_password", Kind: Bool,
			Field: func(c *Config) any { return &c.CurrentPasswordForPassword },
			Effect: "Whether a new password asks for the old one, as `current_password`. Users without a password, and sessions that a " +
				"mailed link or code began within the last hour, do not need it.",
		},
	}}
}

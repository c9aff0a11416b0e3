package setting

// Limits is how much clients may ask for.
type Limits struct {
	RateLimitEmailSent    int // an hour, whole project
	RateLimitOTP          int // in 5 minutes, per address
	RateLimitVerify       int // in 5 minutes, per address
	RateLimitMFA          int // in a minute, per address
	RateLimitTokenRefresh int // in 5 minutes, per address
	RateLimitAnonymous    int // an hour, per address
	RateLimitSMSSent      int // an hour, whole project
	RateLimitSMSCountry   int // an hour, per country calling code; 0 for no limit

	SBForwardedFor bool
}

func limits() Group {
	return Group{Title: "Limits", Settings: []Setting{
		{
			Name: "rate_limit_email_sent", Kind: Integer, Default: 30, Min: 1, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitEmailSent },
			Effect: "Mails an hour, of the whole project.",
		},
		{
			Name: "rate_limit_otp", Kind: Integer, Default: 30, Min: 1, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitOTP },
			Effect: "Sign-ups, recoveries and resends in 5 minutes, each per client.",
		},
		{
			Name: "rate_limit_verify", Kind: Integer, Default: 30, Min: 1, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitVerify },
			Effect: "Verifications of links and codes in 5 minutes, per client.",
		},
		{
			Name: "rate_limit_mfa", Kind: Integer, Default: 15, Min: 1, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitMFA },
			Effect: "Enrollments, challenges and codes of second factors in a minute, per client.",
		},
		{
			Name: "rate_limit_token_refresh", Kind: Integer, Default: 150, Min: 1, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitTokenRefresh },
			Effect: "Requests to `/token` in 5 minutes, per client.",
		},
		{
			Name: "rate_limit_anonymous_users", Kind: Integer, Default: 30, Min: 1, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitAnonymous },
			Effect: "Anonymous sign-ins an hour, per client.",
		},
		{
			Name: "rate_limit_sms_sent", Kind: Integer, Default: 30, Min: 1, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitSMSSent },
			Effect: "Text messages an hour, of the whole project.",
		},
		{
			Name: "rate_limit_sms_country", Kind: Integer, Min: 0, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RateLimitSMSCountry },
			Effect: "Text messages an hour to numbers with the same country calling code, of the whole project; 0 for no limit of its own. It guards against SMS pumping.",
		},
		{Name: "rate_limit_web3", Kind: Integer, Default: 30},
		{
			Name: "security_sb_forwarded_for_enabled", Kind: Bool,
			Field:  func(c *Config) any { return &c.SBForwardedFor },
			Effect: "A server with a secret key may name the client it asks for in `Sb-Forwarded-For`, and limits count that client.",
		},
	}}
}

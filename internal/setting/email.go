package setting

import "time"

// Email is sign-in with an e-mail address, and the mails of it.
type Email struct {
	ExternalEmailEnabled             bool
	MailerAutoconfirm                bool
	MailerAllowUnverifiedEmailSignIn bool
	MailerSecureEmailChange          bool
	MailerVerifyOnGet                bool
	MailerOTPExp                     int // seconds
	MailerOTPLength                  int
	SMTPMaxFrequency                 int // seconds between two mails of a kind to one user
}

func email() Group {
	return Group{Title: "E-mail", Settings: []Setting{
		{
			Name: "external_email_enabled", Kind: Bool, Default: true, Public: "external.email",
			Field:  func(c *Config) any { return &c.ExternalEmailEnabled },
			Effect: "Allows sign-up and sign-in with e-mail address and password.",
		},
		{
			Name: "mailer_autoconfirm", Kind: Bool, Public: "mailer_autoconfirm",
			Field:  func(c *Config) any { return &c.MailerAutoconfirm },
			Effect: "Takes addresses for confirmed: sign-up and change of address send no mail.",
		},
		{
			Name: "mailer_allow_unverified_email_sign_ins", Kind: Bool,
			Field:  func(c *Config) any { return &c.MailerAllowUnverifiedEmailSignIn },
			Effect: "Lets users sign in before they confirmed their address.",
		},
		{
			Name: "mailer_secure_email_change_enabled", Kind: Bool, Default: true,
			Field:  func(c *Config) any { return &c.MailerSecureEmailChange },
			Effect: "A change of address must be confirmed from the current address too.",
		},
		{
			Name: "mailer_verify_on_get", Kind: Bool,
			Field:  func(c *Config) any { return &c.MailerVerifyOnGet },
			Effect: "Redeems a mailed link as soon as it is opened, without the page with a button. Mail scanners that open links then use them up.",
		},
		{
			Name: "mailer_otp_exp", Kind: Integer, Default: 3600, Min: 1, Max: maxTTL,
			Field:  func(c *Config) any { return &c.MailerOTPExp },
			Effect: "Seconds for which a mailed link or code is valid.",
		},
		{
			Name: "mailer_otp_length", Kind: Integer, Default: 6, Min: 6, Max: 10,
			Field:  func(c *Config) any { return &c.MailerOTPLength },
			Effect: "Digits of a mailed code.",
		},
		{
			Name: "smtp_max_frequency", Kind: Integer, Default: 60, Min: 0, Max: maxInt16,
			Field:  func(c *Config) any { return &c.SMTPMaxFrequency },
			Effect: "Least number of seconds between two mails of a kind to one user.",
		},
	}}
}

// OTPTTL is how long a mailed link or code is good for.
func (c *Config) OTPTTL() time.Duration { return time.Duration(c.MailerOTPExp) * time.Second }

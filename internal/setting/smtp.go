package setting

import "errors"

// SMTP is a project's own mail server.
type SMTP struct {
	SMTPHost       string
	SMTPPort       string
	SMTPUser       string
	SMTPAdminEmail string
	SMTPSenderName string
}

func smtp() Group {
	return Group{Title: "SMTP", Settings: []Setting{
		{
			Name: "smtp_host", Kind: Text, MaxLength: 253, Format: optional(host), Null: true,
			Field:  func(c *Config) any { return &c.SMTPHost },
			Effect: "Host name or IP address of the project's own mail server. While it is empty, the operator's server sends.",
		},
		{
			Name: "smtp_port", Kind: Text, Format: optional(port), Null: true,
			Field:  func(c *Config) any { return &c.SMTPPort },
			Effect: "Port of that server, a number as a string.",
		},
		{
			Name: "smtp_user", Kind: Text, MaxLength: 320, Null: true,
			Field:  func(c *Config) any { return &c.SMTPUser },
			Effect: "User name at that server.",
		},
		{
			Name: SMTPPass, Kind: Text, Secret: true, MaxLength: maxSecret,
			Effect: "Password at that server.",
		},
		{
			Name: "smtp_admin_email", Kind: Text, MaxLength: 254, Format: optional(address), Null: true,
			Field:  func(c *Config) any { return &c.SMTPAdminEmail },
			Effect: "Sender's address of mails that leave by that server.",
		},
		{
			Name: "smtp_sender_name", Kind: Text, MaxLength: 256, Null: true,
			Field:  func(c *Config) any { return &c.SMTPSenderName },
			Effect: "Sender's name of all mails.",
		},
	}, Rules: []Rule{
		{Text: "`smtp_admin_email` is required with `smtp_host`.", Check: senderOfOwnServer},
	}}
}

// senderOfOwnServer refuses a mail server of the project without a sender's
// address: the operator's address is not the project's to use.
func senderOfOwnServer(c *Config, _ Secrets) error {
	if c.SMTPHost != "" && c.SMTPAdminEmail == "" {
		return errors.New("smtp_admin_email: is required with smtp_host")
	}
	return nil
}

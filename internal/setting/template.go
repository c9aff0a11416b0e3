package setting

// Templates are a project's own mails; an empty text is the built-in one.
type Templates struct {
	MailerSubjectConfirmation  string
	MailerSubjectInvite        string
	MailerSubjectRecovery      string
	MailerSubjectEmailChange   string
	MailerTemplateConfirmation string
	MailerTemplateInvite       string
	MailerTemplateRecovery     string
	MailerTemplateEmailChange  string
}

func templates() Group {
	return Group{Title: "Mail templates", Settings: []Setting{
		subject("confirmation", func(c *Config) any { return &c.MailerSubjectConfirmation }),
		subject("invite", func(c *Config) any { return &c.MailerSubjectInvite }),
		subject("recovery", func(c *Config) any { return &c.MailerSubjectRecovery }),
		subject("email_change", func(c *Config) any { return &c.MailerSubjectEmailChange }),
		{Name: "mailer_subjects_magic_link", Kind: Text},
		{Name: "mailer_subjects_reauthentication", Kind: Text},
		content("confirmation", func(c *Config) any { return &c.MailerTemplateConfirmation }),
		content("invite", func(c *Config) any { return &c.MailerTemplateInvite }),
		content("recovery", func(c *Config) any { return &c.MailerTemplateRecovery }),
		content("email_change", func(c *Config) any { return &c.MailerTemplateEmailChange }),
		{Name: "mailer_templates_magic_link_content", Kind: Text},
		{Name: "mailer_templates_reauthentication_content", Kind: Text},
	}}
}

// subject declares the subject of a kind of mail, a template.
func subject(mail string, field func(*Config) any) Setting {
	return Setting{
		Name: "mailer_subjects_" + mail, Kind: Text, MaxLength: 998, Mail: mail, Subject: true, Field: field,
		Effect: "Subject of the mail, a [template](auth.md#mails); empty for the built-in one.",
	}
}

// content declares the HTML of a kind of mail, a template.
func content(mail string, field func(*Config) any) Setting {
	return Setting{
		Name: "mailer_templates_" + mail + "_content", Kind: Text, MaxLength: 64 << 10, Lines: true, Mail: mail, Field: field,
		Effect: "HTML of the mail, a [template](auth.md#mails); empty for the built-in one.",
	}
}

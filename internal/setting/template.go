package setting

// Mail is a project's own texts for a kind of mail; an empty one is the built-in
// text.
type Mail struct{ Subject, Content string }

// Templates are a project's own mails.
type Templates struct {
	ConfirmationMail     Mail
	InviteMail           Mail
	RecoveryMail         Mail
	MagicLinkMail        Mail
	EmailChangeMail      Mail
	ReauthenticationMail Mail
}

// mails are the kinds of mail whose texts a project can set.
var mails = []struct {
	kind string
	mail func(*Config) *Mail
}{
	{"confirmation", func(c *Config) *Mail { return &c.ConfirmationMail }},
	{"invite", func(c *Config) *Mail { return &c.InviteMail }},
	{"recovery", func(c *Config) *Mail { return &c.RecoveryMail }},
	{"magic_link", func(c *Config) *Mail { return &c.MagicLinkMail }},
	{"email_change", func(c *Config) *Mail { return &c.EmailChangeMail }},
	{"reauthentication", func(c *Config) *Mail { return &c.ReauthenticationMail }},
}

// Mail returns the project's own texts for a kind of mail.
func (c *Config) Mail(kind string) Mail {
	for _, m := range mails {
		if m.kind == kind {
			return *m.mail(c)
		}
	}
	if n := c.notice(kind); n != nil {
		return n.Mail
	}
	return Mail{}
}

func templates() Group {
	g := Group{Title: "Mail templates"}
	for _, m := range mails {
		g.Settings = append(g.Settings, subject(m.kind, func(c *Config) any { return &m.mail(c).Subject }))
	}
	for _, m := range mails {
		g.Settings = append(g.Settings, content(m.kind, func(c *Config) any { return &m.mail(c).Content }))
	}
	return g
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

package setting

import "slices"

// Notice is a mail about what happened to an account.
type Notice struct {
	Enabled bool
	Mail    Mail
}

// Notices are the mails that a project sends about what happened to accounts.
type Notices struct {
	FactorEnrolledNotice   Notice
	FactorUnenrolledNotice Notice
	RecoveryCodeUsedNotice Notice
	IdentityLinkedNotice   Notice
	NewDeviceNotice        Notice
}

// notices are the events that a project can have mails about, and what the mail is
// about; those without a field do not exist yet.
var notices = []struct {
	event, about string
	notice       func(*Config) *Notice
}{
	{event: "password_changed"},
	{event: "email_changed"},
	{event: "phone_changed"},
	{"identity_linked", "an enterprise connection was linked to the account", func(c *Config) *Notice { return &c.IdentityLinkedNotice }},
	{event: "identity_unlinked"},
	{"mfa_factor_enrolled", "a second factor was added to the account", func(c *Config) *Notice { return &c.FactorEnrolledNotice }},
	{"mfa_factor_unenrolled", "a second factor was removed from the account", func(c *Config) *Notice { return &c.FactorUnenrolledNotice }},
	{"mfa_recovery_code_used", "a recovery code was used to sign in", func(c *Config) *Notice { return &c.RecoveryCodeUsedNotice }},
	{"new_device", "somebody signed in from a device that they had not used before, with a link that ends [that session](sessions.md#a-mail-about-a-new-device)", func(c *Config) *Notice { return &c.NewDeviceNotice }},
}

// notice finds the notice of a kind of mail; nil for none.
func (c *Config) notice(kind string) *Notice {
	i := slices.IndexFunc(notices, func(n struct {
		event, about string
		notice       func(*Config) *Notice
	}) bool {
		return n.notice != nil && n.event+"_notification" == kind
	})
	if i < 0 {
		return nil
	}
	return notices[i].notice(c)
}

// Notifies reports whether the project sends notices of a kind of mail.
func (c *Config) Notifies(kind string) bool {
	n := c.notice(kind)
	return n != nil && n.Enabled
}

// notifications are mails about what happened to an account.
func notifications() Group {
	g := Group{Title: "Notification mails"}
	for _, n := range notices {
		enabled := Setting{Name: "mailer_notifications_" + n.event + "_enabled", Kind: Bool}
		mail := n.event + "_notification"
		if n.notice == nil {
			g.Settings = append(g.Settings, enabled,
				Setting{Name: "mailer_subjects_" + mail, Kind: Text},
				Setting{Name: "mailer_templates_" + mail + "_content", Kind: Text})
			continue
		}
		enabled.Field = func(c *Config) any { return &n.notice(c).Enabled }
		enabled.Effect = "Mails the user when " + n.about + "."
		g.Settings = append(g.Settings, enabled,
			subject(mail, func(c *Config) any { return &n.notice(c).Mail.Subject }),
			content(mail, func(c *Config) any { return &n.notice(c).Mail.Content }))
	}
	return g
}

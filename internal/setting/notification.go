package setting

// notifications are mails about what happened to an account.
func notifications() Group {
	g := Group{Title: "Notification mails"}
	for _, event := range []string{
		"password_changed", "email_changed", "phone_changed", "identity_linked", "identity_unlinked",
		"mfa_factor_enrolled", "mfa_factor_unenrolled",
	} {
		g.Settings = append(g.Settings,
			Setting{Name: "mailer_notifications_" + event + "_enabled", Kind: Bool},
			Setting{Name: "mailer_subjects_" + event + "_notification", Kind: Text},
			Setting{Name: "mailer_templates_" + event + "_notification_content", Kind: Text},
		)
	}
	return g
}

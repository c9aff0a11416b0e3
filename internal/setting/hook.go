package setting

// hooks are the project's own code that flows call.
func hooks() Group {
	g := Group{Title: "Hooks"}
	for _, point := range []string{
		"before_user_created", "after_user_created", "custom_access_token", "mfa_verification_attempt",
		"password_verification_attempt", "send_email", "send_sms",
	} {
		g.Settings = append(g.Settings,
			Setting{Name: "hook_" + point + "_enabled", Kind: Bool},
			Setting{Name: "hook_" + point + "_uri", Kind: Text},
			Setting{Name: "hook_" + point + "_secrets", Kind: Text, Secret: true, MaxLength: maxSecret},
		)
	}
	return g
}

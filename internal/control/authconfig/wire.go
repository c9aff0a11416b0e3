package authconfig

// UpdateBody describes the body of update in the OpenAPI document; fields is what
// checks it. Each field is optional, null brings its default back.
type UpdateBody struct {
	SiteURL                          *string  `json:"site_url,omitempty" nullable:"true" maxLength:"2048"`
	URIAllowList                     *string  `json:"uri_allow_list,omitempty" nullable:"true" maxLength:"4096"`
	DisableSignup                    *bool    `json:"disable_signup,omitempty" nullable:"true"`
	JWTExp                           *int     `json:"jwt_exp,omitempty" nullable:"true" minimum:"1" maximum:"604800"`
	ExternalEmailEnabled             *bool    `json:"external_email_enabled,omitempty" nullable:"true"`
	MailerAutoconfirm                *bool    `json:"mailer_autoconfirm,omitempty" nullable:"true"`
	MailerAllowUnverifiedEmailSignIn *bool    `json:"mailer_allow_unverified_email_sign_ins,omitempty" nullable:"true"`
	MailerSecureEmailChange          *bool    `json:"mailer_secure_email_change_enabled,omitempty" nullable:"true"`
	MailerOTPExp                     *int     `json:"mailer_otp_exp,omitempty" nullable:"true" minimum:"1" maximum:"604800"`
	MailerOTPLength                  *int     `json:"mailer_otp_length,omitempty" nullable:"true" minimum:"6" maximum:"10"`
	MailerSubjectConfirmation        *string  `json:"mailer_subjects_confirmation,omitempty" nullable:"true" maxLength:"998"`
	MailerSubjectInvite              *string  `json:"mailer_subjects_invite,omitempty" nullable:"true" maxLength:"998"`
	MailerSubjectRecovery            *string  `json:"mailer_subjects_recovery,omitempty" nullable:"true" maxLength:"998"`
	MailerSubjectEmailChange         *string  `json:"mailer_subjects_email_change,omitempty" nullable:"true" maxLength:"998"`
	MailerTemplateConfirmation       *string  `json:"mailer_templates_confirmation_content,omitempty" nullable:"true"`
	MailerTemplateInvite             *string  `json:"mailer_templates_invite_content,omitempty" nullable:"true"`
	MailerTemplateRecovery           *string  `json:"mailer_templates_recovery_content,omitempty" nullable:"true"`
	MailerTemplateEmailChange        *string  `json:"mailer_templates_email_change_content,omitempty" nullable:"true"`
	SMTPHost                         *string  `json:"smtp_host,omitempty" nullable:"true" maxLength:"253"`
	SMTPPort                         *string  `json:"smtp_port,omitempty" nullable:"true"`
	SMTPUser                         *string  `json:"smtp_user,omitempty" nullable:"true" maxLength:"320"`
	SMTPAdminEmail                   *string  `json:"smtp_admin_email,omitempty" nullable:"true" maxLength:"254"`
	SMTPSenderName                   *string  `json:"smtp_sender_name,omitempty" nullable:"true" maxLength:"256"`
	SMTPMaxFrequency                 *int     `json:"smtp_max_frequency,omitempty" nullable:"true" minimum:"0" maximum:"32767"`
	PasswordMinLength                *int     `json:"password_min_length,omitempty" nullable:"true" minimum:"6" maximum:"72"`
	PasswordRequiredCharacters       *string  `json:"password_required_characters,omitempty" nullable:"true"`
	RefreshTokenRotation             *bool    `json:"refresh_token_rotation_enabled,omitempty" nullable:"true"`
	RefreshTokenReuseInterval        *int     `json:"security_refresh_token_reuse_interval,omitempty" nullable:"true" minimum:"0" maximum:"2147483647"`
	SessionsTimebox                  *float64 `json:"sessions_timebox,omitempty" nullable:"true" minimum:"0" maximum:"876000"`
	SessionsInactivityTimeout        *float64 `json:"sessions_inactivity_timeout,omitempty" nullable:"true" minimum:"0" maximum:"876000"`
	SessionsSinglePerUser            *bool    `json:"sessions_single_per_user,omitempty" nullable:"true"`
	RateLimitEmailSent               *int     `json:"rate_limit_email_sent,omitempty" nullable:"true" minimum:"1" maximum:"2147483647"`
	RateLimitVerify                  *int     `json:"rate_limit_verify,omitempty" nullable:"true" minimum:"1" maximum:"2147483647"`
	RateLimitTokenRefresh            *int     `json:"rate_limit_token_refresh,omitempty" nullable:"true" minimum:"1" maximum:"2147483647"`
	RateLimitOTP                     *int     `json:"rate_limit_otp,omitempty" nullable:"true" minimum:"1" maximum:"2147483647"`
	SBForwardedFor                   *bool    `json:"security_sb_forwarded_for_enabled,omitempty" nullable:"true"`
	SMTPPass                         *string  `json:"smtp_pass,omitempty" nullable:"true" maxLength:"1024" writeOnly:"true"`
}

package tenants

import (
	"strings"
	"time"
)

// Config is a project's auth configuration: the fields that have effect, under
// the names of the Management API (config/auth). Secrets are not in it; see
// Tenant.Secrets. A Config is immutable once a Tenant carries it.
type Config struct {
	SiteURL       string `json:"site_url"`
	URIAllowList  string `json:"uri_allow_list"` // comma separated globs
	DisableSignup bool   `json:"disable_signup"`
	JWTExp        int    `json:"jwt_exp"` // seconds

	ExternalEmailEnabled bool `json:"external_email_enabled"`

	MailerAutoconfirm                bool `json:"mailer_autoconfirm"`
	MailerAllowUnverifiedEmailSignIn bool `json:"mailer_allow_unverified_email_sign_ins"`
	MailerSecureEmailChange          bool `json:"mailer_secure_email_change_enabled"`
	MailerOTPExp                     int  `json:"mailer_otp_exp"` // seconds
	MailerOTPLength                  int  `json:"mailer_otp_length"`

	MailerSubjectConfirmation  string `json:"mailer_subjects_confirmation"`
	MailerSubjectInvite        string `json:"mailer_subjects_invite"`
	MailerSubjectRecovery      string `json:"mailer_subjects_recovery"`
	MailerSubjectEmailChange   string `json:"mailer_subjects_email_change"`
	MailerTemplateConfirmation string `json:"mailer_templates_confirmation_content"`
	MailerTemplateInvite       string `json:"mailer_templates_invite_content"`
	MailerTemplateRecovery     string `json:"mailer_templates_recovery_content"`
	MailerTemplateEmailChange  string `json:"mailer_templates_email_change_content"`

	SMTPHost         string `json:"smtp_host"`
	SMTPPort         string `json:"smtp_port"`
	SMTPUser         string `json:"smtp_user"`
	SMTPAdminEmail   string `json:"smtp_admin_email"`
	SMTPSenderName   string `json:"smtp_sender_name"`
	SMTPMaxFrequency int    `json:"smtp_max_frequency"` // seconds between two mails of a kind to one user

	PasswordMinLength          int    `json:"password_min_length"`
	PasswordRequiredCharacters string `json:"password_required_characters"`

	RefreshTokenRotation      bool `json:"refresh_token_rotation_enabled"`
	RefreshTokenReuseInterval int  `json:"security_refresh_token_reuse_interval"` // seconds

	SessionsTimebox           float64 `json:"sessions_timebox"`            // hours, 0 = none
	SessionsInactivityTimeout float64 `json:"sessions_inactivity_timeout"` // hours, 0 = none
	SessionsSinglePerUser     bool    `json:"sessions_single_per_user"`

	RateLimitEmailSent    int `json:"rate_limit_email_sent"`    // an hour, whole project
	RateLimitVerify       int `json:"rate_limit_verify"`        // in 5 minutes, per address
	RateLimitTokenRefresh int `json:"rate_limit_token_refresh"` // in 5 minutes, per address
	RateLimitOTP          int `json:"rate_limit_otp"`           // in 5 minutes, per address

	SBForwardedFor bool `json:"security_sb_forwarded_for_enabled"`
}

// DefaultConfig is what a new project starts with: the defaults of the hosted
// reference.
func DefaultConfig() Config {
	return Config{
		SiteURL:                   "http://localhost:3000",
		JWTExp:                    3600,
		ExternalEmailEnabled:      true,
		MailerSecureEmailChange:   true,
		MailerOTPExp:              3600,
		MailerOTPLength:           6,
		SMTPMaxFrequency:          60,
		PasswordMinLength:         6,
		RefreshTokenRotation:      true,
		RefreshTokenReuseInterval: 10,
		RateLimitEmailSent:        30,
		RateLimitVerify:           30,
		RateLimitTokenRefresh:     150,
		RateLimitOTP:              30,
	}
}

// AllowList splits URIAllowList into its globs.
func (c *Config) AllowList() []string {
	var out []string
	for part := range strings.SplitSeq(c.URIAllowList, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// SecureEmailChange reports whether the current address must confirm a change
// too. Where addresses are confirmed unasked the new one's word is enough.
func (c *Config) SecureEmailChange() bool { return c.MailerSecureEmailChange && !c.MailerAutoconfirm }

// OTPTTL is how long a mailed link or code is good for.
func (c *Config) OTPTTL() time.Duration { return time.Duration(c.MailerOTPExp) * time.Second }

// AccessTokenTTL is how long an access token is good for.
func (c *Config) AccessTokenTTL() time.Duration { return time.Duration(c.JWTExp) * time.Second }

// Timebox is the longest life of a session; 0 means no limit.
func (c *Config) Timebox() time.Duration {
	return time.Duration(c.SessionsTimebox * float64(time.Hour))
}

// InactivityTimeout is the longest pause between two refreshes; 0 means no
// limit.
func (c *Config) InactivityTimeout() time.Duration {
	return time.Duration(c.SessionsInactivityTimeout * float64(time.Hour))
}

package setting

import (
	"slices"
	"strings"
)

// Need is a condition on another setting. Without it a setting has no effect.
type Need struct {
	Setting string
	// Off says that the other one must be off: it overrides this one. Otherwise it
	// must be on, that is true or not empty.
	Off bool
	// Value, when set, is what the other one must be.
	Value string
}

// needs are the conditions of single settings; see Needs.
var needs = map[string][]Need{
	"mailer_autoconfirm":                     {{Setting: "external_email_enabled"}},
	"mailer_allow_unverified_email_sign_ins": {{Setting: "external_email_enabled"}, {Setting: "mailer_autoconfirm", Off: true}},
	"mailer_secure_email_change_enabled":     {{Setting: "mailer_autoconfirm", Off: true}},
	"mailer_subjects_confirmation":           {{Setting: "mailer_autoconfirm", Off: true}},
	"mailer_templates_confirmation_content":  {{Setting: "mailer_autoconfirm", Off: true}},
	"mailer_subjects_email_change":           {{Setting: "mailer_autoconfirm", Off: true}},
	"mailer_templates_email_change_content":  {{Setting: "mailer_autoconfirm", Off: true}},

	"external_anonymous_users_enabled": {{Setting: "disable_signup", Off: true}},
	"rate_limit_anonymous_users":       {{Setting: "external_anonymous_users_enabled"}},

	"smtp_port": {{Setting: "smtp_host"}}, "smtp_user": {{Setting: "smtp_host"}}, SMTPPass: {{Setting: "smtp_host"}, {Setting: "smtp_user"}},
	"smtp_admin_email": {{Setting: "smtp_host"}},

	"security_captcha_provider": {{Setting: "security_captcha_enabled"}}, CaptchaSecret: {{Setting: "security_captcha_enabled"}},
	"security_captcha_site_key":             {{Setting: "security_captcha_enabled"}},
	"security_email_disposable_exceptions":  {{Setting: "security_email_disposable_blocked"}},
	"password_hibp_fail_closed":             {{Setting: "password_hibp_enabled"}},
	"password_hibp_at_sign_in":              {{Setting: "password_hibp_enabled"}},
	"security_refresh_token_reuse_interval": {{Setting: "refresh_token_rotation_enabled"}},

	// Messages of second factors take the gateway, the test numbers and the limits of
	// all messages without external_phone_enabled; these settings are of sign-ins alone.
	"sms_autoconfirm": {{Setting: "external_phone_enabled"}}, "sms_template": {{Setting: "external_phone_enabled"}},
	"sms_otp_exp": {{Setting: "external_phone_enabled"}}, "sms_otp_length": {{Setting: "external_phone_enabled"}},
	"sms_max_frequency":        {{Setting: "external_phone_enabled"}},
	"mfa_phone_enroll_enabled": {{Setting: "mfa_phone_verify_enabled"}}, "mfa_phone_max_frequency": {{Setting: "mfa_phone_verify_enabled"}},
	"mfa_phone_otp_length": {{Setting: "mfa_phone_verify_enabled"}}, "mfa_phone_template": {{Setting: "mfa_phone_verify_enabled"}},
	"passkey_aal2_enabled":     {{Setting: "passkey_enabled"}},
	"mfa_policy_roles":         {{Setting: "mfa_policy", Value: MFAByRole}},
	"sms_test_otp_valid_until": {{Setting: "sms_test_otp"}},
}

// Needs returns the conditions that must all be true for the setting to have an
// effect.
func (s Setting) Needs() []Need {
	if list, ok := needs[s.Name]; ok {
		return slices.Clone(list)
	}
	if provider := s.Provider(); provider != "" && s.Name != "external_"+provider+"_enabled" {
		return []Need{{Setting: "external_" + provider + "_enabled"}}
	}
	if gateway := gatewayOf(s.Name); gateway != "" {
		return []Need{{Setting: "sms_provider", Value: gateway}}
	}
	for _, switched := range []struct{ begin, end string }{{"hook_", "_uri"}, {"hook_", "_secrets"}, {"hook_", "_mode"}} {
		if name, ok := strings.CutSuffix(s.Name, switched.end); ok && strings.HasPrefix(name, switched.begin) {
			return known(Need{Setting: name + "_enabled"})
		}
	}
	for _, form := range []struct{ begin, end string }{{"mailer_subjects_", "_notification"}, {"mailer_templates_", "_notification_content"}} {
		if name, ok := strings.CutSuffix(s.Name, form.end); ok && strings.HasPrefix(name, form.begin) {
			return known(Need{Setting: "mailer_notifications_" + strings.TrimPrefix(name, form.begin) + "_enabled"})
		}
	}
	return nil
}

// known returns the needs whose setting is declared.
func known(n Need) []Need {
	if _, ok := ByName(n.Setting); !ok {
		return nil
	}
	return []Need{n}
}

// gatewayOf returns the gateway that a setting is of; "" for none or all.
func gatewayOf(name string) string {
	for _, gateway := range []string{TwilioVerify, Twilio, MessageBird, Textlocal, Vonage} {
		if strings.HasPrefix(name, "sms_"+gateway+"_") {
			return gateway
		}
	}
	return ""
}

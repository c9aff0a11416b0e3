package authconfig_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newWorld(t *testing.T) (*controltest.World, tenants.Ref, string) {
	t.Helper()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&authconfig.Handler{Service: &authconfig.Service{
			DB: w.DB, Authz: w.Authz, CheckTemplate: message.NewChecker(1).Check, Trials: w.Trials(), Now: controltest.Now,
		}}}
	})
	ref := w.Project(t, w.Acme, "Shop").Project.Ref
	return w, ref, "/v1/projects/" + string(ref) + "/config/auth"
}

// values are, for each field, JSON texts that must be accepted and refused.
type values struct{ good, bad []string }

var (
	domains   = values{[]string{`""`, `"example.com"`, `"Example.com, sub.example.org,\nxn--bcher-kva.example"`}, []string{`"example"`, `"a@example.com"`, `"*.example.com"`, `"https://x.example"`, `"1.2.3.4"`, `"a b.com"`, "5", `"` + strings.Repeat("x.example,", 410) + `"`}}
	booleans  = values{[]string{"true", "false"}, []string{`"true"`, "1", "{}"}}
	rates     = values{[]string{"1", "30", "2147483647"}, []string{"0", "-1", "2147483648", "1.5", `"30"`, "true", "1e30"}}
	seconds   = values{[]string{"1", "3600", "604800", "6e1"}, []string{"0", "-1", "604801", "0.5", `"60"`, "[]"}}
	hours     = values{[]string{"0", "0.5", "24", "876000"}, []string{"-0.1", "876001", "1e300", `"1"`, "true"}}
	subjects  = values{[]string{`"Hello"`, `""`, `"Your code: {{ .Token }}"`}, []string{`"{{"`, `"{{ .Nothing }}"`, `"a\nb"`, "5", `"` + strings.Repeat("x", 999) + `"`}}
	templates = values{[]string{`"<a href=\"{{ .ConfirmationURL }}\">x</a>"`, `""`}, []string{`"{{ .Token"`, `"{{ .Nothing }}"`, "5", `"` + strings.Repeat("x", 70_000) + `"`}}
)

// Notices of factors show their kind.
var (
	factorNotices = values{[]string{`"Added: {{ .FactorType }}"`, `""`}, subjects.bad}
	factorTexts   = values{[]string{`"<p>{{ if eq .FactorType \"totp\" }}app{{ end }}</p>"`, `""`}, templates.bad}
)

const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"

func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

var table = withHooks(withProviders(withPhone(map[string]values{
	"site_url": {
		[]string{`"https://app.example.com"`, `"http://localhost:3000/path?x=1"`, `"http://[::1]:3000"`},
		[]string{`""`, `"app.example.com"`, `"/path"`, `"ftp://x"`, `"javascript://x"`, `"https://"`, `"https://x#y"`, `"https://a:b@x"`, `"https://x,y"`, `"https://x y"`, "5", `"https://x/` + strings.Repeat("y", 2048) + `"`},
	},
	"uri_allow_list": {
		[]string{`""`, `"https://*.example.com/**"`, `"http://localhost:*/a?b, myapp://callback"`, `"com.example://,com.my_app://login,MyApp://**"`},
		[]string{`"example.com"`, `"/path"`, `"https://x y"`, `"https://"`, `"javascript://%0aalert(1)"`, `"JavaScript://x"`, `"blob://x"`, `"view-source://x"`, `"https://x/#y"`, "5", `"https://x/` + strings.Repeat("y", 512) + `"`, `"` + strings.Repeat("https://x,", 410) + `"`, `"https://x\\y"`, `"https://{a}"`},
	},
	"security_manual_linking_enabled": booleans,
	"mailer_verify_on_get":            booleans, "external_anonymous_users_enabled": booleans,

	"password_hibp_enabled": booleans, "password_hibp_fail_closed": booleans, "password_hibp_at_sign_in": booleans,
	"security_update_password_require_current_password": booleans, "security_captcha_enabled": booleans,
	"security_captcha_provider": {[]string{`"hcaptcha"`, `"turnstile"`, `""`}, []string{`"recaptcha"`, "5", "true"}},
	"security_captcha_site_key": {[]string{`"1x00000000000000000000AA"`, `"10000000-ffff-ffff-ffff-000000000001"`, `""`}, []string{`"a key"`, `"<script>"`, "5", "true"}},

	"security_email_domains_allowed": domains, "security_email_domains_blocked": domains, "security_email_disposable_exceptions": domains,
	"security_email_disposable_blocked":     booleans,
	"security_anonymous_users_max_age_days": {[]string{"0", "30", "3650"}, []string{"-1", "3651", "0.5", `"30"`}},

	"mfa_web_authn_enroll_enabled": booleans, "mfa_web_authn_verify_enabled": booleans, "passkey_enabled": booleans, "passkey_aal2_enabled": booleans,
	"saml_external_url": {[]string{`""`, `"https://auth.example.com/auth/v1"`}, []string{"5", `"auth.example.com"`, `"https://a.example/"`, `"https://a.example?x=1"`, `"javascript:alert(1)"`}},
	"saml_enabled":      booleans, "saml_allow_encrypted_assertions": booleans,
	"webauthn_rp_display_name": {[]string{`"Shop"`, `""`}, []string{"5", `"a\nb"`, quoted(strings.Repeat("x", 129))}},
	"webauthn_rp_id": {
		[]string{`"example.com"`, `"localhost"`, `"xn--bcher-kva.example"`, `""`},
		[]string{`"Example.com"`, `"https://example.com"`, `"example.com:443"`, `"com"`, `"127.0.0.1"`, `"1.2.3.4"`, `"::1"`, `"example.com."`, `"*.example.com"`, `"a_b.example.com"`, "5", quoted(strings.Repeat("a.", 127) + "com")},
	},
	"webauthn_rp_origins": {
		[]string{`"https://example.com"`, `"https://a.example.com, https://b.example.com:8443,http://localhost:3000"`, `"android:apk-key-hash:UURmf2f3-QlYTnpWJnoFkwTgaPkWNJBPfYbMZKvWyYg"`, `""`},
		[]string{`"example.com"`, `"http://example.com"`, `"https://example.com/"`, `"https://example.com/path"`, `"https://example.com:443"`, `"https://*.example.com"`, `"https://127.0.0.1"`, `"https://Example.com"`, `"https://a@example.com"`, `"null"`, `"file://"`, `"android:apk-key-hash:x"`, "5", quoted(strings.Repeat("https://a.example,", 21))},
	},

	"disable_signup": booleans, "external_email_enabled": booleans, "mailer_autoconfirm": booleans,
	"mailer_allow_unverified_email_sign_ins": booleans, "mailer_secure_email_change_enabled": booleans,
	"refresh_token_rotation_enabled": booleans, "sessions_single_per_user": booleans, "security_update_password_require_reauthentication": booleans, "security_sb_forwarded_for_enabled": booleans, "security_leaked_keys_revoked": booleans,

	"jwt_optional_claims": {[]string{`"app_metadata"`, `"amr, user_metadata"`, `""`}, []string{"5", `"email"`, `"amr,"`, `"amr;app_metadata"`}},

	"jwt_exp": seconds, "mailer_otp_exp": seconds,
	"mailer_otp_length":       {[]string{"6", "10"}, []string{"5", "11", "6.5", `"6"`}},
	"mfa_totp_enroll_enabled": booleans, "mfa_totp_verify_enabled": booleans,
	"mailer_notifications_mfa_factor_enrolled_enabled": booleans, "mailer_notifications_mfa_factor_unenrolled_enabled": booleans,
	"mailer_notifications_identity_linked_enabled": booleans, "mailer_subjects_identity_linked_notification": subjects,
	"mailer_templates_identity_linked_notification_content": templates,
	"mailer_notifications_mfa_recovery_code_used_enabled":   booleans, "mailer_notifications_new_device_enabled": booleans,
	"mailer_subjects_new_device_notification": subjects, "mailer_templates_new_device_notification_content": templates,
	"mailer_subjects_mfa_factor_enrolled_notification": factorNotices, "mailer_templates_mfa_factor_enrolled_notification_content": factorTexts,
	"mailer_subjects_mfa_factor_unenrolled_notification": factorNotices, "mailer_templates_mfa_factor_unenrolled_notification_content": factorTexts,
	"mailer_subjects_mfa_recovery_code_used_notification": subjects, "mailer_templates_mfa_recovery_code_used_notification_content": templates,
	"mfa_recovery_codes_enroll_enabled": booleans, "mfa_recovery_codes_verify_enabled": booleans,
	"mfa_policy":               {[]string{`"off"`, `"optional"`, `"required"`, `"by_role"`, `"without_sso"`}, []string{`""`, `"on"`, `"Required"`, "true"}},
	"mfa_policy_roles":         {[]string{`"admin"`, `"admin, billing manager,Ä"`, `""`}, []string{`","`, `"a,,b"`, "5", `"a\nb"`, quoted(strings.Repeat("x", 101)), quoted(strings.Repeat("x,", 50) + "x")}},
	"mfa_policy_grace_period":  {[]string{"0", "7", "365"}, []string{"-1", "366", "0.5", `"7"`}},
	"mfa_policy_since":         {[]string{`"2027-01-31T00:00:00Z"`, `"2027-01-31T00:00:00+01:00"`, `""`}, []string{`"tomorrow"`, `"2027-01-31"`, "5"}},
	"mfa_max_enrolled_factors": {[]string{"1", "30"}, []string{"0", "31", "1.5", `"2"`}},
	"password_min_length":      {[]string{"6", "72"}, []string{"5", "73", "7.5", `"8"`}},
	"smtp_max_frequency":       {[]string{"0", "32767"}, []string{"-1", "32768", `"1"`}},

	"security_refresh_token_reuse_interval": {[]string{"0", "10", "2147483647"}, []string{"-1", "2147483648", `"1"`}},

	"sessions_max_per_user": {[]string{"0", "1", "1000"}, []string{"-1", "1001", "1.5", `"1"`}},

	"sessions_timebox": hours, "sessions_inactivity_timeout": hours, "sessions_allow_low_aal": hours,
	"rate_limit_email_sent": rates, "rate_limit_verify": rates, "rate_limit_mfa": rates, "rate_limit_token_refresh": rates, "rate_limit_otp": rates, "rate_limit_anonymous_users": rates,

	"smtp_port":        {[]string{`"1"`, `"587"`, `"65535"`, `""`}, []string{`"0"`, `"65536"`, `"+25"`, `"025"`, `"x"`, "587"}},
	"smtp_user":        {[]string{`"postmaster@example.com"`, `""`}, []string{"5", `"a\r\nb"`, `"` + strings.Repeat("x", 321) + `"`}},
	"smtp_sender_name": {[]string{`"Acme, Inc."`, `""`}, []string{"5", `"a\r\nBcc: x"`, `"` + strings.Repeat("x", 257) + `"`}},
	"smtp_admin_email": {[]string{`"auth@example.com"`, `""`}, []string{"5", `"nobody"`, `"Acme <a@example.com>"`, `"a@b\r\nc"`, `"` + strings.Repeat("x", 250) + `@x.com"`}},
	"smtp_host":        {[]string{`""`, `"smtp.example.com"`, `"127.0.0.1"`, `"::1"`}, []string{"5", `"smtp.example.com:25"`, `"http://x"`, `"a b"`, `"-x"`, `"` + strings.Repeat("x", 254) + `"`}},

	"password_required_characters": {
		[]string{`""`, quoted(lower + upper + ":" + digits), quoted(lower + ":" + upper + ":" + digits), quoted(lower + ":" + upper + ":" + digits + `:!@#$%^&*()_+-=[]{};'\\:"|<>?,./` + "`~")},
		[]string{`"abc"`, "5", quoted(lower)},
	},
	"mailer_subjects_confirmation": subjects, "mailer_subjects_invite": subjects, "mailer_subjects_recovery": subjects, "mailer_subjects_reauthentication": subjects,
	"mailer_subjects_email_change":          subjects,
	"mailer_subjects_magic_link":            subjects,
	"mailer_templates_magic_link_content":   templates,
	"mailer_templates_confirmation_content": templates, "mailer_templates_invite_content": templates,
	"mailer_templates_reauthentication_content": templates, "mailer_templates_recovery_content": templates, "mailer_templates_email_change_content": templates,
})))

// withPhone adds the settings of sign-in by phone.
func withPhone(table map[string]values) map[string]values {
	name := values{[]string{`"Shop"`, `"MG0123"`, `""`}, []string{"5", `"a\nb"`, quoted(strings.Repeat("x", 65))}}
	for _, s := range setting.All() {
		if strings.HasPrefix(s.Name, "sms_") && s.Kind == setting.Text && s.Available() && !s.Secret {
			table[s.Name] = name
		}
	}
	table["sms_autoconfirm"], table["sms_otp_exp"] = booleans, seconds
	table["sms_max_frequency"], table["sms_otp_length"] = table["smtp_max_frequency"], table["mailer_otp_length"]
	table["rate_limit_sms_sent"] = rates
	table["rate_limit_sms_country"] = values{[]string{"0", "5", "2147483647"}, []string{"-1", "2147483648", "1.5", `"30"`}}
	table["sms_template"] = values{
		[]string{`"Your code is {{ .Code }}"`, `"{{.Code}} is your code.\n@example.com #{{ .Code }}"`},
		[]string{`""`, `"no code"`, `"{{ .Token }}"`, `"{{ .Code }} {{ .Email }}"`, `"{{ .Code }} {{"`, "5", quoted("{{ .Code }}" + strings.Repeat("x", 640))},
	}
	table["mfa_phone_enroll_enabled"], table["mfa_phone_verify_enabled"] = booleans, booleans
	table["mfa_phone_max_frequency"], table["mfa_phone_otp_length"], table["mfa_phone_template"] = table["sms_max_frequency"], table["sms_otp_length"], table["sms_template"]
	table["sms_test_otp"] = values{
		[]string{`"14155550123=123456"`, `"14155550123=123456, 447700900123=1234567890"`, `""`},
		[]string{`"+14155550123=123456"`, `"14155550123"`, `"14155550123=12345"`, `"14155550123=abcdef"`, "5"},
	}
	table["sms_test_otp_valid_until"] = values{[]string{`"2027-01-31T00:00:00Z"`, `"2027-01-31T00:00:00+01:00"`, `""`}, []string{`"tomorrow"`, `"2027-01-31"`, "5"}}
	table["sms_allowed_countries"] = values{[]string{`"DE"`, `"DE, AT,CH"`, `""`}, []string{`"de"`, `"ZZ"`, `"DE;AT"`, `"+49"`, `"DE,"`, "5"}}
	table["sms_provider"] = values{[]string{`"twilio"`, `"twilio_verify"`, `"messagebird"`, `"textlocal"`, `"vonage"`, `""`}, []string{`"nexmo"`, `"Twilio"`, "5"}}
	table["sms_provider_url"] = values{
		[]string{`"https://api.dublin.ie1.twilio.com"`, `""`},
		[]string{"5", `"api.twilio.com"`, `"ftp://x"`, `"https://a:b@x"`, `"https://x?y"`, `"https://x#y"`},
	}
	return table
}

// TestGatewayRules: phone sign-in is not switched on with a gateway that cannot
// work, and what the gateway needs is not taken away.
func TestGatewayRules(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	patch(`{"sms_provider":"twilio"}`).Want(t, 200)
	patch(`{"external_phone_enabled":true}`).Refused(t, 400, "validation_failed", "sms_twilio_account_sid: is required")
	patch(`{"external_phone_enabled":true,"sms_twilio_account_sid":"AC1"}`).Refused(t, 400, "validation_failed", "sms_twilio_auth_token: is required")
	patch(`{"external_phone_enabled":true,"sms_twilio_account_sid":"AC1","sms_twilio_auth_token":"s3cret"}`).Refused(t, 400, "validation_failed", "sms_twilio_message_service_sid: is required")
	patch(`{"external_phone_enabled":true,"sms_twilio_account_sid":"AC1","sms_twilio_auth_token":"s3cret","sms_twilio_message_service_sid":"MG1"}`).Want(t, 200, `"external_phone_enabled":true`)
	patch(`{"sms_twilio_auth_token":null}`).Refused(t, 400, "validation_failed", "sms_twilio_auth_token: is required")
	patch(`{"sms_provider":"vonage"}`).Refused(t, 400, "validation_failed", "sms_vonage_api_key: is required")
	patch(`{"external_phone_enabled":false}`).Want(t, 200)
	patch(`{"sms_twilio_auth_token":null}`).Want(t, 200)
	patch(`{"mfa_phone_verify_enabled":true}`).Refused(t, 400, "validation_failed", "sms_twilio_auth_token: is required")
	patch(`{"sms_provider":""}`).Want(t, 200, `"sms_provider":null`)
}

// withProviders adds the settings of the external providers.
func withProviders(table map[string]values) map[string]values {
	ids := values{
		[]string{`"id-1.apps.example.com"`, `"one,two"`, `""`},
		[]string{"5", `"a\nb"`, `"` + strings.Repeat("x", 2049) + `"`},
	}
	urls := values{
		[]string{`"https://id.example.com/realms/a"`, `"http://localhost:8080"`, `""`},
		[]string{"5", `"id.example.com"`, `"ftp://x"`, `"javascript://x"`, `"https://a:b@x"`, `"https://x?y"`, `"https://x#y"`, `"https://x/` + strings.Repeat("y", 2048) + `"`},
	}
	for _, s := range setting.All() {
		if !strings.HasPrefix(s.Name, "external_") || !s.Available() || s.Secret || s.Name == "external_email_enabled" {
			continue
		}
		switch {
		case s.Kind == setting.Bool:
			table[s.Name] = booleans
		case strings.HasSuffix(s.Name, "_url"):
			table[s.Name] = urls
		default:
			table[s.Name] = ids
		}
	}
	table["custom_oauth_enabled"] = booleans
	table["custom_oauth_max_providers"] = values{[]string{"0", "3", "100"}, []string{"-1", "101", "1.5", `"3"`}}
	return table
}

// withHooks adds the settings of hooks.
func withHooks(table map[string]values) map[string]values {
	for _, s := range setting.All() {
		switch {
		case !strings.HasPrefix(s.Name, "hook_") || !s.Available() || s.Secret:
		case s.Kind == setting.Bool:
			table[s.Name] = booleans
		case strings.HasSuffix(s.Name, "_uri"):
			table[s.Name] = values{
				[]string{`"pg-functions://postgres/public/hook"`, `""`},
				[]string{"5", `"public.hook"`, `"http://example.com"`, `"pg-functions://postgres/reeve/f"`, `"https://a:b@x"`},
			}
		default:
			table[s.Name] = values{[]string{`"fail_open"`, `"shadow"`, `"fail_closed"`}, []string{"5", `""`, `"open"`}}
		}
	}
	return table
}

// TestHookRules: a hook that cannot be called is not switched on, and what it needs is
// not taken away.
func TestHookRules(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	const secret = `"hook_custom_access_token_secrets":"v1,whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="`
	patch(`{"hook_custom_access_token_enabled":true}`).Refused(t, 400, "validation_failed", "hook_custom_access_token_uri: is required")
	patch(`{"hook_custom_access_token_enabled":true,"hook_custom_access_token_uri":"https://x.example"}`).Refused(t, 400, "validation_failed", "hook_custom_access_token_secrets: is required")
	patch(`{"hook_custom_access_token_uri":"https://x.example","hook_custom_access_token_secrets":"hunter2"}`).Refused(t, 400, "validation_failed", "hook_custom_access_token_secrets: must be")
	patch(`{"hook_custom_access_token_enabled":true,"hook_custom_access_token_uri":"https://x.example",`+secret+`}`).Want(t, 200, `"hook_custom_access_token_enabled":true`)
	patch(`{"hook_custom_access_token_secrets":null}`).Refused(t, 400, "validation_failed", "hook_custom_access_token_secrets: is required")
	patch(`{"hook_custom_access_token_uri":"pg-functions://postgres/public/f","hook_custom_access_token_secrets":null}`).Want(t, 200)
	patch(`{"hook_custom_access_token_uri":""}`).Refused(t, 400, "validation_failed", "hook_custom_access_token_uri: is required")
}

// also are further members that a patch with the setting needs.
func also(name, value string) string {
	if hook, ok := strings.CutSuffix(name, "_enabled"); ok && strings.HasPrefix(hook, "hook_") && value == "true" {
		return fmt.Sprintf(`,"%s_uri":"pg-functions://postgres/public/f"`, hook)
	}
	if name == "mfa_policy" && value == `"by_role"` {
		return `,"mfa_policy_roles":"admin"`
	}
	if name == "smtp_host" && value != `""` {
		return `,"smtp_admin_email":"a@example.com"`
	}
	if _, ok := setting.ByName(name); !ok || value != "true" {
		return ""
	}
	if name == "security_captcha_enabled" {
		return `,"security_captcha_provider":"hcaptcha","security_captcha_secret":"s"`
	}
	provider, ok := strings.CutSuffix(strings.TrimPrefix(name, "external_"), "_enabled")
	if !ok || !slices.Contains(setting.ProviderNames(), provider) {
		return ""
	}
	out := fmt.Sprintf(`,"external_%s_client_id":"id","external_%s_secret":"s"`, provider, provider)
	if provider == "keycloak" {
		out += `,"external_keycloak_url":"https://id.example.com"`
	}
	return out
}

// TestProviderRules: a provider that cannot work is not switched on, and what an
// enabled one needs is not taken away.
func TestProviderRules(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	const noID, noSecret = "external_github_client_id: is required", "external_github_secret: is required"
	patch(`{"external_github_enabled":true}`).Refused(t, 400, "validation_failed", noID)
	patch(`{"external_github_enabled":true,"external_github_client_id":"id"}`).Refused(t, 400, "validation_failed", noSecret)
	patch(`{"external_github_enabled":true,"external_github_client_id":"id","external_github_secret":"s3cret"}`).Want(t, 200, `"external_github_enabled":true`)
	patch(`{"external_github_secret":null}`).Refused(t, 400, "validation_failed", noSecret)
	patch(`{"external_github_client_id":""}`).Refused(t, 400, "validation_failed", noID)
	patch(`{"external_github_enabled":false,"external_github_secret":null,"external_github_client_id":null}`).Want(t, 200, `"external_github_client_id":null`)
	patch(`{"external_apple_enabled":true,"external_apple_client_id":"com.example.app"}`).Want(t, 200)
}

// TestCaptchaRules: a captcha that cannot be verified is not switched on.
func TestCaptchaRules(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	patch(`{"security_captcha_enabled":true}`).Refused(t, 400, "validation_failed", "security_captcha_provider: is required")
	patch(`{"security_captcha_enabled":true,"security_captcha_provider":"turnstile"}`).Refused(t, 400, "validation_failed", "security_captcha_secret: is required")
	patch(`{"security_captcha_enabled":true,"security_captcha_provider":"turnstile","security_captcha_secret":"s3cret"}`).Want(t, 200, `"security_captcha_provider":"turnstile"`)
	patch(`{"security_captcha_secret":null}`).Refused(t, 400, "validation_failed", "security_captcha_secret: is required")
	patch(`{"security_captcha_enabled":false,"security_captcha_secret":null,"security_captcha_provider":null}`).Want(t, 200, `"security_captcha_provider":null`)
}

// TestPasskeyRules: passkeys are not switched on without a domain to make them for.
// A policy has a second factor that users can enroll, notes when it began, and keeps that
// through changes of other settings, dry runs and rollbacks.
func TestMFAPolicy(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	const began = `"mfa_policy_since":"2`
	patch(`{"mfa_policy":"by_role"}`).Refused(t, 400, "validation_failed", "mfa_policy_roles: is required")
	patch(`{"mfa_totp_enroll_enabled":false,"mfa_policy":"required"}`).Refused(t, 400, "validation_failed", "mfa_policy: needs a second factor")
	patch(`{"mfa_totp_enroll_enabled":false,"mfa_policy":"optional"}`).Want(t, 200, `"mfa_policy_since":null`)
	patch(`{"mfa_policy":"without_sso"}`).Refused(t, 400, "validation_failed", "mfa_policy: needs a second factor")
	patch(`{"mfa_policy":"without_sso","passkey_enabled":true,"passkey_aal2_enabled":true}`).Want(t, 200, began)
	patch(`{"mfa_totp_enroll_enabled":true,"passkey_enabled":false}`).Want(t, 200)
	patch(`{"mfa_totp_verify_enabled":false}`).Refused(t, 400, "validation_failed", "mfa_policy: needs a second factor")
	patch(`{"mfa_policy_since":"2026-01-31T00:00:00Z","mfa_policy_grace_period":30}`).Want(t, 200)
	on := map[string]any{}
	patch(`{"mfa_policy_grace_period":14,"disable_signup":true}`).Want(t, 200, `"mfa_policy_since":"2026-01-31T00:00:00Z"`).Into(t, &on)
	version := w.Do(t, w.Developer, "GET", path, "").Header.Get("ETag")
	patch(`{"mfa_policy":"off"}`).Want(t, 200, `"mfa_policy_since":null`)
	got := map[string]any{}
	w.Do(t, w.Developer, "POST", path+"/history/"+strings.Trim(version, `"`)+"/rollback", "").Want(t, 200, `"mfa_policy":"without_sso"`, began).Into(t, &got)
	if since := got["mfa_policy_since"]; since == "2026-01-31T00:00:00Z" {
		t.Errorf("a policy that was off meanwhile began at %v", since)
	}
}

func TestPasskeyRules(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	patch(`{"passkey_enabled":true}`).Want(t, 200)
	patch(`{"site_url":"http://127.0.0.1:3000"}`).Refused(t, 400, "validation_failed", "webauthn_rp_id: is required")
	patch(`{"site_url":"http://127.0.0.1:3000","webauthn_rp_id":"localhost"}`).Want(t, 200)
	patch(`{"webauthn_rp_id":null}`).Refused(t, 400, "validation_failed", "webauthn_rp_id: is required")
}

func TestEverySettingHasCases(t *testing.T) {
	t.Parallel()
	for _, s := range setting.All() {
		c, ok := table[s.Name]
		if wants := s.Available() && !s.Secret; wants != ok {
			t.Errorf("%s: cases %v, want %v", s.Name, ok, wants)
		}
		if ok && (len(c.good) == 0 || len(c.bad) == 0) {
			t.Errorf("%s: no accepted or no refused value", s.Name)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	defaults := map[string]any{}
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Into(t, &defaults)
	for name, c := range table {
		t.Run(name, func(t *testing.T) {
			for _, value := range c.good {
				got := map[string]any{}
				w.Do(t, w.Developer, "PATCH", path, fmt.Sprintf(`{%q:%s%s}`, name, value, also(name, value))).Want(t, 200).Into(t, &got)
				var want any
				if err := json.Unmarshal([]byte(value), &want); err != nil {
					t.Fatal(err)
				}
				if declared, _ := setting.ByName(name); declared.Null && want == "" {
					want = nil
				}
				if got[name] != want {
					t.Errorf("%s is %v after it was set to %s", name, got[name], value)
				}
				w.Do(t, w.Developer, "PATCH", path, fmt.Sprintf(`{%q:null,"smtp_host":null,"smtp_admin_email":null}`, name)).Want(t, 200).Into(t, &got)
				if got[name] != defaults[name] {
					t.Errorf("%s is %v after null, its default is %v", name, got[name], defaults[name])
				}
			}
			before := w.Do(t, w.ReadOnly, "GET", path, "")
			for _, value := range c.bad {
				w.Do(t, w.Developer, "PATCH", path, fmt.Sprintf(`{%q:%s}`, name, value)).
					Refused(t, 400, "validation_failed", name+": ")
			}
			if after := w.Do(t, w.ReadOnly, "GET", path, ""); string(after.Body) != string(before.Body) {
				t.Errorf("refused patches changed something: %s", after.Body)
			}
		})
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Golden(t, "defaults")
	changed := w.Do(t, w.Developer, "PATCH", path, `{"disable_signup":true,"smtp_pass":"hunter2"}`).Want(t, 200).Golden(t, "changed")
	if got := w.Do(t, w.ReadOnly, "GET", path, ""); string(got.Body) != string(changed.Body) {
		t.Errorf("read %s, written %s", got.Body, changed.Body)
	}
	w.Do(t, w.Developer, "PATCH", path, `{"foo":1}`).Refused(t, 400, "validation_failed", "foo: unknown field")
	w.Do(t, w.Developer, "PATCH", path, `{"Site_URL":"https://x.example"}`).Refused(t, 400, "validation_failed", "Site_URL: unknown field")
	w.Do(t, w.Developer, "PATCH", path, `{"password_min_length":5}`).Refused(t, 400, "validation_failed", "password_min_length: must be at least 6")
	// All or nothing.
	w.Do(t, w.Developer, "PATCH", path, `{"disable_signup":false,"jwt_exp":0}`).Refused(t, 400, "validation_failed", "jwt_exp: ")
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200, `"disable_signup":true`)
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	password := func() string {
		tenant, err := w.DB.Tenant(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		return tenant.Secrets.Settings["smtp_pass"]
	}
	patch(`{"smtp_host":"smtp.example.com"}`).Refused(t, 400, "validation_failed", "smtp_admin_email: ")
	var shown struct {
		SMTPPass string `json:"smtp_pass"`
	}
	got := patch(`{"smtp_host":"smtp.example.com","smtp_admin_email":"a@example.com","smtp_pass":"hunter2"}`).Want(t, 200).Into(t, &shown)
	if strings.Contains(string(got.Body), "hunter2") || len(shown.SMTPPass) != 64 {
		t.Errorf("smtp_pass = %q", shown.SMTPPass)
	}
	if password() != "hunter2" {
		t.Error("the tenant does not have the password")
	}
	// A patch of another field keeps it, and so does writing back the answer.
	patch(`{"jwt_exp":60}`).Want(t, 200, shown.SMTPPass)
	patch(`{"smtp_pass":"`+shown.SMTPPass+`"}`).Want(t, 200, shown.SMTPPass)
	if password() != "hunter2" {
		t.Error("the password changed")
	}
	var readable int
	err := w.DB.Pool().QueryRow(t.Context(), `SELECT count(*) FROM auth_configs
		WHERE position('hunter2'::bytea IN secrets) > 0 OR config::text LIKE '%hunter2%'`).Scan(&readable)
	if err != nil || readable > 0 {
		t.Errorf("%d versions hold the password readable, %v", readable, err)
	}
	patch(`{"smtp_pass":5}`).Refused(t, 400, "validation_failed", "smtp_pass: ")
	patch(`{"smtp_pass":"`+strings.Repeat("x", 1025)+`"}`).Refused(t, 400, "validation_failed", "smtp_pass: ")
	patch(`{"smtp_pass":null}`).Want(t, 200, `"smtp_pass":null`)
	if password() != "" {
		t.Error("the password is still there")
	}
}

// TestFingerprint: a secret's fingerprint cannot be computed without the
// server, and is never accepted as a secret.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	read := func(r controltest.Response) string {
		var v struct {
			SMTPPass string `json:"smtp_pass"`
		}
		r.Want(t, 200).Into(t, &v)
		return v.SMTPPass
	}
	first := read(patch(`{"smtp_pass":"hunter2"}`))
	bare := sha256.Sum256([]byte("hunter2"))
	keyed := hmac.New(sha256.New, []byte(ref)) // the ref is public
	keyed.Write([]byte("hunter2"))
	if first == hex.EncodeToString(bare[:]) || first == hex.EncodeToString(keyed.Sum(nil)) {
		t.Error("the fingerprint can be computed by whoever guesses the secret")
	}
	other := w.Project(t, w.Acme, "Other").Project.Ref
	if got := read(w.Do(t, w.Developer, "PATCH", "/v1/projects/"+string(other)+"/config/auth", `{"smtp_pass":"hunter2"}`)); got == first {
		t.Error("two projects have the same fingerprint for the same secret")
	}
	if again := read(patch(`{"smtp_pass":"hunter2"}`)); again != first {
		t.Error("the fingerprint of an unchanged secret changed")
	}
	if second := read(patch(`{"smtp_pass":"hunter3"}`)); second == first {
		t.Error("the fingerprint does not show that the secret changed")
	}
	patch(`{"smtp_pass":"`+first+`"}`).Refused(t, 400, "validation_failed", "smtp_pass: ")
	patch(`{"smtp_pass":null}`).Want(t, 200)
	patch(`{"smtp_pass":"`+first+`"}`).Refused(t, 400, "validation_failed", "smtp_pass: ")
	// A secret that only looks like a fingerprint is a secret.
	patch(`{"smtp_pass":"`+hex.EncodeToString(bare[:])+`"}`).Want(t, 200)
}

// TestRoundTrip: a client that writes back what it read changes nothing.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	patch := func(body string) controltest.Response { return w.Do(t, w.Developer, "PATCH", path, body) }
	for _, change := range []string{
		`{}`,
		`{"smtp_host":"smtp.example.com","smtp_admin_email":"a@example.com","smtp_pass":"hunter2","sessions_timebox":1.5,
		  "mailer_subjects_invite":"Hi","password_min_length":9,"disable_signup":true}`,
	} {
		patch(change).Want(t, 200)
		read := w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200)
		before, err := w.DB.Tenant(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if written := patch(string(read.Body)).Want(t, 200); string(written.Body) != string(read.Body) {
			t.Errorf("read %s, written %s", read.Body, written.Body)
		}
		after, err := w.DB.Tenant(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if after.Version != before.Version {
			t.Error("the project changed")
		}
	}
}

// TestNotAvailable: a setting without a feature has one value.
func TestNotAvailable(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patch := func(name string, value any) controltest.Response {
		raw, err := json.Marshal(map[string]any{name: value})
		if err != nil {
			t.Fatal(err)
		}
		return w.Do(t, w.Developer, "PATCH", path, string(raw))
	}
	before := w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200)
	var answer map[string]any
	before.Into(t, &answer)
	for _, s := range setting.All() {
		value, ok := answer[s.Name]
		if !ok {
			t.Errorf("%s is not answered", s.Name)
		}
		if s.Available() {
			continue
		}
		patch(s.Name, value).Want(t, 200)
		patch(s.Name, nil).Want(t, 200)
		for _, other := range []any{value != true, 7, "x", []string{}} {
			if s.Kind != setting.Bool && other == (value != true) {
				continue
			}
			r := patch(s.Name, other).Refused(t, 400, "validation_failed", s.Name+": ")
			if !strings.Contains(string(r.Body), "not available yet") {
				t.Errorf("%s: %s", s.Name, r.Body)
			}
		}
	}
	if after := w.Do(t, w.ReadOnly, "GET", path, ""); string(after.Body) != string(before.Body) {
		t.Errorf("something changed: %s", after.Body)
	}
}

// TestOpenAPI: the document describes each setting in the body and in the answer.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	type schema struct {
		Ref        string `json:"$ref"`
		Required   []string
		Properties map[string]struct {
			Type        any
			Description string
			Minimum     *float64
			Maximum     *float64
			WriteOnly   bool
		}
	}
	type content struct {
		Content map[string]struct{ Schema schema }
	}
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody content
			Responses   map[string]content
		}
		Components struct{ Schemas map[string]schema }
	}
	w.Do(t, "", "GET", "/v1/openapi.json", "").Want(t, 200).Into(t, &doc)
	resolve := func(c content) schema {
		name := strings.TrimPrefix(c.Content["application/json"].Schema.Ref, "#/components/schemas/")
		return doc.Components.Schemas[name]
	}
	routes := doc.Paths["/v1/projects/{ref}/config/auth"]
	body, got, changed := resolve(routes["patch"].RequestBody), resolve(routes["get"].Responses["200"]), resolve(routes["patch"].Responses["200"])
	var answer map[string]any
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Into(t, &answer)
	all := setting.All()
	if len(answer) != len(all) || len(body.Properties) != len(all) || len(got.Properties) != len(all) ||
		len(changed.Properties) != len(all) || len(got.Required) != len(all) || len(body.Required) != 0 {
		t.Fatalf("%d settings: %d answered, %d, %d and %d described, %d of them required", len(all), len(answer),
			len(body.Properties), len(got.Properties), len(changed.Properties), len(got.Required))
	}
	for _, s := range all {
		in, out := body.Properties[s.Name], got.Properties[s.Name]
		if in.Description == "" || out.Description == "" {
			t.Errorf("%s is not described", s.Name)
		}
		if diff := cmp.Diff([]any{string(s.Kind), "null"}, in.Type); diff != "" {
			t.Errorf("%s in the body (-want +got):\n%s", s.Name, diff)
		}
		want := any(string(s.Kind))
		if s.Nullable() {
			want = []any{want, "null"}
		}
		if diff := cmp.Diff(want, out.Type); diff != "" {
			t.Errorf("%s in the answer (-want +got):\n%s", s.Name, diff)
		}
		if answer[s.Name] == nil && !s.Nullable() {
			t.Errorf("%s is null", s.Name)
		}
		if in.WriteOnly != s.Secret {
			t.Errorf("%s is write-only: %v", s.Name, in.WriteOnly)
		}
		if s.Max > 0 && (in.Maximum == nil || *in.Maximum != s.Max || in.Minimum == nil || *in.Minimum != s.Min) {
			t.Errorf("%s: bounds are not described", s.Name)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	versions := func() (n, inForce int) {
		err := w.DB.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM auth_configs WHERE ref = $1), config_version
			FROM projects WHERE ref = $1`, string(ref)).Scan(&n, &inForce)
		if err != nil {
			t.Fatal(err)
		}
		return n, inForce
	}
	w.Do(t, w.Developer, "PATCH", path, `{}`).Want(t, 200)
	w.Do(t, w.Developer, "PATCH", path, `{"jwt_exp":3600}`).Want(t, 200)
	if n, inForce := versions(); n != 1 || inForce != 1 {
		t.Errorf("%d versions, %d in force, after patches that change nothing", n, inForce)
	}
	var before, after int64
	version := func() (v int64) {
		if err := w.DB.Pool().QueryRow(t.Context(), "SELECT version FROM projects WHERE ref = $1", string(ref)).Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	before = version()
	w.Do(t, w.Owner, "PATCH", path, `{"jwt_exp":60}`).Want(t, 200)
	if after = version(); after <= before {
		t.Errorf("the project's version went from %d to %d: nobody hears of the change", before, after)
	}
	stored, err := w.DB.AuthConfigVersion(t.Context(), ref, 2)
	if err != nil || stored.Author == nil || *stored.Author != w.OwnerID || stored.Config.JWTExp != 60 {
		t.Errorf("version 2 is %+v, %v", stored, err)
	}
}

// TestTemplatesAreCheckedWithoutConnection: the check of a template takes
// processor time, so it must hold no connection and no lock.
func TestTemplatesAreCheckedWithoutConnection(t *testing.T) {
	t.Parallel()
	var held []int32
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&authconfig.Handler{Service: &authconfig.Service{
			DB: w.DB, Authz: w.Authz, Now: controltest.Now, CheckTemplate: func(context.Context, message.Kind, bool, string) error {
				// The announcement of an earlier change holds one for a moment; the
				// request's own would be held until the check returns.
				for range 500 {
					if w.DB.Pool().Stat().AcquiredConns() == 0 {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				held = append(held, w.DB.Pool().Stat().AcquiredConns())
				return nil
			},
		}}}
	})
	path := "/v1/projects/" + string(w.Project(t, w.Acme, "Shop").Project.Ref) + "/config/auth"
	w.Do(t, w.Developer, "PATCH", path, `{"mailer_subjects_invite":"x","mailer_templates_invite_content":"y"}`).Want(t, 200, `"mailer_subjects_invite":"x"`)
	if diff := cmp.Diff([]int32{0, 0}, held); diff != "" {
		t.Errorf("connections held during the checks (-want +got):\n%s", diff)
	}
}

func TestConcurrentPatches(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	patches := []string{
		`{"jwt_exp":61}`, `{"mailer_otp_exp":62}`, `{"mailer_otp_length":8}`, `{"password_min_length":9}`,
		`{"rate_limit_otp":63}`, `{"disable_signup":true}`,
	}
	var wg sync.WaitGroup
	for _, body := range patches {
		wg.Go(func() {
			if got := w.Do(t, w.Developer, "PATCH", path, body); got.Status != 200 {
				t.Errorf("%s: %d %s", body, got.Status, got.Body)
			}
		})
	}
	wg.Wait()
	got := w.Do(t, w.ReadOnly, "GET", path, "")
	for _, body := range patches {
		if member := strings.Trim(body, "{}"); !strings.Contains(string(got.Body), member) {
			t.Errorf("%s was lost: %s", member, got.Body)
		}
	}
}

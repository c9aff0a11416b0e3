package setting

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/e164"
)

// Phone is sign-in with a telephone number. The settings of the gateways are
// packed, as those of identity providers are: see Config.SMSGateway.
type Phone struct {
	ExternalPhoneEnabled bool
	SMSAutoconfirm       bool
	SMSMaxFrequency      int // seconds between two messages of a kind to one number
	SMSOTPExp            int // seconds
	SMSOTPLength         int
	SMSTemplate          string
}

// The gateways, as sms_provider names them.
const (
	Twilio       = "twilio"
	TwilioVerify = "twilio_verify"
	MessageBird  = "messagebird"
	Textlocal    = "textlocal"
	Vonage       = "vonage"
)

// SMSGateway is a project's account at the gateway that sends its text messages.
type SMSGateway struct {
	Provider string // "" when the project has chosen none
	URL      string // of the API; "" for the provider's own
	Account  string // account SID or API key; "" if the secret alone is enough
	Secret   string // the name of the secret in Secrets
	From     string // a number, a name or a messaging service
	// ContentSID is the template of messages by WhatsApp, at Twilio.
	ContentSID string
}

// gatewaySettings names the settings of an account at a gateway.
type gatewaySettings struct{ account, secret, from string }

var gateways = map[string]gatewaySettings{
	Twilio:       {"sms_twilio_account_sid", "sms_twilio_auth_token", "sms_twilio_message_service_sid"},
	TwilioVerify: {"sms_twilio_verify_account_sid", "sms_twilio_verify_auth_token", "sms_twilio_verify_message_service_sid"},
	MessageBird:  {"", "sms_messagebird_access_key", "sms_messagebird_originator"},
	Textlocal:    {"", "sms_textlocal_api_key", "sms_textlocal_sender"},
	Vonage:       {"sms_vonage_api_key", "sms_vonage_api_secret", "sms_vonage_from"},
}

// SMSGateway returns the project's account at its gateway.
func (c *Config) SMSGateway() SMSGateway {
	provider := c.text("sms_provider")
	names := gateways[provider]
	g := SMSGateway{
		Provider: provider, URL: strings.TrimRight(c.text("sms_provider_url"), "/"),
		Secret: names.secret, From: c.text(names.from),
	}
	if names.account != "" {
		g.Account = c.text(names.account)
	}
	if provider == Twilio {
		g.ContentSID = c.text("sms_twilio_content_sid")
	}
	return g
}

// SMSOTPTTL is how long a code in a text message is good for.
func (c *Config) SMSOTPTTL() time.Duration { return time.Duration(c.SMSOTPExp) * time.Second }

// SMSText is a text message with this code.
func (c *Config) SMSText(code string) string {
	return codeInText.ReplaceAllLiteralString(c.SMSTemplate, code)
}

// TestOTP returns the fixed code of a number, to which no message is sent; "" if
// the number has none at this time.
func (c *Config) TestOTP(phone string, now time.Time) string {
	list := c.text("sms_test_otp")
	if list == "" {
		return ""
	}
	if until, err := time.Parse(time.RFC3339, c.text("sms_test_otp_valid_until")); err == nil && !now.Before(until) {
		return ""
	}
	for pair := range strings.SplitSeq(list, ",") {
		if number, code, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && number == phone {
			return code
		}
	}
	return ""
}

// SMSAllowed reports whether the project sends to numbers of a country, which is
// an ISO code, or "" for a number without a country.
func (c *Config) SMSAllowed(country string) bool {
	list := c.text("sms_allowed_countries")
	if list == "" {
		return true
	}
	for code := range strings.SplitSeq(list, ",") {
		if country != "" && strings.TrimSpace(code) == country {
			return true
		}
	}
	return false
}

// smsTemplate is the reference's text of a message with a code.
const smsTemplate = "Your code is {{ .Code }}"

// phone is sign-in with a telephone number, and who sends the messages.
func phone() Group {
	return Group{
		Title: "Phone",
		Settings: []Setting{
			{
				Name: "external_phone_enabled", Kind: Bool, Public: "external.phone",
				Field:  func(c *Config) any { return &c.ExternalPhoneEnabled },
				Effect: "Allows sign-up and sign-in with a phone number, by password or by a code. See [phone](phone.md).",
			},
			{
				// The reference's command line sends true for a project without phone
				// sign-in; false would make it try to change the setting each time.
				Name: "sms_autoconfirm", Kind: Bool, Default: true, Public: "phone_autoconfirm",
				Field:  func(c *Config) any { return &c.SMSAutoconfirm },
				Effect: "Takes the number of a sign-up with a password for confirmed: no message is sent, and anybody can sign up with any number. Set it to false unless another party checks the numbers.",
			},
			{
				Name: "sms_max_frequency", Kind: Integer, Default: 5, Min: 0, Max: maxInt16,
				Field:  func(c *Config) any { return &c.SMSMaxFrequency },
				Effect: "Least number of seconds between two messages of a kind to one number.",
			},
			{
				Name: "sms_otp_exp", Kind: Integer, Default: 60, Min: 1, Max: maxTTL,
				Field:  func(c *Config) any { return &c.SMSOTPExp },
				Effect: "Seconds for which a code in a message is valid. A message that could not be delivered by then is not sent any more.",
			},
			{
				Name: "sms_otp_length", Kind: Integer, Default: 6, Min: 6, Max: 10,
				Field:  func(c *Config) any { return &c.SMSOTPLength },
				Effect: "Digits of a code in a message.",
			},
			{
				Name: "sms_template", Kind: Text, Default: smsTemplate, MaxLength: 640, Lines: true, Format: textTemplate,
				Field:  func(c *Config) any { return &c.SMSTemplate },
				Effect: "Text of a message. `{{ .Code }}` stands for the code.",
			},
			packedText("sms_test_otp", 4096, optional(testOTPs), "Numbers with fixed codes, to which no message is sent, such as `14155550123=123456,447700900123=654321`."),
			packedText("sms_test_otp_valid_until", 64, optional(moment), "When the fixed codes end, such as `2027-01-31T00:00:00Z`; empty for never."),
			packedText("sms_allowed_countries", 1024, optional(countries), "ISO codes of the countries to which messages are sent, such as `DE,AT,CH`; empty for all. It guards against SMS pumping."),
			smsProvider(),
			packedText("sms_provider_url", maxURL, optional(providerURL), "Address of the gateway's API, without the path, for a region of its own; empty for the provider's usual one."),
			{
				Name: "sms_messagebird_access_key", Kind: Text, Secret: true, MaxLength: maxSecret,
				Effect: "Access key at MessageBird (Bird).",
			},
			packedText("sms_messagebird_originator", 32, nil, "Sender of the messages: a number or a name."),
			{
				Name: "sms_textlocal_api_key", Kind: Text, Secret: true, MaxLength: maxSecret,
				Effect: "API key at Textlocal.",
			},
			packedText("sms_textlocal_sender", 32, nil, "Sender of the messages."),
			packedText("sms_twilio_account_sid", 64, nil, "Account SID at Twilio."),
			{
				Name: "sms_twilio_auth_token", Kind: Text, Secret: true, MaxLength: maxSecret,
				Effect: "Auth token of the account.",
			},
			packedText("sms_twilio_content_sid", 64, nil, "Content template of messages by WhatsApp; its variable 1 is the code."),
			packedText("sms_twilio_message_service_sid", 64, nil, "Messaging service (`MG...`) or number that sends."),
			packedText("sms_twilio_verify_account_sid", 64, nil, "Account SID at Twilio, for Twilio Verify."),
			{
				Name: "sms_twilio_verify_auth_token", Kind: Text, Secret: true, MaxLength: maxSecret,
				Effect: "Auth token of that account.",
			},
			packedText("sms_twilio_verify_message_service_sid", 64, nil, "Verify service (`VA...`)."),
			packedText("sms_vonage_api_key", 64, nil, "API key at Vonage."),
			{
				Name: "sms_vonage_api_secret", Kind: Text, Secret: true, MaxLength: maxSecret,
				Effect: "API secret at Vonage.",
			},
			packedText("sms_vonage_from", 32, nil, "Sender of the messages: a number or a name."),
		},
		Rules: []Rule{{
			Text:  "With `external_phone_enabled` or `mfa_phone_verify_enabled`, the gateway of `sms_provider` needs its account, its secret and its sender.",
			Check: gatewayComplete,
		}},
	}
}

func smsProvider() Setting {
	s := packedText("sms_provider", 0, nil, "Gateway that sends the messages.")
	s.OneOf, s.Public = []string{"", MessageBird, Textlocal, Twilio, TwilioVerify, Vonage}, "sms_provider"
	return s
}

// packedText is a text that few projects set, which is null while it is empty.
func packedText(name string, most int, format func(string) error, effect string) Setting {
	return Setting{
		Name: name, Kind: Text, MaxLength: most, Format: format, Null: true, Effect: effect,
		packed: &packed{
			get: func(c *Config) any { return c.text(name) },
			set: func(c *Config, value any) { c.setText(name, value.(string)) },
		},
	}
}

// gatewayComplete refuses a gateway that cannot work.
func gatewayComplete(c *Config, secrets Secrets) error {
	g := c.SMSGateway()
	if !c.ExternalPhoneEnabled && !c.PhoneVerify || g.Provider == "" {
		return nil
	}
	names := gateways[g.Provider]
	switch {
	case names.account != "" && g.Account == "":
		return fmt.Errorf("%s: is required with sms_provider %s", names.account, g.Provider)
	case secrets[g.Secret] == "":
		return fmt.Errorf("%s: is required with sms_provider %s", names.secret, g.Provider)
	case g.From == "":
		return fmt.Errorf("%s: is required with sms_provider %s", names.from, g.Provider)
	}
	return nil
}

// codeInText is the variable of a text message.
var codeInText = regexp.MustCompile(`\{\{\s*\.Code\s*\}\}`)

// textTemplate accepts a text with the code, and no other action: a text message
// has nothing else to show.
func textTemplate(s string) error {
	rest := codeInText.ReplaceAllString(s, "")
	switch {
	case rest == s:
		return errors.New("must show {{ .Code }}")
	case strings.Contains(rest, "{{"), strings.Contains(rest, "}}"):
		return errors.New("can show {{ .Code }} only")
	}
	return nil
}

var testOTPForm = regexp.MustCompile(`^[1-9][0-9]{1,14}=[0-9]{6,10}$`)

// testOTPs accepts pairs of number and code, separated by commas.
func testOTPs(s string) error {
	for pair := range strings.SplitSeq(s, ",") {
		if pair = strings.TrimSpace(pair); pair != "" && !testOTPForm.MatchString(pair) {
			return errors.New("must be pairs such as 14155550123=123456, separated by commas: a number without + and 6 to 10 digits")
		}
	}
	return nil
}

func moment(s string) error {
	if _, err := time.Parse(time.RFC3339, s); err != nil {
		return errors.New("must be a time such as 2027-01-31T00:00:00Z")
	}
	return nil
}

func countries(s string) error {
	for code := range strings.SplitSeq(s, ",") {
		if code = strings.TrimSpace(code); !e164.IsCountry(code) {
			return fmt.Errorf("%q is no ISO 3166-1 code of a country, such as DE", code)
		}
	}
	return nil
}

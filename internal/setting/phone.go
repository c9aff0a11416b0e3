package setting

// smsTemplate is the reference's text of a message with a code.
const smsTemplate = "Your code is {{ .Code }}"

// phone is sign-in with a telephone number, and who sends the messages.
func phone() Group {
	return Group{Title: "Phone", Settings: []Setting{
		{Name: "external_phone_enabled", Kind: Bool, Public: "external.phone"},
		// The value that the reference's command line sends for a project without
		// phone sign-in; false would make it try to change the setting each time.
		{Name: "sms_autoconfirm", Kind: Bool, Default: true},
		{Name: "sms_max_frequency", Kind: Integer, Default: 5},
		{Name: "sms_otp_exp", Kind: Integer, Default: 60},
		{Name: "sms_otp_length", Kind: Integer, Default: 6},
		{Name: "sms_template", Kind: Text, Default: smsTemplate},
		{Name: "sms_test_otp", Kind: Text},
		{Name: "sms_test_otp_valid_until", Kind: Text},
		{Name: "sms_provider", Kind: Text, OneOf: []string{"messagebird", "textlocal", "twilio", "twilio_verify", "vonage"}, Public: "sms_provider"},
		{Name: "sms_messagebird_access_key", Kind: Text, Secret: true, MaxLength: maxSecret},
		{Name: "sms_messagebird_originator", Kind: Text},
		{Name: "sms_textlocal_api_key", Kind: Text, Secret: true, MaxLength: maxSecret},
		{Name: "sms_textlocal_sender", Kind: Text},
		{Name: "sms_twilio_account_sid", Kind: Text},
		{Name: "sms_twilio_auth_token", Kind: Text, Secret: true, MaxLength: maxSecret},
		{Name: "sms_twilio_content_sid", Kind: Text},
		{Name: "sms_twilio_message_service_sid", Kind: Text},
		{Name: "sms_twilio_verify_account_sid", Kind: Text},
		{Name: "sms_twilio_verify_auth_token", Kind: Text, Secret: true, MaxLength: maxSecret},
		{Name: "sms_twilio_verify_message_service_sid", Kind: Text},
		{Name: "sms_vonage_api_key", Kind: Text},
		{Name: "sms_vonage_api_secret", Kind: Text, Secret: true, MaxLength: maxSecret},
		{Name: "sms_vonage_from", Kind: Text},
	}}
}

package setting

// passkeys is sign-in with a passkey, and the relying party that it is for.
func passkeys() Group {
	return Group{Title: "Passkeys", Settings: []Setting{
		{Name: "passkey_enabled", Kind: Bool, Public: "passkeys_enabled"},
		{Name: "webauthn_rp_display_name", Kind: Text},
		{Name: "webauthn_rp_id", Kind: Text},
		{Name: "webauthn_rp_origins", Kind: Text},
	}}
}

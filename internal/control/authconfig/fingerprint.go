package authconfig

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// fingerprinter computes what answers show in place of a secret setting: it
// shows whether the secret is unchanged, and nothing else. The key is per
// project and never leaves the server, so a fingerprint cannot be used to test
// guesses.
type fingerprinter struct{ key []byte }

// of returns the fingerprint of a secret: 64 hex digits. The first half is a
// MAC of name and secret. The second half is a MAC of the first, which
// identifies fingerprints even after the secret changed.
func (f fingerprinter) of(name, secret string) string {
	half := f.mac("secret", name, secret)
	return hex.EncodeToString(append(half, f.mac("fingerprint", name, string(half))...))
}

// made reports whether text is the fingerprint of any secret of that name.
func (f fingerprinter) made(name, text string) bool {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return false
	}
	half := raw[:sha256.Size/2]
	return hmac.Equal(raw[sha256.Size/2:], f.mac("fingerprint", name, string(half)))
}

// mac is half of an HMAC-SHA-256; only the last part may contain a zero byte.
func (f fingerprinter) mac(purpose, name, text string) []byte {
	h := hmac.New(sha256.New, f.key)
	h.Write([]byte(purpose + "\x00" + name + "\x00" + text))
	return h.Sum(nil)[:sha256.Size/2]
}

package tenants

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"strings"
	"time"
)

// KeyType says what an API key may do.
type KeyType string

// The types of API key. A publishable key acts as anon, a secret key as
// service_role.
const (
	KeyPublishable KeyType = "publishable"
	KeySecret      KeyType = "secret"
)

// Prefix is the text that keys of the type begin with. SDKs recognise keys by
// it and treat them as opaque.
func (t KeyType) Prefix() string { return "sb_" + string(t) + "_" }

const (
	keyRandom   = 22
	keyChecksum = 8
	keyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// KeyHash is the HMAC of an API key: all of a secret key that is stored.
type KeyHash [sha256.Size]byte

// APIKey is a key as the registry holds it.
type APIKey struct {
	ID        string
	Type      KeyType
	Name      string
	ExpiresAt time.Time // zero = never
	// Scopes are all that a secret key may do, and Networks the only ones from
	// which a key may be used; nil = no restriction.
	Scopes   []KeyScope
	Networks []netip.Prefix
}

// NewKey generates a key: prefix, 22 random characters (131 bits), "_", 8
// characters of checksum.
func NewKey(t KeyType) string {
	buf := make([]byte, keyRandom)
	_, _ = rand.Read(buf)
	for i, b := range buf {
		buf[i] = keyAlphabet[b&63]
	}
	body := t.Prefix() + string(buf)
	return body + "_" + checksum(body)
}

// ParseKey checks a key's form and checksum before any lookup; ok is false for
// any other text. The checksum only detects typing errors.
func ParseKey(key string) (t KeyType, ok bool) {
	switch {
	case strings.HasPrefix(key, "sb_publishable_"):
		t = KeyPublishable
	case strings.HasPrefix(key, "sb_secret_"):
		t = KeySecret
	default:
		return "", false
	}
	if len(key) != len(t.Prefix())+keyRandom+1+keyChecksum {
		return "", false
	}
	body, sum := key[:len(key)-keyChecksum-1], key[len(key)-keyChecksum:]
	if key[len(body)] != '_' || subtle.ConstantTimeCompare([]byte(checksum(body)), []byte(sum)) != 1 {
		return "", false
	}
	return t, true
}

// LooksLikeKey reports whether s has the prefix of an API key of the new kind.
func LooksLikeKey(s string) bool {
	return strings.HasPrefix(s, "sb_publishable_") || strings.HasPrefix(s, "sb_secret_")
}

func checksum(body string) string {
	sum := sha256.Sum256([]byte(body))
	out := make([]byte, keyChecksum)
	for i := range out {
		out[i] = keyAlphabet[sum[i]&63]
	}
	return string(out)
}

// KeyHasher computes KeyHashes with a pepper that only the process knows, so
// that a copy of the control database does not allow guesses to be tested.
type KeyHasher struct{ Pepper []byte }

// Hash is HMAC-SHA256(pepper, key).
func (h KeyHasher) Hash(key string) KeyHash {
	mac := hmac.New(sha256.New, h.Pepper)
	mac.Write([]byte(key))
	return KeyHash(mac.Sum(nil))
}

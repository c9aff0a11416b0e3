package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
)

// OneTime is a new one-time token. A person types Code in, a URL carries Link,
// and Hash is stored. Link is derived from address and code with the project's
// key, so both find the same row. Hash is a digest of Link, so a copy of the
// database yields neither.
type OneTime struct {
	Code string
	Link string
	Hash string
}

// linkBytes is the entropy of a Link: 28 bytes, 56 hex digits, as long as the
// reference's.
const linkBytes = 28

// NewOneTime generates a code of that many decimal digits for the address.
func NewOneTime(key []byte, address string, digits int) OneTime {
	code := make([]byte, digits)
	for i := range code {
		n, _ := rand.Int(rand.Reader, big.NewInt(10)) // never fails since Go 1.24
		code[i] = byte('0' + n.Int64())
	}
	return oneTime(key, address, string(code))
}

// OneTimeOf returns the token of a code that was typed in.
func OneTimeOf(key []byte, address, code string) OneTime { return oneTime(key, address, code) }

func oneTime(key []byte, address, code string) OneTime {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("one-time token\x00" + strings.ToLower(address) + "\x00" + code))
	link := hex.EncodeToString(mac.Sum(nil)[:linkBytes])
	return OneTime{Code: code, Link: link, Hash: HashLink(link)}
}

// PKCEPrefix marks a link that is answered with a code instead of a session.
const PKCEPrefix = "pkce_"

// HashLink is the stored digest of a Link; it ignores a PKCE prefix.
func HashLink(link string) string {
	sum := sha256.Sum256([]byte(strings.TrimPrefix(link, PKCEPrefix)))
	return hex.EncodeToString(sum[:linkBytes])
}

package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"

	"github.com/google/uuid"
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

// NewLink generates a token that only a URL carries, and the digest that is stored.
func NewLink() (link, hash string) {
	raw := make([]byte, linkBytes)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	link = hex.EncodeToString(raw)
	return link, HashLink(link)
}

// OneTimeOf returns the token of a code that was typed in.
func OneTimeOf(key []byte, address, code string) OneTime { return oneTime(key, address, code) }

func oneTime(key []byte, address, code string) OneTime {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("one-time token\x00" + strings.ToLower(address) + "\x00" + code))
	link := hex.EncodeToString(mac.Sum(nil)[:linkBytes])
	return OneTime{Code: code, Link: link, Hash: HashLink(link)}
}

// ObfuscatedID returns the user id in the answer to a sign-up whose address is
// taken. It looks random, and is the same for every sign-up with the address, as
// the id of a user who was created by the first of them.
func ObfuscatedID(key []byte, address string) uuid.UUID {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("obfuscated user\x00" + strings.ToLower(address)))
	id := uuid.UUID(mac.Sum(nil)[:16])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4 (RFC 9562, section 5.4)
	return id
}

// PKCEPrefix marks a link that is answered with a code instead of a session.
const PKCEPrefix = "pkce_"

// HashLink is the stored digest of a Link; it ignores a PKCE prefix.
func HashLink(link string) string {
	sum := sha256.Sum256([]byte(strings.TrimPrefix(link, PKCEPrefix)))
	return hex.EncodeToString(sum[:linkBytes])
}

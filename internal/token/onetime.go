package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
)

// OneTime is a fresh one-time token: Code is typed in by a person, Link travels
// in a link, Hash is what is stored. Link follows from the address and the code
// under the project's key, so either finds the same row; Hash is a digest of
// Link, so a copy of the database yields neither.
type OneTime struct {
	Code string
	Link string
	Hash string
}

// linkBytes is the entropy of a Link: 28 bytes, 56 hex digits, as long as the
// reference's.
const linkBytes = 28

// NewOneTime draws a code with digits decimal digits for the address.
func NewOneTime(key []byte, address string, digits int) OneTime {
	code := make([]byte, digits)
	for i := range code {
		n, _ := rand.Int(rand.Reader, big.NewInt(10)) // never fails since Go 1.24
		code[i] = byte('0' + n.Int64())
	}
	return oneTime(key, address, string(code))
}

// OneTimeOf returns the token that belongs to a code which was typed in.
func OneTimeOf(key []byte, address, code string) OneTime { return oneTime(key, address, code) }

func oneTime(key []byte, address, code string) OneTime {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("one-time token\x00" + strings.ToLower(address) + "\x00" + code))
	link := hex.EncodeToString(mac.Sum(nil)[:linkBytes])
	return OneTime{Code: code, Link: link, Hash: HashLink(link)}
}

// PKCEPrefix marks a link whose answer is a code, not a session.
const PKCEPrefix = "pkce_"

// HashLink is the digest of a Link that is stored; a PKCE prefix does not count.
func HashLink(link string) string {
	sum := sha256.Sum256([]byte(strings.TrimPrefix(link, PKCEPrefix)))
	return hex.EncodeToString(sum[:linkBytes])
}

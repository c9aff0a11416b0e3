package provision

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Rounds of PBKDF2 in a password verifier. RFC 7677 requires 4096 because
// people choose passwords. A random text of 256 bits gains nothing by more
// rounds, and the client would pay for them at every connection to a quiet
// project's database.
const (
	chosenRounds = 4096
	randomRounds = 64
)

// scramVerifier is the form in which Postgres stores a password (SCRAM-SHA-256,
// RFC 5802 and 7677). It is computed here so that no password reaches the
// server's log. password must be ASCII: other texts would need SASLprep first.
func scramVerifier(password string, rounds int) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	return scramVerifierWith(password, salt, rounds)
}

func scramVerifierWith(password string, salt []byte, rounds int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("password verifier: %w", err)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, b64(salt), b64(stored[:]), b64(mac(salted, "Server Key"))), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

package password

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

const (
	maxScryptLogN = 17
	maxScryptR    = 16
	maxScryptP    = 4
	maxScryptWork = 1 << 14 * 8 * 1 // N * r * p, Firebase's own; 128 bytes of memory each
	minSignerKey  = 16
	maxSignerKey  = 128
	aes256Key     = 32
)

type firebaseHash struct {
	logN, r, p      int
	salt, separator []byte
	signerKey, hash []byte
}

// parseFirebase reads $fbscrypt$v=1,n=,r=,p=[,ss=][,sk=]$salt$hash, where n is
// Firebase's mem_cost (the logarithm of N), r its rounds, ss and sk the
// project's salt separator and signer key, all in padded base64.
func parseFirebase(hash string) (stored, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 5 {
		return nil, errors.New("fbscrypt hash has a wrong form")
	}
	params := strings.Split(parts[2], ",")
	if len(params) < 5 || len(params) > 6 || params[0] != "v=1" {
		return nil, errors.New("fbscrypt parameters must be v=1, n, r, p, ss and sk")
	}
	n, errN := parameter(params[1], "n", 1, maxScryptLogN)
	r, errR := parameter(params[2], "r", 1, maxScryptR)
	p, errP := parameter(params[3], "p", 1, maxScryptP)
	f := firebaseHash{logN: int(n), r: int(r), p: int(p)} // bounded above
	var errSS error
	if len(params) == 6 {
		f.separator, errSS = base64Parameter(params[4], "ss")
	}
	var errSK, errSalt, errHash error
	f.signerKey, errSK = base64Parameter(params[len(params)-1], "sk")
	f.salt, errSalt = base64.StdEncoding.DecodeString(parts[3])
	f.hash, errHash = base64.StdEncoding.DecodeString(parts[4])
	if err := errors.Join(errN, errR, errP, errSS, errSK, errSalt, errHash); err != nil {
		return nil, fmt.Errorf("fbscrypt hash: %w", err)
	}
	return f, f.check()
}

// check holds sizes to what Firebase makes. The hash is the encrypted signer
// key, so an empty key would match every password.
func (f firebaseHash) check() error {
	switch {
	case (1<<f.logN)*f.r*f.p > maxScryptWork:
		return errors.New("fbscrypt hash needs too much work")
	case len(f.salt) == 0 || len(f.salt) > maxSalt || len(f.separator) > maxSalt:
		return errors.New("fbscrypt salt has a wrong length")
	case len(f.signerKey) < minSignerKey || len(f.signerKey) > maxSignerKey:
		return errors.New("fbscrypt signer key has a wrong length")
	case len(f.hash) != len(f.signerKey):
		return errors.New("fbscrypt hash and signer key differ in length")
	}
	return nil
}

// matches derives an AES-256 key by scrypt and encrypts the signer key with it
// (counter mode from zero), as github.com/firebase/scrypt does.
func (f firebaseHash) matches(password string) bool {
	salt := append(append([]byte(nil), f.salt...), f.separator...)
	key, err := scrypt.Key([]byte(password), salt, 1<<f.logN, f.r, f.p, aes256Key)
	if err != nil {
		return false
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return false
	}
	sum := make([]byte, len(f.signerKey))
	//nolint:gosec // Firebase made the hash with this IV, and the key is of one password and salt
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(sum, f.signerKey)
	return subtle.ConstantTimeCompare(sum, f.hash) == 1
}

// weakerThan moves every import of this kind to bcrypt, whose cost is known.
func (firebaseHash) weakerThan(int) bool { return true }

func base64Parameter(s, name string) ([]byte, error) {
	text, ok := strings.CutPrefix(s, name+"=")
	if !ok {
		return nil, fmt.Errorf("parameter %s is missing", name)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("parameter %s: %w", name, err)
	}
	return b, nil
}

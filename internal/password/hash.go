package password

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/fault"
)

// maxHashBytes bounds the text of a hash before it is parsed.
const maxHashBytes = 1024

// ErrBadHash is returned for a password_hash that cannot be imported.
var ErrBadHash = fault.New(fault.Invalid, "validation_failed",
	"password_hash must be a bcrypt, argon2i, argon2id or Firebase scrypt hash of acceptable cost")

// CheckImport says whether Verify will understand the hash and afford it:
//
//   - bcrypt $2a$, $2b$, $2y$ with cost 4 to 12;
//   - $argon2i$ and $argon2id$ version 19 (RFC 9106, PHC string format) with at
//     most 64 MiB, 10 passes, 4 lanes, and 192 MiB over all passes (RFC 9106's
//     second recommendation; OWASP's are below), without keyid or data;
//   - $fbscrypt$v=1,n=,r=,p=,ss=,sk=$salt$hash, Firebase's form of scrypt as the
//     reference spells it, with N*r*p at most Firebase's own 2^14*8*1 (16 MiB).
//
// It returns ErrBadHash, whose cause names what is wrong without the hash.
func CheckImport(hash string) error {
	if _, err := parse(hash); err != nil {
		return ErrBadHash.Because(err)
	}
	return nil
}

// stored is a parsed hash.
type stored interface {
	// matches compares in constant time, given the parameters.
	matches(password string) bool
	// weakerThan reports whether a bcrypt hash of that cost should replace it.
	weakerThan(cost int) bool
}

// parse reads a hash. Verify uses it too, because a project's developer can
// write hashes into the table without CheckImport.
func parse(hash string) (stored, error) {
	if len(hash) > maxHashBytes {
		return nil, errors.New("hash is too long")
	}
	// Go's base64 skips line breaks; nothing outside printable ASCII may pass.
	if strings.ContainsFunc(hash, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("hash has characters outside printable ASCII")
	}
	switch {
	case strings.HasPrefix(hash, "$2"):
		return parseBcrypt(hash)
	case strings.HasPrefix(hash, "$argon2"):
		return parseArgon2(hash)
	case strings.HasPrefix(hash, "$fbscrypt$"):
		return parseFirebase(hash)
	}
	return nil, errors.New("hash is of an unknown kind")
}

// parameter reads "name=number" and checks that the number is in [least, most].
func parameter(s, name string, least, most uint64) (uint64, error) {
	digits, ok := strings.CutPrefix(s, name+"=")
	if !ok {
		return 0, fmt.Errorf("parameter %s is missing", name)
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("parameter %s must be a number from %d to %d", name, least, most)
	}
	return n, nil
}

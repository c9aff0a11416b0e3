package password

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptLength   = 60
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	minBcryptCost  = bcrypt.MinCost
	maxBcryptCost  = 12
)

type bcryptHash struct {
	encoded string
	cost    int
}

// parseBcrypt reads $2a$, $2b$ and $2y$, which are the same algorithm. $2x$ is
// another one (it has the sign bug of 2011), although the library would accept
// it.
func parseBcrypt(hash string) (stored, error) {
	if len(hash) != bcryptLength || !strings.ContainsRune("aby", rune(hash[2])) || hash[3] != '$' || hash[6] != '$' {
		return nil, errors.New("bcrypt hash has a wrong form")
	}
	for _, r := range hash[7:] {
		if !strings.ContainsRune(bcryptAlphabet, r) {
			return nil, errors.New("bcrypt hash has a character outside its alphabet")
		}
	}
	cost, err := strconv.Atoi(hash[4:6])
	if err != nil || hash[4] < '0' || hash[4] > '9' {
		return nil, errors.New("bcrypt cost must be two digits")
	}
	if cost < minBcryptCost || cost > maxBcryptCost {
		return nil, fmt.Errorf("bcrypt cost must be from %d to %d", minBcryptCost, maxBcryptCost)
	}
	return bcryptHash{encoded: hash, cost: cost}, nil
}

func (b bcryptHash) matches(password string) bool {
	// The libraries that made imported hashes truncate a password to 72 bytes,
	// so such a hash does not cover the rest of a longer one. Hash truncates
	// nothing: its hashes match a longer password only if that begins with one
	// of 72 bytes.
	password = password[:min(len(password), MaxBytes)]
	// bcrypt repeats the password with a trailing NUL, so to it "a" and
	// "a\x00a" are equal.
	whole := strings.IndexByte(password, 0) < 0
	return bcrypt.CompareHashAndPassword([]byte(b.encoded), []byte(password)) == nil && whole
}

// weakerThan keeps a higher cost: an import should not lose strength.
func (b bcryptHash) weakerThan(cost int) bool { return b.cost < cost }

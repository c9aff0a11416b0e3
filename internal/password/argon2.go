package password

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	maxArgon2Memory = 64 * 1024 // KiB
	maxArgon2Time   = 10
	maxArgon2Lanes  = 4
	maxArgon2Work   = 3 * maxArgon2Memory // KiB, over all passes
	minArgon2Hash   = 12
	maxArgon2Hash   = 64
	maxSalt         = 128
)

type argon2Hash struct {
	id           bool // argon2id, else argon2i
	memory, time uint32
	lanes        uint8
	salt, hash   []byte
}

// parseArgon2 reads the PHC string format, version 19 only.
func parseArgon2(hash string) (stored, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || (parts[1] != "argon2i" && parts[1] != "argon2id") {
		return nil, errors.New("argon2 hash has a wrong form")
	}
	if parts[2] != "v=19" {
		return nil, errors.New("argon2 version must be 19")
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return nil, errors.New("argon2 parameters must be m, t and p")
	}
	m, errM := parameter(params[0], "m", 1, maxArgon2Memory)
	t, errT := parameter(params[1], "t", 1, maxArgon2Time)
	p, errP := parameter(params[2], "p", 1, maxArgon2Lanes)
	salt, errS := base64.RawStdEncoding.DecodeString(parts[4])
	sum, errH := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(errM, errT, errP, errS, errH); err != nil {
		return nil, fmt.Errorf("argon2 hash: %w", err)
	}
	if t*m > maxArgon2Work {
		return nil, errors.New("argon2 hash needs too much work")
	}
	if len(salt) == 0 || len(salt) > maxSalt || len(sum) < minArgon2Hash || len(sum) > maxArgon2Hash {
		return nil, errors.New("argon2 salt or hash has a wrong length")
	}
	return argon2Hash{
		id: parts[1] == "argon2id", memory: uint32(m), time: uint32(t), lanes: uint8(p), // bounded above
		salt: salt, hash: sum,
	}, nil
}

func (a argon2Hash) matches(password string) bool {
	derive := argon2.Key
	if a.id {
		derive = argon2.IDKey
	}
	key := derive([]byte(password), a.salt, a.time, a.memory, a.lanes, uint32(len(a.hash)))
	return subtle.ConstantTimeCompare(key, a.hash) == 1
}

// weakerThan moves every import of this kind to bcrypt, whose cost is known.
func (argon2Hash) weakerThan(int) bool { return true }

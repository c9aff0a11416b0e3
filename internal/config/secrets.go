package config

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// DevelopmentPrefix is the prefix of a master key that `reeve dev` generated.
const DevelopmentPrefix = "dev:"

const (
	keySize = 32
	// markSize is the size of the mark in a development key.
	markSize = 8
)

// Secrets are the keys that seal data at rest.
type Secrets struct {
	// MasterKeys are 32 bytes each, in base64, the newest first.
	MasterKeys []string `yaml:"master_keys" env:"REEVE_MASTER_KEY"`
}

// Validate reports every error, as Problems, without any part of the keys.
func (s Secrets) Validate() error { return s.validate(false) }

func (s Secrets) validate(development bool) error {
	const key = "secrets.master_keys"
	var p Problems
	if len(s.MasterKeys) == 0 {
		p.add(key, "is required: 32 random bytes in base64, such as `openssl rand -base64 32` prints")
	}
	seen := map[string]bool{}
	for i, text := range s.MasterKeys {
		bare, marked := strings.CutPrefix(text, DevelopmentPrefix)
		raw, err := base64.StdEncoding.DecodeString(bare)
		switch {
		case !development && (marked || isDevelopment(raw)):
			p.add(key, "key %d was made by `reeve dev`; make one with `openssl rand -base64 32`", i+1)
		case err != nil || len(raw) != keySize:
			p.add(key, "key %d must be 32 bytes in base64", i+1)
		case weak(raw):
			p.add(key, "key %d is not random; make one with `openssl rand -base64 32`", i+1)
		case seen[string(raw)]:
			p.add(key, "key %d stands there twice", i+1)
		}
		seen[string(raw)] = true
	}
	return p.orNil()
}

// NewDevelopmentKey generates a master key of 192 random bits that Validate
// recognises as a development key even without its prefix.
func NewDevelopmentKey() string {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	copy(raw, developmentMark(raw[markSize:]))
	return DevelopmentPrefix + base64.StdEncoding.EncodeToString(raw)
}

func developmentMark(random []byte) []byte {
	sum := sha256.Sum256(append([]byte("reeve development master key\x00"), random...))
	return sum[:markSize]
}

func isDevelopment(raw []byte) bool {
	return len(raw) == keySize && subtle.ConstantTimeCompare(raw[:markSize], developmentMark(raw[markSize:])) == 1
}

// weak reports whether a key was typed and not generated: few different bytes,
// readable text, or a regular sequence. A random key is weak once in 10^13.
func weak(raw []byte) bool {
	different := map[byte]bool{}
	readable, regular := true, true
	for i, b := range raw {
		different[b] = true
		readable = readable && b >= ' ' && b <= '~'
		regular = regular && (i < 2 || b-raw[i-1] == raw[1]-raw[0])
	}
	return len(different) < 14 || readable || regular
}

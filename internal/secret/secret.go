// Package secret seals data at rest. A process holds master keys; every project
// has a data key, wrapped under the newest master key and stored in the control
// database. Deleting a project deletes its wrapped data key, which shreds
// everything that was sealed with it. The package knows no tables.
package secret

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// KeySize is the size in bytes of master keys and data keys (AES-256-GCM).
const KeySize = 32

// keyIDSize is the length of the master key's fingerprint before a sealed
// value, by which rotation finds the right key.
const keyIDSize = 4

// ErrSealed is returned when a value cannot be opened: wrong key, wrong place
// (associated data), or damage.
var ErrSealed = errors.New("secret: cannot be opened")

// Keyring holds the master keys. The first wraps; all unwrap.
type Keyring struct {
	order  []string
	keys   map[string]*subtle.AESGCM
	newest []byte
}

// NewKeyring reads master keys: each is 32 bytes in base64, the newest first.
// An older key stays in the list until everything was wrapped again.
func NewKeyring(encoded ...string) (*Keyring, error) {
	if len(encoded) == 0 {
		return nil, errors.New("secret: no master key")
	}
	k := &Keyring{keys: map[string]*subtle.AESGCM{}}
	for i, e := range encoded {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e))
		if err != nil || len(raw) != KeySize {
			return nil, fmt.Errorf("secret: master key %d: want %d bytes in base64", i+1, KeySize)
		}
		box, err := subtle.NewAESGCM(raw)
		if err != nil {
			return nil, fmt.Errorf("secret: master key %d: %w", i+1, err)
		}
		sum := sha256.Sum256(append([]byte("reeve master key id\x00"), raw...))
		id := string(sum[:keyIDSize])
		if i == 0 {
			k.newest = raw
		}
		k.order = append(k.order, id)
		k.keys[id] = box
	}
	return k, nil
}

// NewMasterKey generates a master key in the form that NewKeyring reads.
func NewMasterKey() string {
	return base64.StdEncoding.EncodeToString(random(KeySize))
}

// Seal seals plaintext under the newest master key. place is authenticated and
// names the secret's place ("idempotency_keys/<actor>/<key>").
func (k *Keyring) Seal(place string, plaintext []byte) ([]byte, error) {
	id := k.order[0]
	sealed, err := k.keys[id].Encrypt(plaintext, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", place, err)
	}
	return append([]byte(id), sealed...), nil
}

// Open is the inverse of Seal; ErrSealed on failure.
func (k *Keyring) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < keyIDSize {
		return nil, ErrSealed
	}
	box, ok := k.keys[string(sealed[:keyIDSize])]
	if !ok {
		return nil, fmt.Errorf("%w: %s: its master key is not configured", ErrSealed, place)
	}
	plain, err := box.Decrypt(sealed[keyIDSize:], []byte(place))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrSealed, place)
	}
	return plain, nil
}

// Derive returns a 32-byte key for one purpose of the installation. It changes with
// the newest master key.
func (k *Keyring) Derive(purpose string) []byte { return derive(k.newest, "installation/"+purpose) }

// NewDataKey generates a project's data key and returns it with its wrapped
// form for storage.
func (k *Keyring) NewDataKey(ref string) (*DataKey, []byte, error) {
	raw := random(KeySize)
	wrapped, err := k.Seal("data key/"+ref, raw)
	if err != nil {
		return nil, nil, err
	}
	d, err := newDataKey(ref, raw)
	return d, wrapped, err
}

// OpenDataKey unwraps a project's data key.
func (k *Keyring) OpenDataKey(ref string, wrapped []byte) (*DataKey, error) {
	raw, err := k.Open("data key/"+ref, wrapped)
	if err != nil {
		return nil, err
	}
	return newDataKey(ref, raw)
}

// DataKey seals one project's secrets.
type DataKey struct {
	ref string
	raw []byte
	box *subtle.AESGCM
}

func newDataKey(ref string, raw []byte) (*DataKey, error) {
	box, err := subtle.NewAESGCM(raw)
	if err != nil {
		return nil, fmt.Errorf("data key of %s: %w", ref, err)
	}
	return &DataKey{ref: ref, raw: raw, box: box}, nil
}

// Seal seals plaintext. place ("signing_keys/private/<id>") and the project are
// authenticated, so a sealed value that is moved to another row or project does
// not open.
func (d *DataKey) Seal(place string, plaintext []byte) ([]byte, error) {
	sealed, err := d.box.Encrypt(plaintext, []byte(d.ref+"/"+place))
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", place, d.ref, err)
	}
	return sealed, nil
}

// Open is the inverse of Seal; ErrSealed on failure.
func (d *DataKey) Open(place string, sealed []byte) ([]byte, error) {
	plain, err := d.box.Decrypt(sealed, []byte(d.ref+"/"+place))
	if err != nil {
		return nil, fmt.Errorf("%w: %s of %s", ErrSealed, place, d.ref)
	}
	return plain, nil
}

// Derive returns a 32-byte key for one purpose of the project.
func (d *DataKey) Derive(purpose string) []byte { return derive(d.raw, d.ref+"/"+purpose) }

// Password generates a random text of 43 URL-safe characters (256 bits).
func Password() string { return base64.RawURLEncoding.EncodeToString(random(KeySize)) }

func derive(root []byte, purpose string) []byte {
	out, err := hkdf.Key(sha256.New, root, nil, "reeve/"+purpose, KeySize)
	if err != nil {
		panic("secret: hkdf refused fixed sizes: " + err.Error())
	}
	return out
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return b
}

// SealWith seals plaintext with a derived key of KeySize bytes.
func SealWith(key []byte, place string, plaintext []byte) ([]byte, error) {
	box, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", place, err)
	}
	return box.Encrypt(plaintext, []byte(place))
}

// OpenWith is the inverse of SealWith; ErrSealed on failure.
func OpenWith(key []byte, place string, sealed []byte) ([]byte, error) {
	box, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", place, err)
	}
	plain, err := box.Decrypt(sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrSealed, place)
	}
	return plain, nil
}

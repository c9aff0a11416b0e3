package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/secret"
)

func keyring(t *testing.T, keys ...string) *secret.Keyring {
	t.Helper()
	k, err := secret.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNewKeyring(t *testing.T) {
	t.Parallel()
	good := secret.NewMasterKey()
	bytesOf := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for name, keys := range map[string][]string{
		"none": {}, "empty": {""}, "short": {bytesOf(31)}, "long": {bytesOf(33)}, "AES-128": {bytesOf(16)},
		"hex": {strings.Repeat("ab", 32)}, "URL alphabet": {strings.Repeat("_", 43) + "="}, "no padding": {strings.TrimRight(good, "=")},
		"words": {"correct horse battery staple"}, "second one bad": {good, "x"},
	} {
		k, err := secret.NewKeyring(keys...)
		if err == nil || k != nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, key := range keys {
			if len(key) > 1 && strings.Contains(err.Error(), key) {
				t.Errorf("%s: the error tells the key: %v", name, err)
			}
		}
	}
	keyring(t, " "+good+"\n") // as it stands in a file
}

// A sealed value opens only at its place, with its key, and undamaged.
func TestOpen(t *testing.T) {
	t.Parallel()
	ring, other := keyring(t, secret.NewMasterKey()), keyring(t, secret.NewMasterKey())
	data, _, err := ring.NewDataKey("aaaaaaaaaaaaaaaaaaaa")
	if err != nil {
		t.Fatal(err)
	}
	neighbour, _, err := ring.NewDataKey("bbbbbbbbbbbbbbbbbbbb")
	if err != nil {
		t.Fatal(err)
	}
	derived, derivedOther := data.Derive("outbox"), data.Derive("otp")
	type seal = func(string, []byte) ([]byte, error)
	for name, c := range map[string]struct {
		seal        seal
		open, wrong seal
	}{
		"keyring":  {ring.Seal, ring.Open, other.Open},
		"data key": {data.Seal, data.Open, neighbour.Open},
		"derived key": {
			func(place string, b []byte) ([]byte, error) { return secret.SealWith(derived, place, b) },
			func(place string, b []byte) ([]byte, error) { return secret.OpenWith(derived, place, b) },
			func(place string, b []byte) ([]byte, error) { return secret.OpenWith(derivedOther, place, b) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, plain := range [][]byte{{}, []byte("p"), bytes.Repeat([]byte("long "), 10000)} {
				sealed, err := c.seal("table/column/1", plain)
				if err != nil {
					t.Fatal(err)
				}
				if again, _ := c.seal("table/column/1", plain); bytes.Equal(again, sealed) {
					t.Error("the same text is sealed to the same bytes")
				}
				if got, err := c.open("table/column/1", sealed); err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("opened to %d bytes, %v", len(got), err)
				}
				refuse := func(what string, open seal, place string, sealed []byte) {
					t.Helper()
					if got, err := open(place, sealed); !errors.Is(err, secret.ErrSealed) || got != nil {
						t.Errorf("%s: %q, %v", what, got, err)
					}
				}
				refuse("another place", c.open, "table/column/2", sealed)
				refuse("no place", c.open, "", sealed)
				refuse("another key", c.wrong, "table/column/1", sealed)
				refuse("nothing", c.open, "table/column/1", nil)
				for i := range min(len(sealed), 60) {
					damaged := bytes.Clone(sealed)
					damaged[i] ^= 1
					refuse(fmt.Sprintf("bit of byte %d flipped", i), c.open, "table/column/1", damaged)
					refuse(fmt.Sprintf("cut to %d", i), c.open, "table/column/1", sealed[:i])
				}
				refuse("something behind", c.open, "table/column/1", append(bytes.Clone(sealed), 0))
			}
		})
	}
}

// An old master key still unwraps while the new one wraps; then it can be
// removed.
func TestRotation(t *testing.T) {
	t.Parallel()
	const ref = "aaaaaaaaaaaaaaaaaaaa"
	older, newer := secret.NewMasterKey(), secret.NewMasterKey()
	data, wrapped, err := keyring(t, older).NewDataKey(ref)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := data.Seal("x", []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	both := keyring(t, newer, older)
	unwrapped, err := both.OpenDataKey(ref, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unwrapped.Open("x", sealed); err != nil || string(got) != "hello" {
		t.Errorf("opened to %q, %v", got, err)
	}
	if !bytes.Equal(unwrapped.Derive("x"), data.Derive("x")) {
		t.Error("a data key derives other keys after it was unwrapped")
	}
	if _, err := keyring(t, newer).OpenDataKey(ref, wrapped); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("without the old master key: %v", err)
	}
	fresh, err := both.Seal("place", []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keyring(t, newer).Open("place", fresh); err != nil || string(got) != "hello" {
		t.Errorf("the new master key did not seal: %q, %v", got, err)
	}
	if _, err := keyring(t, older).Open("place", fresh); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("the old master key opens what came after it: %v", err)
	}
	if _, err := both.OpenDataKey("bbbbbbbbbbbbbbbbbbbb", wrapped); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("another project's wrapped key: %v", err)
	}
}

// Values that were derived and sealed once must stay readable: a change of
// these vectors signs out every user of every project and loses every secret at
// rest.
func TestVectors(t *testing.T) {
	t.Parallel()
	const (
		master  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
		ref     = "abcdefghijklmnopqrst"
		wrapped = "e4cc7053db306c10c7bbc00e6de4ad28f433b522b9b1cca11b6d0a41f70fb95b64c4aaa363e92b40b79d90ae35b0d8d4af2c76b80ded95ae7923120748247643"
		sealed  = "0126781abfba90d59fda18ce0d57381b554d96418ba9ef4240b355aa5a25c28559"
		derived = "deff12cee4c6e8a2f07948b4e03f50109b83b1e60aea11b559e5b1c6c7dab596"
	)
	data, err := keyring(t, master).OpenDataKey(ref, unhex(t, wrapped))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(data.Derive("refresh tokens")); got != derived {
		t.Errorf("derived %s, want %s", got, derived)
	}
	if got, err := data.Open("signing_keys/private/1", unhex(t, sealed)); err != nil || string(got) != "hello" {
		t.Errorf("opened to %q, %v", got, err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each purpose and each project has its own key.
func TestDerive(t *testing.T) {
	t.Parallel()
	ring := keyring(t, secret.NewMasterKey())
	seen := map[string]bool{}
	for _, ref := range []string{"aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbb"} {
		data, _, err := ring.NewDataKey(ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, purpose := range []string{"refresh", "otp", "outbox", ""} {
			key := data.Derive(purpose)
			if len(key) != secret.KeySize || !bytes.Equal(key, data.Derive(purpose)) {
				t.Errorf("%s: %d bytes, or not the same twice", purpose, len(key))
			}
			seen[string(key)] = true
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d keys for 8 purposes", len(seen))
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	a, b := secret.Password(), secret.Password()
	if len(a) != 43 || a == b {
		t.Errorf("passwords %q and %q", a, b)
	}
}

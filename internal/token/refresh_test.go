package token_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/token"
)

func TestRefreshRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		session := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "session"))
		counter := rapid.Int64().Draw(t, "counter")
		raw := token.Refresh(key, session, counter)
		id, n, err := token.ParseRefresh(key, raw)
		if err != nil || id != session || n != counter {
			t.Fatalf("%q read as %s %d %v", raw, id, n, err)
		}
		other := append([]byte(nil), key...)
		other[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, _, err := token.ParseRefresh(other, raw); !errors.Is(err, auth.ErrRefreshNotFound) {
			t.Fatalf("another project's key reads it: %v", err)
		}
	})
}

func TestParseRefreshForged(t *testing.T) {
	t.Parallel()
	key := randomKey()
	good := token.Refresh(key, uuid.New(), 7)
	refused := func(name, raw string) {
		t.Helper()
		if id, n, err := token.ParseRefresh(key, raw); !errors.Is(err, auth.ErrRefreshNotFound) || id != uuid.Nil || n != 0 {
			t.Errorf("%s: %s %d %v", name, id, n, err)
		}
	}
	bytes, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(bytes) * 8 {
		mangled := append([]byte(nil), bytes...)
		mangled[i/8] ^= 1 << (i % 8)
		refused("a bit flipped", base64.RawURLEncoding.EncodeToString(mangled))
	}
	for i := range good {
		refused("a character replaced", good[:i]+"*"+good[i+1:])
		refused("a character left out", good[:i]+good[i+1:])
		// The base64 decoder ignores these.
		refused("a line end for a character", good[:i]+"\n"+good[i+1:])
		refused("a line end between", good[:i]+"\r"+good[i:])
	}
	for name, raw := range map[string]string{
		"empty": "", "line ends": strings.Repeat("\n", len(good)), "zeros": strings.Repeat("A", len(good)),
		"padded": good + "=", "twice": good + good, "standard alphabet": strings.Repeat("+", len(good)),
		"all but one line end": "AQ" + strings.Repeat("\n", len(good)-2), "letters": strings.Repeat("é", len(good)/2),
	} {
		refused(name, raw)
	}
}

func FuzzParseRefresh(f *testing.F) {
	key := randomKey()
	good := token.Refresh(key, uuid.New(), 1)
	f.Add(good)
	f.Add(strings.Repeat("\n", len(good)))
	f.Fuzz(func(t *testing.T, raw string) {
		if _, _, err := token.ParseRefresh(key, raw); err == nil && raw != good {
			t.Errorf("%q is accepted", raw)
		}
	})
}

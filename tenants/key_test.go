package tenants_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/tenants"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	for _, typ := range []tenants.KeyType{tenants.KeyPublishable, tenants.KeySecret} {
		key := tenants.NewKey(typ)
		parts := strings.SplitN(strings.TrimPrefix(key, typ.Prefix()), "", 32)
		if len(parts) != 31 || parts[22] != "_" {
			t.Errorf("%s: not 22 characters, an underscore and 8 characters", key)
		}
		if got, ok := tenants.ParseKey(key); !ok || got != typ {
			t.Errorf("ParseKey(%s) = %s, %v", key, got, ok)
		}
		// Every single typing error is detected.
		for i := range len(key) {
			for _, c := range []byte("aB3-_ \x00") {
				wrong := key[:i] + string(rune(c)) + key[i+1:]
				if _, ok := tenants.ParseKey(wrong); ok && wrong != key {
					t.Errorf("ParseKey(%s) passed for %s", wrong, key)
				}
			}
		}
		for _, wrong := range []string{"", typ.Prefix(), key[1:], key[:len(key)-1], key + "A", " " + key, key + "\n", strings.ToUpper(key)} {
			if _, ok := tenants.ParseKey(wrong); ok {
				t.Errorf("ParseKey(%q) passed", wrong)
			}
		}
	}
	if one, two := tenants.NewKey(tenants.KeySecret), tenants.NewKey(tenants.KeySecret); one == two {
		t.Error("the same key twice")
	}
}

func TestKeyHasher(t *testing.T) {
	t.Parallel()
	key := tenants.NewKey(tenants.KeySecret)
	if one, two := hasher.Hash(key), hasher.Hash(key); one != two {
		t.Error("the same key has two hashes")
	}
	if hasher.Hash(key) == (tenants.KeyHasher{Pepper: []byte("another")}).Hash(key) {
		t.Error("the pepper does not matter")
	}
}

func FuzzParseKey(f *testing.F) {
	for _, key := range []string{"", "sb_", "sb_secret_", "sb_publishable_" + strings.Repeat("a", 31), tenants.NewKey(tenants.KeySecret), tenants.NewKey(tenants.KeyPublishable)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		typ, ok := tenants.ParseKey(key)
		if !ok {
			if typ != "" {
				t.Errorf("type %q of a refused key", typ)
			}
			return
		}
		if !tenants.LooksLikeKey(key) || !strings.HasPrefix(key, typ.Prefix()) || len(key) != len(typ.Prefix())+31 {
			t.Errorf("ParseKey(%q) = %q", key, typ)
		}
	})
}

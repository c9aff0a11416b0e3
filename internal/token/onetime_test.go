package token_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

func TestOneTime(t *testing.T) {
	t.Parallel()
	key := randomKey()
	for _, digits := range []int{6, 8, 10} {
		once := token.NewOneTime(key, "ann@example.com", digits)
		if len(once.Code) != digits || strings.Trim(once.Code, "0123456789") != "" {
			t.Errorf("code %q, want %d digits", once.Code, digits)
		}
		if len(once.Link) != 56 || len(once.Hash) != 56 || once.Link == once.Hash {
			t.Errorf("link %q, hash %q", once.Link, once.Hash)
		}
		if got := token.OneTimeOf(key, "Ann@Example.com", once.Code); got != once {
			t.Errorf("the code finds %+v, want %+v", got, once)
		}
		if got := token.HashLink(once.Link); got != once.Hash {
			t.Errorf("the link finds %q, want %q", got, once.Hash)
		}
		if got := token.HashLink(token.PKCEPrefix + once.Link); got != once.Hash {
			t.Errorf("the link with prefix finds %q, want %q", got, once.Hash)
		}
		for name, other := range map[string]string{
			"address": token.OneTimeOf(key, "bob@example.com", once.Code).Hash,
			"key":     token.OneTimeOf(randomKey(), "ann@example.com", once.Code).Hash,
			"code":    token.OneTimeOf(key, "ann@example.com", once.Code+"0").Hash,
			// Address and code are separated, so that they do not run into each
			// other.
			"border":              token.OneTimeOf(key, "ann@example.com\x00"+once.Code[:1], once.Code[1:]).Hash,
			"stored hash as link": token.HashLink(once.Hash),
			"prefix twice":        token.HashLink(token.PKCEPrefix + token.PKCEPrefix + once.Link),
			"prefix behind":       token.HashLink(once.Link + token.PKCEPrefix),
			"capitals":            token.HashLink("X" + once.Link),
		} {
			if other == once.Hash {
				t.Errorf("another %s finds the same row", name)
			}
		}
	}
}

// Every digit occurs at every place, and codes differ.
func TestOneTimeDigits(t *testing.T) {
	t.Parallel()
	const draws, digits = 2000, 6
	var seen [digits][10]int
	codes := map[string]bool{}
	for range draws {
		code := token.NewOneTime(nil, "", digits).Code
		codes[code] = true
		for i, c := range code {
			seen[i][c-'0']++
		}
	}
	for i := range seen {
		for d, n := range seen[i] {
			if n < draws/20 { // half of what is expected: over seven deviations away
				t.Errorf("digit %d occurs %d times of %d at place %d", d, n, draws, i)
			}
		}
	}
	if len(codes) < draws*9/10 {
		t.Errorf("%d codes among %d draws", len(codes), draws)
	}
}

func TestPublicKeys(t *testing.T) {
	t.Parallel()
	a := project(t)
	standby, _, err := tenants.NewSigningKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	standby.Status = tenants.KeyStandby
	a.SigningKeys = append(a.SigningKeys, standby)
	keyOf(a, "RS256").Status = tenants.KeyRevoked
	var ids []string
	for _, raw := range token.PublicKeys(a).Keys {
		var k map[string]any
		if err := json.Unmarshal(raw, &k); err != nil {
			t.Fatal(err)
		}
		for _, private := range []string{"d", "k", "p", "q", "dp", "dq", "qi"} {
			if _, there := k[private]; there {
				t.Errorf("%s is published: %s", private, raw)
			}
		}
		ids = append(ids, k["kid"].(string))
	}
	want := []string{keyOf(a, "ES256").ID, keyOf(a, "EdDSA").ID, standby.ID}
	if strings.Join(ids, " ") != strings.Join(want, " ") {
		t.Errorf("published %v, want %v: neither the secret nor the revoked one", ids, want)
	}
	if raw, err := json.Marshal(token.PublicKeys(&tenants.Tenant{})); err != nil || string(raw) != `{"keys":[]}` {
		t.Errorf("without keys %s, %v", raw, err)
	}
}

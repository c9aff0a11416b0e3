package token_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// sign issues an access token at noon.
func sign(t *tenants.Tenant, p *auth.Principal) (token.Access, error) {
	i := token.Issuer{Now: atNoon}
	return i.Sign(t, i.Claims(t, p))
}

func TestAccess(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA", "HS256"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			a := project(t)
			keyOf(a, "ES256").Status = tenants.KeyPreviouslyUsed
			keyOf(a, algorithm).Status = tenants.KeyInUse
			p := principal()
			access, err := sign(a, p)
			if err != nil {
				t.Fatal(err)
			}
			if access.ExpiresIn != time.Hour || !access.ExpiresAt.Equal(noon.Add(time.Hour)) {
				t.Errorf("expires in %v at %v", access.ExpiresIn, access.ExpiresAt)
			}
			head, claims := unverified(t, access.Token)
			if head["alg"] != algorithm || head["kid"] != keyOf(a, algorithm).ID || head["typ"] != "JWT" {
				t.Errorf("header %v", head)
			}
			if _, there := claims["nbf"]; there {
				t.Error("an nbf, which nobody asked for")
			}
			if string(claims["app_metadata"]) != "{}" || string(claims["aud"]) != `"authenticated"` || string(claims["is_anonymous"]) != "false" {
				t.Errorf("claims %s", claims)
			}
			id, err := verifier(t, atNoon, a).Verify(a, access.Token)
			want := token.Identified{
				UserID: p.User.ID, SessionID: p.Session.ID, Role: "authenticated", AAL: auth.AAL1,
				ExpiresAt: time.Unix(noon.Add(time.Hour).Unix(), 0),
			}
			if err != nil || id != want {
				t.Errorf("verified as %+v, %v, want %+v", id, err, want)
			}
		})
	}
}

func unverified(t *testing.T, raw string) (head map[string]any, claims map[string]json.RawMessage) {
	t.Helper()
	parts := strings.Split(raw, ".")
	for i, into := range []any{&head, &claims} {
		text, err := jwt.NewParser().DecodeSegment(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return head, claims
}

// Tokens of a session that ends soon expire with it.
func TestAccessOfEndingSession(t *testing.T) {
	t.Parallel()
	a := project(t)
	for name, c := range map[string]struct{ left, want time.Duration }{
		"long":  {10 * time.Hour, time.Hour},
		"short": {time.Minute, time.Minute},
		"over":  {-time.Minute, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := principal()
			end := noon.Add(c.left)
			p.Session.NotAfter = &end
			access, err := sign(a, p)
			if err != nil || access.ExpiresIn != c.want {
				t.Errorf("expires in %v, %v, want %v", access.ExpiresIn, err, c.want)
			}
		})
	}
}

func TestAccessWithoutKey(t *testing.T) {
	t.Parallel()
	a := project(t)
	keyOf(a, "ES256").Status = tenants.KeyStandby
	if access, err := sign(a, principal()); err == nil {
		t.Errorf("signed with a key that is not in use: %s", access.Token)
	}
}

// The longest token that a user can have is valid: users cannot lock themselves
// out by their metadata.
func TestAccessOfLargestMetadata(t *testing.T) {
	t.Parallel()
	a, p := project(t), principal()
	keyOf(a, "ES256").Status = tenants.KeyPreviouslyUsed
	keyOf(a, "RS256").Status = tenants.KeyInUse
	full, err := auth.MergeMetadata(nil, map[string]any{"a": strings.Repeat("<", auth.MaxMetadata/6-2)})
	if err != nil {
		t.Fatal(err)
	}
	p.User.AppMetadata, p.User.UserMetadata = full, full
	p.User.Email, p.User.Phone = strings.Repeat("a", 254), "123456789012345"
	access, err := sign(a, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier(t, atNoon, a).Verify(a, access.Token); err != nil {
		t.Errorf("a token of %d bytes: %v", len(access.Token), err)
	}
}

// A cached token is valid for one project and one snapshot of it.
func TestVerifyRemembers(t *testing.T) {
	t.Parallel()
	now := noon
	a, b := project(t), project(t)
	v := verifier(t, func() time.Time { return now }, a, b)
	access, err := sign(a, principal())
	if err != nil {
		t.Fatal(err)
	}
	accepted := func(name string, p *tenants.Tenant, want bool) {
		t.Helper()
		_, err := v.Verify(p, access.Token)
		if (err == nil) != want || err != nil && !errors.Is(err, auth.ErrBadJWT) && !errors.Is(err, auth.ErrElsewhere) {
			t.Errorf("%s: %v", name, err)
		}
	}
	accepted("first", a, true)
	accepted("remembered", a, true)
	accepted("the other project", b, false)
	// Not even for a twin: the same keys, the same issuer, another ref.
	accepted("a twin", changed(a, func(n *tenants.Tenant) { n.Ref, n.SigningKeys = b.Ref, b.SigningKeys }), false)
	revoked := changed(a, func(n *tenants.Tenant) { keyOf(n, "ES256").Status = tenants.KeyRevoked })
	accepted("revoked", revoked, false)
	accepted("moved", changed(a, func(n *tenants.Tenant) { n.URL = "https://moved.test" }), false)
	accepted("still, in the snapshot before", a, true)
	now = noon.Add(time.Hour)
	accepted("remembered, but expired", a, false)
}

// Projects that imported the same key accept tokens of the key's origin and
// their own, never each other's.
func TestVerifyImportedKey(t *testing.T) {
	t.Parallel()
	a, b := project(t), project(t)
	shared := *keyOf(a, "HS256")
	shared.Imported, shared.Status = true, tenants.KeyInUse
	for _, p := range []*tenants.Tenant{a, b} {
		keyOf(p, "ES256").Status = tenants.KeyPreviouslyUsed
		p.SigningKeys = append([]tenants.SigningKey{shared}, p.SigningKeys...)
	}
	v := verifier(t, atNoon, a, b)
	of := func(p *tenants.Tenant) string {
		access, err := sign(p, principal())
		if err != nil {
			t.Fatal(err)
		}
		return access.Token
	}
	elsewhere := *a
	elsewhere.URL = "https://abcdefghijklmnopqrst.supabase.co"
	for name, c := range map[string]struct {
		raw  string
		want bool
	}{
		"own":           {of(a), true},
		"elsewhere":     {of(&elsewhere), true},
		"other project": {of(b), false},
	} {
		if _, err := v.Verify(a, c.raw); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

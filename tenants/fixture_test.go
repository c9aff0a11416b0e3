package tenants_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/tenants"
)

const (
	refA = tenants.Ref("aaaaaaaaaaaaaaaaaaaa")
	refB = tenants.Ref("bbbbbbbbbbbbbbbbbbbb")
)

var hasher = tenants.KeyHasher{Pepper: []byte("pepper of the tests")}

// project is a tenant with one key of each type.
type project struct {
	*tenants.Tenant
	publishable, secret string
}

func newProject(ref tenants.Ref) project {
	p := project{
		publishable: tenants.NewKey(tenants.KeyPublishable),
		secret:      tenants.NewKey(tenants.KeySecret),
	}
	p.Tenant = &tenants.Tenant{
		Ref: ref, Status: tenants.StatusActive, Version: 1, URL: "https://" + string(ref) + ".reeve.test",
		APIKeys: map[tenants.KeyHash]tenants.APIKey{
			hasher.Hash(p.publishable): {ID: "p-" + string(ref), Type: tenants.KeyPublishable},
			hasher.Hash(p.secret):      {ID: "s-" + string(ref), Type: tenants.KeySecret},
		},
	}
	return p
}

// next returns a copy with the next version and the changes applied.
func next(t *tenants.Tenant, changes ...func(*tenants.Tenant)) *tenants.Tenant {
	c := *t
	c.Version++
	c.APIKeys = maps.Clone(t.APIKeys)
	for _, change := range changes {
		change(&c)
	}
	return &c
}

func status(s tenants.Status) func(*tenants.Tenant) {
	return func(t *tenants.Tenant) { t.Status = s }
}

func signingKey(t testing.TB, algorithm string) tenants.SigningKey {
	t.Helper()
	k, _, err := tenants.NewSigningKey(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	k.Status = tenants.KeyInUse
	return k
}

// sign makes a JWT; kid "" leaves the header out.
func sign(t testing.TB, k tenants.SigningKey, kid string, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(k.Algorithm), claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	s, err := token.SignedString(k.Private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var day = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

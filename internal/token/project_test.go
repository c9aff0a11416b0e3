package token_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// project has one key of each algorithm: ES256 in use, the others used before.
func project(tb testing.TB) *tenants.Tenant {
	tb.Helper()
	ref := tenants.NewRef()
	t := &tenants.Tenant{Ref: ref, Version: 1, URL: "https://" + string(ref) + ".reeve.test", Config: tenants.DefaultConfig()}
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA", "HS256"} {
		key, _, err := tenants.NewSigningKey(algorithm)
		if err != nil {
			tb.Fatal(err)
		}
		key.Status = tenants.KeyPreviouslyUsed
		if algorithm == "ES256" {
			key.Status = tenants.KeyInUse
		}
		t.SigningKeys = append(t.SigningKeys, key)
	}
	return t
}

// keyOf returns the project's key of an algorithm.
func keyOf(t *tenants.Tenant, algorithm string) *tenants.SigningKey {
	for i := range t.SigningKeys {
		if t.SigningKeys[i].Algorithm == algorithm {
			return &t.SigningKeys[i]
		}
	}
	panic("no " + algorithm + " key")
}

// changed is the next snapshot of a project.
func changed(t *tenants.Tenant, change func(*tenants.Tenant)) *tenants.Tenant {
	next := *t
	next.SigningKeys = append([]tenants.SigningKey(nil), t.SigningKeys...)
	change(&next)
	next.Version++
	return &next
}

func principal() *auth.Principal {
	u := auth.NewUser(noon)
	u.Email = "ann@example.com"
	return &auth.Principal{User: *u, Session: auth.Session{
		ID: uuid.New(), UserID: u.ID, AAL: auth.AAL1, AMR: []auth.AMR{{Method: auth.MethodPassword, Timestamp: noon.Unix()}},
	}}
}

// verifier returns a Verifier that knows the issuers of the projects.
func verifier(tb testing.TB, now func() time.Time, all ...*tenants.Tenant) *token.Verifier {
	tb.Helper()
	v, err := token.NewVerifier(100, now, func(issuer string) bool {
		for _, t := range all {
			if issuer == t.Issuer() {
				return true
			}
		}
		return false
	})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func atNoon() time.Time { return noon }

func randomKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return key
}

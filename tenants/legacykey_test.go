package tenants_test

import (
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

func TestLegacyKey(t *testing.T) {
	t.Parallel()
	hs, hs2, es, rs, ed := signingKey(t, "HS256"), signingKey(t, "HS256"), signingKey(t, "ES256"), signingKey(t, "RS256"), signingKey(t, "EdDSA")
	revoked, old, stranger := signingKey(t, "HS256"), signingKey(t, "ES256"), signingKey(t, "ES256")
	revoked.Status, old.Status = tenants.KeyRevoked, tenants.KeyPreviouslyUsed
	a := newProject(refA)
	a.LegacyKeys = true
	a.SigningKeys = []tenants.SigningKey{es, hs, hs2, rs, ed, revoked, old}

	service := jwt.MapClaims{"role": "service_role"}
	with := func(k string, v any) jwt.MapClaims { return jwt.MapClaims{"role": "service_role", k: v} }
	publicDER := derOf(t, es.Public)
	hmacOf := func(secret []byte) tenants.SigningKey {
		return tenants.SigningKey{Algorithm: "HS256", Private: secret}
	}
	hs384 := jwt.NewWithClaims(jwt.SigningMethodHS384, service)
	hs384.Header["kid"] = hs.ID
	none := jwt.NewWithClaims(jwt.SigningMethodNone, service)
	crit := jwt.NewWithClaims(jwt.SigningMethodHS256, service)
	crit.Header["crit"] = []string{"b64"}
	numeric := jwt.NewWithClaims(jwt.SigningMethodHS256, service)
	numeric.Header["kid"] = 7
	good := sign(t, hs, hs.ID, service)

	for name, c := range map[string]struct {
		token string
		role  tenants.Role
		err   error
	}{
		"HS256":                         {good, "service_role", nil},
		"HS256 without kid":             {sign(t, hs, "", service), "service_role", nil},
		"second HS256 without kid":      {sign(t, hs2, "", jwt.MapClaims{"role": "anon", "iss": "supabase"}), "anon", nil},
		"ES256":                         {sign(t, es, es.ID, service), "service_role", nil},
		"RS256":                         {sign(t, rs, rs.ID, service), "service_role", nil},
		"EdDSA":                         {sign(t, ed, ed.ID, service), "service_role", nil},
		"previously used key":           {sign(t, old, old.ID, service), "service_role", nil},
		"administrator of the old kind": {sign(t, hs, "", jwt.MapClaims{"role": "supabase_admin", "sub": "1234567890"}), "service_role", nil},
		"own ref":                       {sign(t, hs, "", with("ref", refA)), "service_role", nil},
		"not expired":                   {sign(t, hs, "", with("exp", day.Unix()+1)), "service_role", nil},

		"expired":                      {sign(t, hs, "", with("exp", day.Unix())), "", tenants.ErrExpiredKey},
		"not yet valid":                {sign(t, hs, "", with("nbf", day.Unix()+1)), "", tenants.ErrUnknownKey},
		"expiry is text":               {sign(t, hs, "", with("exp", "never")), "", tenants.ErrUnknownKey},
		"other ref":                    {sign(t, hs, "", with("ref", refB)), "", tenants.ErrUnknownKey},
		"ref is a number":              {sign(t, hs, "", with("ref", 1)), "", tenants.ErrUnknownKey},
		"of a session":                 {sign(t, hs, "", with("session_id", "x")), "", tenants.ErrUnknownKey},
		"of a user":                    {sign(t, hs, "", with("sub", uuid.NewString())), "", tenants.ErrUnknownKey},
		"role authenticated":           {sign(t, hs, "", jwt.MapClaims{"role": "authenticated"}), "", tenants.ErrUnknownKey},
		"role postgres":                {sign(t, hs, "", jwt.MapClaims{"role": "postgres"}), "", tenants.ErrUnknownKey},
		"role is a list":               {sign(t, hs, "", jwt.MapClaims{"role": []string{"anon"}}), "", tenants.ErrUnknownKey},
		"no role":                      {sign(t, hs, "", jwt.MapClaims{}), "", tenants.ErrUnknownKey},
		"ES256 without kid":            {sign(t, es, "", service), "", tenants.ErrUnknownKey},
		"revoked key":                  {sign(t, revoked, revoked.ID, service), "", tenants.ErrUnknownKey},
		"revoked key without kid":      {sign(t, revoked, "", service), "", tenants.ErrUnknownKey},
		"stranger's key":               {sign(t, stranger, stranger.ID, service), "", tenants.ErrUnknownKey},
		"stranger under our kid":       {sign(t, stranger, es.ID, service), "", tenants.ErrUnknownKey},
		"kid of another key of ours":   {sign(t, hs, hs2.ID, service), "", tenants.ErrUnknownKey},
		"kid of a key of another kind": {sign(t, hs, es.ID, service), "", tenants.ErrUnknownKey},
		"unknown kid":                  {sign(t, hs, "x", service), "", tenants.ErrUnknownKey},
		"kid is a number":              {must2(t)(numeric.SignedString(hs.Private)), "", tenants.ErrUnknownKey},
		"crit":                         {must2(t)(crit.SignedString(hs.Private)), "", tenants.ErrUnknownKey},
		"HMAC with the public key":     {sign(t, hmacOf(publicDER), es.ID, service), "", tenants.ErrUnknownKey},
		"HMAC with the public JWK":     {sign(t, hmacOf(es.PublicJWK), es.ID, service), "", tenants.ErrUnknownKey},
		"HMAC with nothing":            {sign(t, hmacOf([]byte{}), "", service), "", tenants.ErrUnknownKey},
		"HS384":                        {must2(t)(hs384.SignedString(hs.Private)), "", tenants.ErrUnknownKey},
		"alg none":                     {must2(t)(none.SignedString(jwt.UnsafeAllowNoneSignatureType)), "", tenants.ErrUnknownKey},
		"changed claims": {
			strings.Join([]string{strings.Split(good, ".")[0], base64.RawURLEncoding.EncodeToString([]byte(`{"role":"anon"}`)), strings.Split(good, ".")[2]}, "."),
			"", tenants.ErrUnknownKey,
		},
		"signature cut off": {good[:strings.LastIndexByte(good, '.')+1], "", tenants.ErrUnknownKey},
		"too long":          {sign(t, hs, "", with("x", strings.Repeat("x", 5000))), "", tenants.ErrUnknownKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := a.Authenticate(hasher, day, c.token, "", false)
			wantError(t, err, c.err)
			if got.Role != c.role {
				t.Errorf("role %q, want %q", got.Role, c.role)
			}
		})
	}

	t.Run("ref of the place it came from", func(t *testing.T) {
		t.Parallel()
		moved := *a.Tenant
		imported := hs
		imported.Imported = true
		moved.SigningKeys = []tenants.SigningKey{es, imported}
		got, err := moved.Authenticate(hasher, day, sign(t, hs, "", with("ref", "abcdefghijklmnopqrst")), "", false)
		if err != nil || got.Role != tenants.RoleService {
			t.Errorf("a key signed with an imported secret: %+v, %v", got, err)
		}
	})

	t.Run("switched off", func(t *testing.T) {
		t.Parallel()
		off := *a.Tenant
		off.LegacyKeys = false
		_, err := off.Authenticate(hasher, day, good, "", false)
		wantError(t, err, tenants.ErrUnknownKey)
		beside, err := off.Authenticate(hasher, day, a.publishable, "Bearer "+good, false)
		if err != nil || beside.Role != tenants.RoleAnon || beside.UserToken != good {
			t.Errorf("beside a new key it is no more than a user's token: %+v, %v", beside, err)
		}
		got, err := off.Authenticate(hasher, day, a.publishable, "", false)
		if err != nil || got.Role != tenants.RoleAnon {
			t.Errorf("a new key: %+v, %v", got, err)
		}
	})
}

// derOf is the DER form of a public key.
func derOf(t *testing.T, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	return must(t, der, err)
}

func TestNewLegacyKey(t *testing.T) {
	t.Parallel()
	hs, es := signingKey(t, "HS256"), signingKey(t, "ES256")
	hs.Status = tenants.KeyPreviouslyUsed

	imported, legacy, revoked := signingKey(t, "HS256"), signingKey(t, "HS256"), signingKey(t, "HS256")
	imported.Imported, legacy.Legacy, revoked.Legacy = true, true, true
	revoked.Status = tenants.KeyRevoked
	for name, c := range map[string]struct {
		keys []tenants.SigningKey
		by   tenants.SigningKey
	}{
		"the secret made for it":  {[]tenants.SigningKey{es, hs, imported, revoked, legacy}, legacy},
		"an imported secret":      {[]tenants.SigningKey{es, hs, revoked, imported}, imported},
		"the secret alone":        {[]tenants.SigningKey{legacy}, legacy},
		"imported, another later": {[]tenants.SigningKey{imported, hs}, imported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newProject(refA)
			a.SigningKeys, a.LegacyKeys = c.keys, true
			key := must2(t)(a.NewLegacyKey(tenants.RoleService, day))
			if key != must2(t)(a.NewLegacyKey(tenants.RoleService, day)) {
				t.Error("two different keys")
			}
			parsed, _, err := jwt.NewParser().ParseUnverified(key, jwt.MapClaims{})
			if kid := must(t, parsed, err).Header["kid"]; kid != c.by.ID {
				t.Errorf("signed with %v, want %s", kid, c.by.ID)
			}
			got, err := a.Authenticate(hasher, day, key, "", false)
			if err != nil || got.Role != tenants.RoleService {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		a := newProject(refA)
		a.SigningKeys = []tenants.SigningKey{es, hs, revoked}
		_, err := a.NewLegacyKey(tenants.RoleAnon, day)
		wantError(t, err, tenants.ErrNoLegacySecret)
		a.SigningKeys = []tenants.SigningKey{legacy}
		if _, err = a.NewLegacyKey("authenticated", day); err == nil {
			t.Error("minted a key for a role that no key has")
		}
	})
}

func FuzzLegacyKey(f *testing.F) {
	a := newProject(refA)
	hs, es := signingKey(f, "HS256"), signingKey(f, "ES256")
	a.SigningKeys, a.LegacyKeys = []tenants.SigningKey{hs, es}, true
	stranger := signingKey(f, "HS256")
	for _, token := range []string{
		"", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.",
		sign(f, stranger, hs.ID, jwt.MapClaims{"role": "service_role"}),
		sign(f, stranger, es.ID, jwt.MapClaims{"role": "anon", "ref": refA, "exp": day.Unix()}),
		tenants.NewKey(tenants.KeySecret),
	} {
		f.Add(token, "Bearer "+token)
		f.Add(a.publishable, "Bearer "+token)
	}
	f.Fuzz(func(t *testing.T, apikey, authorization string) {
		got, err := a.Authenticate(hasher, day, apikey, authorization, false)
		// A secret cannot be guessed, so an accepted token is the key that was
		// issued.
		if err == nil && (keyID(got) != "p-"+string(refA) || got.Role != tenants.RoleAnon) {
			t.Errorf("Authenticate(%q, %q) = %+v", apikey, authorization, got)
		}
		if err != nil && (fault.From(err).Kind != fault.Unauthorized || got != (tenants.Credentials{})) {
			t.Errorf("Authenticate(%q, %q) = %+v, %v", apikey, authorization, got, err)
		}
	})
}

package signingkey_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/signingkey"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type world struct {
	*controltest.World
	ref  tenants.Ref
	path string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&signingkey.Handler{Service: &signingkey.Service{DB: w.DB, Authz: w.Authz}}}
	})
	ref := w.Project(t, w.Acme, "Shop").Project.Ref
	return &world{World: w, ref: ref, path: "/v1/projects/" + string(ref) + "/config/auth/signing-keys"}
}

func (w *world) create(t *testing.T, body string) signingkey.Key {
	t.Helper()
	var k signingkey.Key
	w.Do(t, w.Owner, "POST", w.path, body).Want(t, 201).Into(t, &k)
	return k
}

// statuses returns the status of each key of the project.
func (w *world) statuses(t *testing.T) map[string]string {
	t.Helper()
	var list signingkey.List
	w.Do(t, w.ReadOnly, "GET", w.path, "").Want(t, 200).Into(t, &list)
	out := map[string]string{}
	for _, k := range list.Keys {
		out[k.ID] = k.Status
	}
	return out
}

func (w *world) move(t *testing.T, id, status string) controltest.Response {
	t.Helper()
	return w.Do(t, w.Owner, "PATCH", w.path+"/"+id, `{"status":"`+status+`"}`)
}

func privateJWK(t *testing.T, algorithm string) (tenants.SigningKey, map[string]any) {
	t.Helper()
	key, raw, err := tenants.NewSigningKey(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	var jwk map[string]any
	if err := json.Unmarshal(raw, &jwk); err != nil {
		t.Fatal(err)
	}
	return key, jwk
}

func body(t *testing.T, algorithm, status string, jwk map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"algorithm": algorithm, "status": status, "private_jwk": jwk})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.ReadOnly, "GET", w.path, "").Want(t, 200).Golden(t, "list_new_project")
	w.Do(t, w.Owner, "POST", w.path, `{"algorithm":"HS256"}`).Want(t, 201).Golden(t, "create_hs256")
	for _, algorithm := range []string{"ES256", "EdDSA", "RS256"} {
		got := w.Do(t, w.Owner, "POST", w.path, `{"algorithm":"`+algorithm+`"}`).Want(t, 201).Golden(t, "create_"+strings.ToLower(algorithm))
		if strings.Contains(string(got.Body), `"d"`) {
			t.Errorf("the answer shows the private key: %s", got.Body)
		}
		var k signingkey.Key
		got.Into(t, &k)
		w.Do(t, w.ReadOnly, "GET", w.path+"/"+k.ID, "").Want(t, 200).Golden(t, "create_"+strings.ToLower(algorithm))
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var first string
	for id := range w.statuses(t) {
		first = id
	}
	second := w.create(t, `{"algorithm":"ES256"}`).ID
	third := w.create(t, `{"algorithm":"EdDSA","status":"in_use"}`).ID
	want := func(a, b, c string) {
		t.Helper()
		if got := w.statuses(t); got[first] != a || got[second] != b || got[third] != c {
			t.Fatalf("statuses are %s %s %s, want %s %s %s", got[first], got[second], got[third], a, b, c)
		}
	}
	want("previously_used", "standby", "in_use")
	w.move(t, third, "revoked").Refused(t, 409, "signing_key_in_use", "")
	w.move(t, third, "standby").Refused(t, 409, "signing_key_in_use", "")
	w.move(t, third, "in_use").Want(t, 200)
	w.Do(t, w.Owner, "DELETE", w.path+"/"+third, "").Refused(t, 409, "signing_key_in_use", "")
	w.Do(t, w.Owner, "DELETE", w.path+"/"+first, "").Refused(t, 409, "signing_key_not_revoked", "")
	w.move(t, first, "in_use").Want(t, 200, `"in_use"`)
	want("in_use", "standby", "previously_used")
	w.move(t, third, "revoked").Want(t, 200)
	w.move(t, third, "in_use").Refused(t, 409, "signing_key_status", "")
	w.move(t, third, "previously_used").Want(t, 200)
	w.move(t, third, "revoked").Want(t, 200)
	w.Do(t, w.Owner, "DELETE", w.path+"/"+third, "").Want(t, 200, third)
	w.Do(t, w.Owner, "DELETE", w.path+"/"+second, "").Want(t, 200, second)
	w.Do(t, w.Owner, "DELETE", w.path+"/"+second, "").Refused(t, 404, "signing_key_not_found", "")
	want("in_use", "", "")
	w.move(t, first, "lost").Refused(t, 400, "validation_failed", "status: ")
}

func TestConcurrentRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for range 4 {
		ids = append(ids, w.create(t, `{"algorithm":"EdDSA"}`).ID)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if got := w.move(t, id, "in_use"); got.Status != 200 {
				t.Errorf("%d: %s", got.Status, got.Body)
			}
		})
	}
	wg.Wait()
	count := map[string]int{}
	for _, status := range w.statuses(t) {
		count[status]++
	}
	if count["in_use"] != 1 || count["previously_used"] != 4 {
		t.Errorf("statuses: %v", count)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA", "HS256"} {
		key, jwk := privateJWK(t, algorithm)
		created := w.create(t, body(t, algorithm, "standby", jwk))
		tenant, err := w.DB.Tenant(t.Context(), w.ref)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, k := range tenant.SigningKeys {
			found = found || k.ID == key.ID && k.Imported && k.Algorithm == algorithm
		}
		if !found {
			t.Errorf("%s: the tenant does not have the imported key", algorithm)
		}
		if algorithm != "HS256" && created.PublicJWK["kid"] != key.ID {
			t.Errorf("%s: public_jwk = %v", algorithm, created.PublicJWK)
		}
		// The same key twice is refused, but not in another project.
		w.Do(t, w.Owner, "POST", w.path, body(t, algorithm, "standby", jwk)).Refused(t, 409, "conflict", "")
		other := w.Project(t, w.Acme, "Other").Project.Ref
		w.Do(t, w.Owner, "POST", "/v1/projects/"+string(other)+"/config/auth/signing-keys",
			body(t, algorithm, "in_use", jwk)).Want(t, 201)
	}
	t.Run("a secret without a kid", func(t *testing.T) {
		secret := base64.RawURLEncoding.EncodeToString([]byte("super-secret-jwt-token-with-at-least-32-characters"))
		created := w.create(t, body(t, "HS256", "in_use", map[string]any{"kty": "oct", "k": secret}))
		if created.PublicJWK != nil || created.Status != "in_use" {
			t.Errorf("created %+v", created)
		}
	})
}

func TestImportRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, ec := privateJWK(t, "ES256")
	_, other := privateJWK(t, "ES256")
	_, ed := privateJWK(t, "EdDSA")
	_, rsa := privateJWK(t, "RS256")
	with := func(jwk map[string]any, change map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{jwk, change} {
			for k, v := range m {
				if out[k] = v; v == nil {
					delete(out, k)
				}
			}
		}
		return out
	}
	cases := map[string]struct {
		algorithm string
		jwk       map[string]any
		message   string
	}{
		"no kty":               {"ES256", with(ec, map[string]any{"kty": nil}), "private_jwk.kty: "},
		"unknown kty":          {"ES256", with(ec, map[string]any{"kty": "XX"}), "private_jwk.kty: "},
		"kty no string":        {"ES256", with(ec, map[string]any{"kty": []any{}}), "private_jwk.kty: "},
		"unknown member":       {"ES256", with(ec, map[string]any{"x5c": []any{}}), "private_jwk.x5c: unknown field"},
		"public key":           {"ES256", with(ec, map[string]any{"d": nil}), "private_jwk"},
		"another's public key": {"ES256", with(ec, map[string]any{"d": other["d"]}), "private_jwk"},
		"point off the curve":  {"ES256", with(ec, map[string]any{"x": other["x"]}), "private_jwk"},
		"another curve":        {"ES256", with(ec, map[string]any{"crv": "P-384"}), "private_jwk"},
		"another algorithm":    {"RS256", ec, "private_jwk: is a key for ES256"},
		"alg of another kind":  {"ES256", with(ec, map[string]any{"alg": "RS256"}), "private_jwk.alg"},
		"encryption key":       {"ES256", with(ec, map[string]any{"use": "enc"}), "private_jwk.use: "},
		"long kid":             {"ES256", with(ec, map[string]any{"kid": strings.Repeat("k", 129)}), "private_jwk.kid: "},
		"kid no string":        {"ES256", with(ec, map[string]any{"kid": 5}), "private_jwk.kid: "},
		"kid with a newline":   {"ES256", with(ec, map[string]any{"kid": "a\nb"}), "private_jwk.kid: "},
		"Ed25519 halves":       {"EdDSA", with(ed, map[string]any{"x": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}), "private_jwk"},
		"short Ed25519":        {"EdDSA", with(ed, map[string]any{"d": "AAAA"}), "private_jwk"},
		"RSA halves":           {"RS256", with(rsa, map[string]any{"e": "Aw"}), "private_jwk"},
		"RSA without primes":   {"RS256", with(rsa, map[string]any{"p": nil, "q": nil}), "private_jwk"},
		"short secret":         {"HS256", map[string]any{"kty": "oct", "k": "c2hvcnQ"}, "private_jwk.k: "},
		"secret no base64":     {"HS256", map[string]any{"kty": "oct", "k": "not base64 at all!!"}, "private_jwk"},
		"secret as HS256 of":   {"HS256", map[string]any{"kty": "oct"}, "private_jwk"},
	}
	before := len(w.statuses(t))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := w.Do(t, w.Owner, "POST", w.path, body(t, c.algorithm, "standby", c.jwk))
			got.Refused(t, 400, "validation_failed", c.message)
		})
	}
	w.Do(t, w.Owner, "POST", w.path, `{"algorithm":"none"}`).Refused(t, 400, "validation_failed", "algorithm: ")
	w.Do(t, w.Owner, "POST", w.path, `{"algorithm":"ES256","status":"revoked"}`).Refused(t, 400, "validation_failed", "status: ")
	w.Do(t, w.Owner, "POST", w.path, `{"algorithm":"ES256","foo":1}`).Refused(t, 400, "validation_failed", "foo: unknown field")
	if after := len(w.statuses(t)); after != before {
		t.Errorf("%d keys were made by refused requests", after-before)
	}
}

func TestLegacy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.ReadOnly, "GET", w.path+"/legacy", "").Refused(t, 404, "signing_key_not_found", "")
	w.Do(t, w.Owner, "POST", w.path+"/legacy", "").Want(t, 201).Golden(t, "create_hs256")
	w.Do(t, w.ReadOnly, "GET", w.path+"/legacy", "").Want(t, 200).Golden(t, "create_hs256")
	w.Do(t, w.Owner, "POST", w.path+"/legacy", "").Refused(t, 409, "signing_key_exists", "")
	var made, again signingkey.Key
	w.Do(t, w.ReadOnly, "GET", w.path+"/legacy", "").Into(t, &made)
	w.move(t, made.ID, "revoked").Want(t, 200)
	w.Do(t, w.ReadOnly, "GET", w.path+"/legacy", "").Refused(t, 404, "signing_key_not_found", "")
	w.Do(t, w.Owner, "POST", w.path+"/legacy", "").Want(t, 201).Into(t, &again)
	w.Do(t, w.ReadOnly, "GET", w.path+"/legacy", "").Want(t, 200, again.ID)
}

func TestLegacyImported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, `{"algorithm":"HS256"}`)
	_, jwk := privateJWK(t, "HS256")
	imported := w.create(t, body(t, "HS256", "standby", jwk))
	w.Do(t, w.ReadOnly, "GET", w.path+"/legacy", "").Want(t, 200, imported.ID)
	w.Do(t, w.Owner, "POST", w.path+"/legacy", "").Refused(t, 409, "signing_key_exists", "")
}

func TestLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range controldb.MaxSigningKeys - 1 {
		w.create(t, `{"algorithm":"EdDSA"}`)
	}
	w.Do(t, w.Owner, "POST", w.path, `{"algorithm":"EdDSA"}`).Refused(t, 409, "signing_key_limit_reached", "")
}

func TestAnotherProjectsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create(t, `{"algorithm":"ES256"}`).ID
	other := "/v1/projects/" + string(w.Project(t, w.Acme, "Other").Project.Ref) + "/config/auth/signing-keys/"
	w.Do(t, w.Owner, "GET", other+id, "").Refused(t, 404, "signing_key_not_found", "")
	w.Do(t, w.Owner, "PATCH", other+id, `{"status":"in_use"}`).Refused(t, 404, "signing_key_not_found", "")
	w.Do(t, w.Owner, "DELETE", other+id, "").Refused(t, 404, "signing_key_not_found", "")
	w.Do(t, w.Owner, "GET", other+uuid.NewString(), "").Refused(t, 404, "signing_key_not_found", "")
	if w.statuses(t)[id] != "standby" {
		t.Error("the key was changed from another project")
	}
}

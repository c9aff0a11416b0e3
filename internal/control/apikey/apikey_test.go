package apikey_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/apikey"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/signingkey"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newWorld(t *testing.T) (w *controltest.World, ref tenants.Ref, path string) {
	t.Helper()
	w = controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{
			&apikey.Handler{Service: &apikey.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now, Log: w.Log}},
			&signingkey.Handler{Service: &signingkey.Service{DB: w.DB, Authz: w.Authz}},
		}
	})
	ref = w.Project(t, w.Acme, "Shop").Project.Ref
	return w, ref, "/v1/projects/" + string(ref) + "/api-keys"
}

func TestLife(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	var created apikey.Key
	w.Do(t, w.Developer, "POST", path+"?reveal=true",
		`{"type":"secret","name":"ci_secret_key","description":"for CI","secret_jwt_template":{"role":"service_role"}}`).
		Want(t, 201).Golden(t, "create").Into(t, &created)
	if created.APIKey == nil {
		t.Fatal("the answer to the creation has no text")
	}
	if kind, ok := tenants.ParseKey(*created.APIKey); !ok || kind != tenants.KeySecret {
		t.Errorf("api_key = %q", *created.APIKey)
	}
	found, err := w.DB.RefByKey(t.Context(), w.DB.Hasher().Hash(*created.APIKey))
	if err != nil || found != ref {
		t.Errorf("the key belongs to %q, %v", found, err)
	}
	one := path + "/" + *created.ID
	for _, reveal := range []string{"", "?reveal=true"} {
		w.Do(t, w.Owner, "GET", one+reveal, "").Want(t, 200).Golden(t, "get")
		list := w.Do(t, w.Owner, "GET", path+reveal, "").Want(t, 200)
		list.Golden(t, "list")
		if strings.Contains(string(list.Body), *created.APIKey) {
			t.Error("the list shows a secret key")
		}
	}
	w.Do(t, w.Developer, "PATCH", one, `{"name":"renamed_key","description":null,"secret_jwt_template":null}`).
		Want(t, 200).Golden(t, "update")
	w.Do(t, w.Developer, "DELETE", one+"?was_compromised=true&reason=leaked", "").Want(t, 200).Golden(t, "update")
	w.Do(t, w.Developer, "GET", one, "").Refused(t, 404, "api_key_not_found", "")
	if _, err := w.DB.RefByKey(t.Context(), w.DB.Hasher().Hash(*created.APIKey)); err == nil {
		t.Error("a deleted key is still known")
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	const invalid, conflict = "validation_failed", "conflict"
	cases := map[string]struct {
		body          string
		status        int
		code, message string
	}{
		"no type":             {`{"name":"good_name"}`, 400, invalid, "type: is required"},
		"legacy type":         {`{"type":"legacy","name":"good_name"}`, 400, invalid, "type: "},
		"no name":             {`{"type":"secret"}`, 400, invalid, "name: is required"},
		"short name":          {`{"type":"secret","name":"abc"}`, 400, invalid, "name: "},
		"upper-case name":     {`{"type":"secret","name":"Good"}`, 400, invalid, "name: "},
		"name with a newline": {`{"type":"secret","name":"good_name\n"}`, 400, invalid, "name: "},
		"long description":    {`{"type":"secret","name":"good_name","description":"` + strings.Repeat("x", 1025) + `"}`, 400, invalid, "description: "},
		"template no object":  {`{"type":"secret","name":"good_name","secret_jwt_template":5}`, 400, invalid, "secret_jwt_template: "},
		"role of a template":  {`{"type":"secret","name":"good_name","secret_jwt_template":{"role":"anon"}}`, 400, invalid, "secret_jwt_template: must be "},
		"more in a template":  {`{"type":"secret","name":"good_name","secret_jwt_template":{"role":"service_role","x":1}}`, 400, invalid, "secret_jwt_template: must be "},
		"no role":             {`{"type":"secret","name":"good_name","secret_jwt_template":{}}`, 400, invalid, "secret_jwt_template: must be "},
		"template, no secret": {`{"type":"publishable","name":"good_name","secret_jwt_template":{"role":"service_role"}}`, 400, invalid, "secret_jwt_template: only secret keys"},
		"unknown field":       {`{"type":"secret","name":"good_name","foo":1}`, 400, invalid, "foo: unknown field"},
		"taken name":          {`{"type":"secret","name":"default"}`, 409, conflict, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w.Do(t, w.Owner, "POST", path, c.body).Refused(t, c.status, c.code, c.message)
		})
	}
	var created apikey.Key
	w.Do(t, w.Owner, "POST", path, `{"type":"publishable","name":"web_key"}`).Want(t, 201).Into(t, &created)
	for name, c := range map[string]struct{ body, message string }{
		"name null":         {`{"name":null}`, "name: "},
		"name with newline": {`{"name":"good_name\n"}`, "name: "},
		"description":       {`{"description":5}`, "description: "},
		"template":          {`{"secret_jwt_template":{"a":1}}`, "secret_jwt_template: "},
		"unknown field":     {`{"type":"secret"}`, "type: unknown field"},
	} {
		t.Run("update "+name, func(t *testing.T) {
			w.Do(t, w.Owner, "PATCH", path+"/"+*created.ID, c.body).Refused(t, 400, invalid, c.message)
		})
	}
	w.Do(t, w.Owner, "PATCH", path+"/"+*created.ID, `{"name":"default"}`).Refused(t, 409, conflict, "")
	w.Do(t, w.Owner, "GET", path+"/no-uuid", "").Refused(t, 404, "api_key_not_found", "")
	w.Exec(t, `INSERT INTO api_keys (id, ref, type, name, prefix, hash)
		SELECT gen_random_uuid(), $1, 'secret', 'key_' || i, '', decode(md5(i::text), 'hex') FROM generate_series(1, 100) i`,
		strings.Split(path, "/")[3])
	w.Do(t, w.Owner, "POST", path, `{"type":"secret","name":"one_more"}`).Refused(t, 409, "api_key_limit_reached", "")
}

func TestDeletionIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&apikey.Handler{Service: &apikey.Service{
			DB: w.DB, Authz: w.Authz, Now: controltest.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
		}}}
	})
	ref := string(w.Project(t, w.Acme, "Shop").Project.Ref)
	path := "/v1/projects/" + ref + "/api-keys"
	var created apikey.Key
	w.Do(t, w.Owner, "POST", path, `{"type":"secret","name":"ci_key"}`).Want(t, 201).Into(t, &created)
	w.Do(t, w.Owner, "DELETE", path+"/"+*created.ID+"?was_compromised=true&reason=leaked", "").Want(t, 200)
	for _, want := range []string{"level=INFO", "project=" + ref, "key=" + *created.ID, "was_compromised=true", "reason=leaked"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %q", want, log.String())
		}
	}
}

func TestAnotherProjectsKey(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	other := "/v1/projects/" + string(w.Project(t, w.Acme, "Other").Project.Ref) + "/api-keys"
	var created apikey.Key
	w.Do(t, w.Owner, "POST", path, `{"type":"secret","name":"ci_key"}`).Want(t, 201).Into(t, &created)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		body := map[string]string{"PATCH": `{"name":"stolen"}`}[method]
		w.Do(t, w.Owner, method, other+"/"+*created.ID, body).Refused(t, 404, "api_key_not_found", "")
	}
	w.Do(t, w.Owner, "GET", path+"/"+*created.ID, "").Want(t, 200, "ci_key")
}

func TestCreateIdempotent(t *testing.T) {
	t.Parallel()
	w, _, path := newWorld(t)
	send := func() controltest.Response {
		return w.Do(t, w.Owner, "POST", path, `{"type":"secret","name":"ci_key"}`, "Idempotency-Key", "k")
	}
	first, again := send().Want(t, 201), send().Want(t, 201)
	if string(first.Body) != string(again.Body) {
		t.Errorf("first %s, then %s", first.Body, again.Body)
	}
}

func TestLegacy(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	w.Do(t, w.ReadOnly, "GET", path+"/legacy", "").Want(t, 200, `{"enabled":false}`)
	w.Do(t, w.Owner, "PUT", path+"/legacy", "").Refused(t, 400, "validation_failed", "enabled: ")
	w.Do(t, w.Owner, "PUT", path+"/legacy?enabled=maybe", "").Refused(t, 400, "validation_failed", "enabled: ")
	keys := "/v1/projects/" + string(ref) + "/config/auth/signing-keys"
	w.Do(t, w.ReadOnly, "GET", keys+"/legacy", "").Refused(t, 404, "signing_key_not_found", "")
	w.Do(t, w.Developer, "PUT", path+"/legacy?enabled=true", "").Want(t, 200, `{"enabled":true}`)
	var secret signingkey.Key
	w.Do(t, w.ReadOnly, "GET", keys+"/legacy", "").Want(t, 200, `"HS256"`, `"standby"`).Into(t, &secret)
	w.Do(t, w.Owner, "POST", keys+"/legacy", "").Refused(t, 409, "signing_key_exists", "")
	first := w.Do(t, w.Developer, "GET", path, "").Want(t, 200).Golden(t, "list_legacy")
	w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Golden(t, "list_legacy_read_only")
	// The registry accepts each key with its type.
	var listed []apikey.Key
	first.Into(t, &listed)
	tenant, err := w.DB.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []tenants.Role{tenants.RoleAnon, tenants.RoleService} {
		got, err := tenant.Authenticate(w.DB.Hasher(), controltest.Now(), *listed[i].APIKey, "", false)
		if err != nil || got.Role != want {
			t.Errorf("key %d acts as %q, %v", i, got.Role, err)
		}
	}
	if again := w.Do(t, w.Developer, "GET", path, ""); string(again.Body) != string(first.Body) {
		t.Errorf("first %s, then %s", first.Body, again.Body)
	}
	// Disabled and enabled again, they are the same.
	w.Do(t, w.Developer, "PUT", path+"/legacy?enabled=false", "").Want(t, 200)
	if got := w.Do(t, w.Developer, "GET", path, ""); strings.Contains(string(got.Body), "legacy") {
		t.Errorf("switched off: %s", got.Body)
	}
	w.Do(t, w.Developer, "PUT", path+"/legacy?enabled=true", "").Want(t, 200)
	if again := w.Do(t, w.Developer, "GET", path, ""); string(again.Body) != string(first.Body) {
		t.Errorf("first %s, then %s", first.Body, again.Body)
	}
	// A revoked secret signs nothing; enabling the keys again creates a new
	// one.
	shown := func() (keys []apikey.Key) {
		w.Do(t, w.Developer, "GET", path, "").Want(t, 200).Into(t, &keys)
		return keys
	}
	w.Do(t, w.Owner, "PATCH", keys+"/"+secret.ID, `{"status":"revoked"}`).Want(t, 200)
	if got := shown(); got[0].Name != "anon" || got[0].APIKey != nil {
		t.Errorf("after the secret was revoked: %+v", got[0])
	}
	w.Do(t, w.Developer, "PUT", path+"/legacy?enabled=true", "").Want(t, 200)
	if got := shown(); got[0].APIKey == nil || *got[0].APIKey == *listed[0].APIKey {
		t.Error("no new key after the secret was revoked")
	}
}

func TestLegacyWithImportedSecret(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	keys := "/v1/projects/" + string(ref) + "/config/auth/signing-keys"
	w.Do(t, w.Owner, "POST", keys, `{"algorithm":"HS256","private_jwk":{"kty":"oct","k":"`+strings.Repeat("A", 43)+`"}}`).Want(t, 201)
	before := w.Do(t, w.Owner, "GET", keys, "")
	w.Do(t, w.Owner, "PUT", path+"/legacy?enabled=true", "").Want(t, 200)
	if after := w.Do(t, w.Owner, "GET", keys, ""); string(after.Body) != string(before.Body) {
		t.Errorf("a secret was made beside the imported one: %s", after.Body)
	}
}

func TestLegacyWithoutRoom(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	keys := "/v1/projects/" + string(ref) + "/config/auth/signing-keys"
	for range controldb.MaxSigningKeys - 1 {
		w.Do(t, w.Owner, "POST", keys, `{"algorithm":"EdDSA"}`).Want(t, 201)
	}
	w.Do(t, w.Owner, "PUT", path+"/legacy?enabled=true", "").Refused(t, 409, "signing_key_limit_reached", "")
	w.Do(t, w.Owner, "GET", path+"/legacy", "").Want(t, 200, `{"enabled":false}`)
}

package apikey_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/control/apikey"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/tenants"
)

// held is a key as processes load it.
func held(t *testing.T, w *controltest.World, ref tenants.Ref, id string) tenants.APIKey {
	t.Helper()
	tenant, err := w.DB.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range tenant.APIKeys {
		if k.ID == id {
			return k
		}
	}
	t.Fatalf("no key %s", id)
	return tenants.APIKey{}
}

func TestRestrictions(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	var made apikey.Key
	w.Do(t, w.Owner, "POST", path, fmt.Sprintf(`{"type":"secret","name":"narrow_key","scopes":["auth.users.read"],
		"allowed_networks":["203.0.113.7","2001:db8::/32"],"expires_at":%q}`, controltest.Now().Add(time.Hour).Format(time.RFC3339))).
		Want(t, 201).Into(t, &made)
	k := held(t, w, ref, *made.ID)
	if fmt.Sprint(k.Scopes, k.Networks) != "[auth.users.read] [203.0.113.7/32 2001:db8::/32]" || !k.ExpiresAt.Equal(*made.ExpiresAt) {
		t.Errorf("processes hold %+v", k)
	}
	one := path + "/" + *made.ID
	w.Do(t, w.Owner, "PATCH", one, `{"name":"other_name"}`).Want(t, 200)
	if k := held(t, w, ref, *made.ID); len(k.Scopes) != 1 || len(k.Networks) != 2 || k.ExpiresAt.IsZero() {
		t.Errorf("a new name changed the restrictions: %+v", k)
	}
	w.Do(t, w.Owner, "PATCH", one, `{"scopes":null,"allowed_networks":null,"expires_at":null}`).Want(t, 200)
	if k := held(t, w, ref, *made.ID); k.Scopes != nil || k.Networks != nil || !k.ExpiresAt.IsZero() {
		t.Errorf("restrictions are left: %+v", k)
	}
	for name, c := range map[string]struct{ field, message string }{
		"unknown scope":     {`"scopes":["auth.everything"]`, "scopes"},
		"scope twice":       {`"scopes":["auth.users.read","auth.users.read"]`, "scopes: "},
		"no scope":          {`"scopes":[]`, "scopes: "},
		"scopes no array":   {`"scopes":"auth.users.read"`, "scopes: "},
		"no network":        {`"allowed_networks":[]`, "allowed_networks: "},
		"bad network":       {`"allowed_networks":["203.0.113.7/24"]`, "allowed_networks: "},
		"network twice":     {`"allowed_networks":["203.0.113.7","::ffff:203.0.113.7"]`, "allowed_networks: "},
		"network no string": {`"allowed_networks":[5]`, "allowed_networks"},
		"expired":           {`"expires_at":"2001-01-01T00:00:00Z"`, "expires_at: "},
		"too far":           {`"expires_at":"9999-01-01T00:00:00Z"`, "expires_at: "},
		"no time":           {`"expires_at":"soon"`, "expires_at: "},
	} {
		t.Run(name, func(t *testing.T) {
			w.Do(t, w.Owner, "PATCH", one, "{"+c.field+"}").Refused(t, 400, "validation_failed", c.message)
			w.Do(t, w.Owner, "POST", path, `{"type":"secret","name":"one_more",`+c.field+"}").Refused(t, 400, "validation_failed", "")
		})
	}
	w.Do(t, w.Owner, "POST", path, `{"type":"publishable","name":"one_more","scopes":["auth.users.read"]}`).
		Refused(t, 400, "validation_failed", "scopes: only secret keys")
}

func TestRotate(t *testing.T) {
	t.Parallel()
	w, ref, path := newWorld(t)
	var old, made apikey.Key
	w.Do(t, w.Owner, "POST", path, `{"type":"secret","name":"ci_key","description":"CI","scopes":["auth.audit.read"],"allowed_networks":["::1"]}`).
		Want(t, 201).Into(t, &old)
	one := path + "/" + *old.ID
	w.Do(t, w.Owner, "POST", one+"/rotate", `{"overlap_seconds":-1}`).Refused(t, 400, "validation_failed", "")
	w.Do(t, w.Owner, "POST", one+"/rotate", `{"overlap_seconds":2592001}`).Refused(t, 400, "validation_failed", "")
	w.Do(t, w.Owner, "POST", one+"/rotate?reveal=true", `{"overlap_seconds":60}`).Want(t, 201).Into(t, &made)
	if made.APIKey == nil || *made.APIKey == *old.APIKey || made.Name != "ci_key" || *made.Description != "CI" || made.ExpiresAt != nil {
		t.Errorf("the new key is %+v", made)
	}
	was, is := held(t, w, ref, *old.ID), held(t, w, ref, *made.ID)
	if fmt.Sprint(was.Scopes, was.Networks) != fmt.Sprint(is.Scopes, is.Networks) || len(is.Scopes) != 1 || len(is.Networks) != 1 {
		t.Errorf("the restrictions differ: %+v, %+v", was, is)
	}
	end := controltest.Now().Add(time.Minute)
	if !was.ExpiresAt.Equal(end) {
		t.Errorf("the old key expires at %s", was.ExpiresAt)
	}
	// Both work until then, by the clock of the request alone.
	tenant, err := w.DB.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]bool{end.Add(-time.Second): true, end: false} {
		_, err := tenant.Authenticate(w.DB.Hasher(), at, *old.APIKey, "", false)
		if (err == nil) != want {
			t.Errorf("the old key at %s: %v", at, err)
		}
		if _, err := tenant.Authenticate(w.DB.Hasher(), at, *made.APIKey, "", false); err != nil {
			t.Errorf("the new key at %s: %v", at, err)
		}
	}
	w.Do(t, w.Owner, "POST", one+"/rotate", `{}`).Refused(t, 409, "api_key_replaced", "")
	w.Do(t, w.Owner, "PATCH", one, `{"expires_at":null}`).Refused(t, 409, "api_key_replaced", "")
	var shown apikey.Key
	w.Do(t, w.Owner, "GET", one, "").Want(t, 200).Into(t, &shown)
	if shown.ReplacedBy == nil || *shown.ReplacedBy != *made.ID || shown.APIKey != nil {
		t.Errorf("the old key is shown as %+v", shown)
	}
	w.Do(t, w.Owner, "POST", path, `{"type":"secret","name":"ci_key"}`).Refused(t, 409, "conflict", "")
	w.Do(t, w.Owner, "POST", path+"/"+*made.ID+"/rotate", `{}`).Want(t, 201)
	w.Do(t, w.Owner, "DELETE", one, "").Want(t, 200)
}

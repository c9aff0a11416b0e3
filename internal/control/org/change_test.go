package org_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/org"
)

func TestRename(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.Administrator, "PATCH", "/v1/organizations/acme", `{"name":"  Acme 2 "}`).Want(t, 200, `"Acme 2"`)
	w.Do(t, w.Owner, "GET", "/v1/organizations/acme", "").Want(t, 200, `"Acme 2"`)
	w.Do(t, w.Developer, "PATCH", "/v1/organizations/acme", `{"name":"x"}`).Refused(t, 403, "forbidden", "")
	w.Do(t, w.Stranger, "PATCH", "/v1/organizations/acme", `{"name":"x"}`).Refused(t, 404, "organization_not_found", "")
	for _, body := range []string{`{}`, `{"name":""}`, `{"name":" "}`, `{"name":5}`, `{"name":"` + strings.Repeat("x", 257) + `"}`, `{"name":"a","plan":"pro"}`} {
		w.Do(t, w.Owner, "PATCH", "/v1/organizations/acme", body).Refused(t, 400, "validation_failed", "")
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.Project(t, w.Acme, "Shop")
	remove := func(as string) controltest.Response { return w.Do(t, as, "DELETE", "/v1/organizations/acme", "") }
	remove(w.Administrator).Refused(t, 403, "forbidden", "")
	remove(w.Stranger).Refused(t, 404, "organization_not_found", "")
	remove(w.Owner).Refused(t, 409, "organization_not_empty", "")
	w.Exec(t, "UPDATE projects SET status = 'deleted', deleted_at = now() WHERE ref = $1", string(created.Project.Ref))
	remove(w.Owner).Want(t, 200)
	for _, token := range []string{w.Owner, w.Administrator, w.ReadOnly} {
		w.Do(t, token, "GET", "/v1/organizations/acme", "").Refused(t, 404, "organization_not_found", "")
		if got := w.Do(t, token, "GET", "/v1/organizations", "").Want(t, 200); string(got.Body) != "[]" && strings.TrimSpace(string(got.Body)) != "[]" {
			t.Errorf("organizations: %s", got.Body)
		}
	}
	remove(w.Owner).Refused(t, 404, "organization_not_found", "")
	w.Do(t, w.Stranger, "GET", "/v1/organizations/rival", "").Want(t, 200)
	if taken, err := w.DB.SlugTaken(t.Context(), "acme"); !taken || err != nil {
		t.Errorf("the slug is free: %v", err)
	}
}

// The list shows the actor's role in each.
func TestList_roles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var list []org.Organization
	for token, want := range map[string]string{w.Owner: "owner", w.ReadOnly: "read_only"} {
		w.Do(t, token, "GET", "/v1/organizations", "").Want(t, 200).Into(t, &list)
		if len(list) != 1 || list[0].Role != want {
			t.Errorf("%v, want %s", list, want)
		}
	}
}

package org_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/controldb"
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

// TestMFARequired: who requires a second factor has one, and from then on people
// without one do nothing in the organization, while service tokens go on.
func TestMFARequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proved := map[uuid.UUID]bool{}
	w.Server.Person = func(_ context.Context, id uuid.UUID) (bool, error) { return proved[id], nil }
	admin, adminToken := w.Member(t, w.Acme, "administrator")
	guest, guestToken := w.Member(t, w.Rival, "developer")
	p := w.Project(t, w.Acme, "Shop")
	err := w.DB.Tx(t.Context(), func(tx *controldb.Tx) error {
		return tx.SetProjectRole(t.Context(), p.Project.Ref, guest, controldb.Developer)
	})
	if err != nil {
		t.Fatal(err)
	}
	require := func(as, value string) controltest.Response {
		return w.Do(t, as, "PATCH", "/v1/organizations/acme", `{"mfa_required":`+value+`}`)
	}
	require(w.Owner, "true").Refused(t, 403, "insufficient_aal", "")
	w.Do(t, w.Owner, "GET", "/v1/organizations/acme", "").Want(t, 200, `"mfa_required":false`)
	proved[admin] = true
	require(adminToken, "true").Want(t, 200, `"mfa_required":true`)
	require(w.Stranger, "false").Refused(t, 404, "organization_not_found", "")

	for name, as := range map[string]string{"owner": w.Owner, "read_only": w.ReadOnly, "guest": guestToken} {
		for _, c := range []struct{ method, body string }{{"GET", ""}, {"PATCH", `{"mfa_required":false}`}, {"PATCH", `{"name":"x"}`}, {"DELETE", ""}} {
			w.Do(t, as, c.method, "/v1/organizations/acme", c.body).Refused(t, 403, "organization_mfa_required", "")
		}
		// They see that it exists, and why it is closed, and none of its projects.
		w.Do(t, as, "GET", "/v1/organizations", "").Want(t, 200, `"slug":"acme"`, `"mfa_required":true`)
		ids := map[string]uuid.UUID{"owner": w.OwnerID, "guest": guest}
		if id, ok := ids[name]; ok {
			for had, want := range map[bool]int{false: 0, true: 1} {
				orgs, err := w.Authz.Organizations(t.Context(), authz.Actor{UserID: id})
				if err != nil {
					t.Fatal(err)
				}
				got, err := w.Authz.Projects(t.Context(), authz.Actor{UserID: id, SecondFactor: had}, orgs...)
				if err != nil || len(got) != want {
					t.Errorf("%s sees %d projects, %v; second factor: %v", name, len(got), err, had)
				}
			}
		}
	}
	service := authz.Actor{UserID: uuid.New(), Service: &authz.Service{Organization: w.Acme.ID}, Scope: controldb.TokenScope{Permissions: []string{"organization:read"}}}
	if err := w.Authz.Require(t.Context(), service, authz.ReadOrganization, w.Acme.ID); err != nil {
		t.Errorf("a service token: %v", err)
	}
	proved[w.OwnerID] = true
	require(w.Owner, "false").Want(t, 200, `"mfa_required":false`)
	w.Do(t, w.ReadOnly, "GET", "/v1/organizations/acme", "").Want(t, 200)
}

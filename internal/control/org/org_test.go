package org_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newWorld(t *testing.T) *controltest.World {
	t.Helper()
	return controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&org.Handler{Service: &org.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now}}}
	})
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Do(t, w.ReadOnly, "GET", "/v1/organizations", "").Want(t, 200).Golden(t, "list")
	w.Do(t, w.ReadOnly, "GET", "/v1/organizations/acme", "").Want(t, 200).Golden(t, "get")
	var created org.Organization
	w.Do(t, w.ReadOnly, "POST", "/v1/organizations", `{"name":"  Café  "}`).Want(t, 201).Golden(t, "create").Into(t, &created)
	if len(created.Slug) != 20 || strings.Trim(created.Slug, "abcdefghijklmnopqrstuvwxyz") != "" {
		t.Errorf("slug = %q", created.Slug)
	}
	// The creator owns it, and nobody else sees it.
	w.Do(t, w.ReadOnly, "GET", "/v1/organizations/"+created.Slug, "").Want(t, 200, "Café")
	w.Do(t, w.Owner, "GET", "/v1/organizations/"+created.Slug, "").Refused(t, 404, "organization_not_found", "")
	if got := w.Do(t, w.Owner, "GET", "/v1/organizations", ""); strings.Contains(string(got.Body), created.Slug) {
		t.Errorf("another user's list shows it: %s", got.Body)
	}
}

func TestCreateIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	send := func() controltest.Response {
		return w.Do(t, w.Owner, "POST", "/v1/organizations", `{"name":"New"}`, "Idempotency-Key", "a key")
	}
	first, again := send().Want(t, 201), send().Want(t, 201)
	if string(first.Body) != string(again.Body) {
		t.Errorf("first %s, then %s", first.Body, again.Body)
	}
}

func TestOrganizationLimit(t *testing.T) {
	t.Parallel()
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&org.Handler{Service: &org.Service{DB: w.DB, Authz: w.Authz, Now: controltest.Now, MaxOrganizations: 2}}}
	})
	create := func(as string) controltest.Response {
		return w.Do(t, as, "POST", "/v1/organizations", `{"name":"One more"}`)
	}
	// A membership in another organization counts only for its owner.
	create(w.ReadOnly).Want(t, 201)
	create(w.ReadOnly).Want(t, 201)
	create(w.ReadOnly).Refused(t, 403, "organization_limit_reached", "")
	create(w.Owner).Want(t, 201) // one of acme already
	create(w.Owner).Refused(t, 403, "organization_limit_reached", "")
}

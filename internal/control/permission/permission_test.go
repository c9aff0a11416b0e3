package permission_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/permission"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newWorld(t *testing.T) *controltest.World {
	t.Helper()
	return controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		return []controltest.Mounter{&permission.Handler{Authz: w.Authz}}
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []permission.Permission
	w.Do(t, w.ReadOnly, "GET", "/v1/permissions", "").Want(t, 200).Into(t, &all)
	if len(all) != len(authz.Actions()) {
		t.Errorf("%d permissions of %d", len(all), len(authz.Actions()))
	}
	for _, p := range all {
		if len(p.Description) < 10 {
			t.Errorf("%s says %q", p.Name, p.Description)
		}
	}
	w.Do(t, "", "GET", "/v1/permissions", "").Refused(t, 401, "unauthorized", "")
}

// What is listed is what the role allows, narrowed by the token.
func TestHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := string(w.Project(t, w.Acme, "Shop").Project.Ref)
	get := func(token, path string) (out permission.Held) {
		w.Do(t, token, "GET", path, "").Want(t, 200).Into(t, &out)
		return out
	}
	of := func(role controldb.Role) (out []string) {
		for _, a := range authz.BuiltInPermissions(role) {
			out = append(out, string(a))
		}
		return out
	}
	org, project := "/v1/organizations/acme/permissions", "/v1/projects/"+ref+"/permissions"
	for role, token := range map[controldb.Role]string{
		"owner": w.Owner, "administrator": w.Administrator, "developer": w.Developer, "read_only": w.ReadOnly,
	} {
		for _, path := range []string{org, project} {
			if got := get(token, path); got.Role != string(role) || !slices.Equal(got.Permissions, of(role)) {
				t.Errorf("%s at %s: %+v", role, path, got)
			}
		}
	}
	for _, path := range []string{org, project} {
		foreign := w.Do(t, w.Stranger, "GET", path, "").Want(t, 404)
		if foreign.Status != 404 {
			t.Errorf("%s: %s", path, foreign.Body)
		}
	}

	// A role in the project alone.
	guest := uuid.New()
	w.Exec(t, "INSERT INTO project_members (ref, user_id, role) VALUES ($1, $2, 'administrator')", ref, guest)
	token, err := w.DB.CreateAccessToken(t.Context(), guest, "test")
	if err != nil {
		t.Fatal(err)
	}
	got := get(token, project)
	if got.Role != "" || got.ProjectRole != "administrator" || slices.Contains(got.Permissions, "project:create") || !slices.Contains(got.Permissions, "project:delete") {
		t.Errorf("in the project: %+v", got)
	}
	if got := get(token, org); !slices.Equal(got.Permissions, []string{"organization:read"}) {
		t.Errorf("in the organization: %+v", got)
	}

	// A role without any permission has an empty list, not a refusal.
	w.Exec(t, "INSERT INTO roles (organization_id, name, permissions) VALUES ($1, 'nothing', '[]')", w.Acme.ID)
	_, none := w.Member(t, w.Acme, "nothing")
	if got := get(none, project); got.Role != "nothing" || len(got.Permissions) != 0 {
		t.Errorf("nothing: %+v", got)
	}

	// The token's limits count.
	w.Exec(t, `UPDATE access_tokens SET permissions = '["logs:read"]' WHERE user_id = $1`, w.OwnerID)
	if got := get(w.Owner, project); !slices.Equal(got.Permissions, []string{"logs:read"}) {
		t.Errorf("a limited token: %+v", got)
	}
}

package project_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/control/controltest"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/tenants"
)

func TestHostedBranches(t *testing.T) {
	t.Parallel()
	rows := &controltest.Rows{}
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		rows.World = w
		return []controltest.Mounter{&project.Handler{Service: &project.Service{
			DB: w.DB, Authz: w.Authz, Provision: rows, Servers: rows, URL: controltest.URL, Now: controltest.Now, Log: w.Log,
		}}}
	})
	source, other := w.Project(t, w.Acme, "Shop").Project.Ref, w.Project(t, w.Acme, "Other").Project.Ref
	branch := func(name string, ttl time.Duration) tenants.Ref {
		created, err := rows.Branch(t.Context(), provision.NewProject{OrganizationID: w.Acme.ID, Name: name, BranchOf: source, TTL: ttl})
		if err != nil {
			t.Fatal(err)
		}
		return created.Project.Ref
	}
	refs := []tenants.Ref{branch("stays", 0), branch("ends", time.Hour)}
	broken := branch("broken", 0)
	w.Exec(t, `UPDATE projects SET status = 'failed' WHERE ref = $1`, string(broken))
	refs = append(refs, broken)
	path := "/v1/projects/" + string(source) + "/branches"
	got := w.Do(t, w.ReadOnly, "GET", path, "").Want(t, 200).Golden(t, "branches")
	var list, again []project.HostedBranch
	got.Into(t, &list)
	if len(list) != len(refs) {
		t.Fatalf("%s", got.Body)
	}
	ids := map[string]bool{}
	for i, b := range list {
		ids[b.ID] = true
		if b.ProjectRef != string(refs[i]) || b.ParentProjectRef != string(source) {
			t.Errorf("branch %d: %+v", i, b)
		}
	}
	if err := json.Unmarshal(w.Do(t, w.Developer, "GET", path, "").Want(t, 200).Body, &again); err != nil || len(ids) != len(refs) || again[0] != list[0] {
		t.Errorf("ids %v, then %+v, %v", ids, again, err)
	}
	if none := w.Do(t, w.ReadOnly, "GET", "/v1/projects/"+string(other)+"/branches", "").Want(t, 200); string(none.Body) != "[]" && string(none.Body) != "[]\n" {
		t.Errorf("another project has branches: %s", none.Body)
	}
	w.Do(t, w.Stranger, "GET", path, "").Refused(t, 404, "project_not_found", "")
}

package project_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

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

// The hosted service's clients manage a branch by its id or ref. Neither is one
// of a project that is no branch, whatever the client means by it.
func TestHostedBranchByID(t *testing.T) {
	t.Parallel()
	rows := &controltest.Rows{}
	w := controltest.New(t, func(w *controltest.World) []controltest.Mounter {
		rows.World = w
		return []controltest.Mounter{&project.Handler{Service: &project.Service{
			DB: w.DB, Authz: w.Authz, Provision: rows, Servers: rows, URL: controltest.URL, Now: controltest.Now, Log: w.Log,
		}}}
	})
	source := string(w.Project(t, w.Acme, "Shop").Project.Ref)
	all := "/v1/projects/" + source + "/branches"
	var b, other, renamed, again project.HostedBranch
	made := w.Do(t, w.Administrator, "POST", all, `{"branch_name":"pr-1","git_branch":"feature/one","persistent":true}`).Want(t, 201)
	made.Into(t, &b)
	if strings.Contains(string(made.Body), "sb_secret") || strings.Contains(string(made.Body), "postgres") {
		t.Errorf("secrets unasked: %s", made.Body)
	}
	w.Do(t, w.Administrator, "POST", all, `{"branch_name":"pr-2"}`).Want(t, 201).Into(t, &other)
	var named project.HostedBranch
	w.Do(t, w.ReadOnly, "GET", all+"/pr-1", "").Want(t, 200).Into(t, &named)
	if named.ID != b.ID || named.GitBranch != "feature/one" {
		t.Errorf("by name: %+v", named)
	}
	w.Do(t, w.ReadOnly, "GET", all+"/pr-3", "").Refused(t, 404, "branch_not_found", "")
	w.Do(t, w.Stranger, "GET", all+"/pr-1", "").Refused(t, 404, "project_not_found", "")
	for _, name := range []string{b.ID, b.ProjectRef} {
		var got project.HostedBranchDetail
		w.Do(t, w.ReadOnly, "GET", "/v1/branches/"+name, "").Want(t, 200).Into(t, &got)
		if got.Ref != b.ProjectRef {
			t.Errorf("%s is %+v", name, got)
		}
		w.Do(t, w.Stranger, "GET", "/v1/branches/"+name, "").Refused(t, 404, "project_not_found", "")
		w.Do(t, w.Stranger, "DELETE", "/v1/branches/"+name, "").Refused(t, 404, "project_not_found", "")
		w.Do(t, w.Developer, "DELETE", "/v1/branches/"+name, "").Refused(t, 403, "forbidden", "")
	}
	w.Do(t, w.Administrator, "PATCH", "/v1/branches/"+other.ID, `{"branch_name":"pr-2a"}`).Want(t, 200).Into(t, &renamed)
	if named = renamed; named.ID != other.ID || named.Name != "pr-2a" || named.GitBranch != "" {
		t.Errorf("renamed: %+v", named)
	}
	w.Do(t, w.Administrator, "PATCH", "/v1/branches/"+other.ID, `{"git_branch":"feature/two"}`).Want(t, 200).Into(t, &named)
	if named.Name != "pr-2a" || named.GitBranch != "feature/two" {
		t.Errorf("another branch of Git: %+v", named)
	}
	w.Do(t, w.Administrator, "PATCH", "/v1/branches/"+other.ID, `{"persistent":true}`).Want(t, 200).Into(t, &again)
	if again != named {
		t.Errorf("a change of nothing: %+v", again)
	}
	for _, c := range [][2]string{{"pausing", "PAUSING"}, {"paused", "INACTIVE"}, {"restoring", "RESTORING"}, {"active", "ACTIVE_HEALTHY"}} {
		status, want := c[0], c[1]
		w.Exec(t, `UPDATE projects SET status = $1 WHERE ref = $2`, status, other.ProjectRef)
		var got project.HostedBranchDetail
		w.Do(t, w.ReadOnly, "GET", "/v1/branches/"+other.ID, "").Want(t, 200).Into(t, &got)
		if got.Status != want {
			t.Errorf("%s is %s", status, got.Status)
		}
	}
	w.Do(t, w.Administrator, "PATCH", "/v1/branches/"+other.ID, `{"git_branch":"a\nb"}`).Refused(t, 400, "validation_failed", "git_branch: ")
	w.Do(t, w.Administrator, "PATCH", "/v1/projects/"+source, `{"git_branch":"main"}`).Refused(t, 400, "project_not_branch", "")
	var reset project.HostedBranchReset
	w.Do(t, w.Administrator, "POST", "/v1/branches/"+other.ProjectRef+"/reset", "").Want(t, 201).Into(t, &reset)
	if reset != (project.HostedBranchReset{Message: "ok", WorkflowRunID: other.ID}) {
		t.Errorf("reset: %+v", reset)
	}
	w.Do(t, w.Administrator, "DELETE", all, "").Refused(t, 400, "branching_always_enabled", "")
	w.Do(t, w.Stranger, "DELETE", all, "").Refused(t, 404, "project_not_found", "")
	w.Do(t, w.ReadOnly, "GET", "/v1/projects/"+b.ProjectRef+"/config/database/pooler", "").Want(t, 200).Golden(t, "pooler")
	for _, none := range []string{uuid.NewString(), "00000000-0000-8000-8000-000000000000", "ffffffff-ffff-8fff-bfff-ffffffffffff", "x"} {
		w.Do(t, w.Administrator, "DELETE", "/v1/branches/"+none, "").Refused(t, 404, "project_not_found", "")
	}
	w.Do(t, w.Administrator, "DELETE", "/v1/branches/"+source, "").Refused(t, 400, "project_not_branch", "")
	w.Do(t, w.Administrator, "DELETE", "/v1/branches/"+b.ID, "").Want(t, 200)
	var left []project.HostedBranch
	w.Do(t, w.ReadOnly, "GET", all, "").Want(t, 200).Into(t, &left)
	if len(left) != 2 || left[0].ID != b.ID || left[0].ProjectStatus != "GOING_DOWN" || left[1].ProjectStatus != "ACTIVE_HEALTHY" {
		t.Errorf("after deletion: %+v", left)
	}
}

// An id has the ref in it, whichever it is.
func TestBranchIDs(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{strings.Repeat("a", 20), strings.Repeat("z", 20), strings.Repeat("az", 10), string(tenants.NewRef())} {
		id := project.BranchID(ref)
		if parsed, err := uuid.Parse(id); err != nil || parsed.Version() != 8 || parsed.Variant() != uuid.RFC4122 {
			t.Errorf("%s: %s is no UUID of version 8: %v", ref, id, err)
		}
		if got := project.RefOfBranch(id); got != ref {
			t.Errorf("%s became %s, which is %s", ref, id, got)
		}
	}
}

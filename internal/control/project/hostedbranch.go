package project

import (
	"context"
	"math/big"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// HostedBranch is a branch in the hosted service's form, which knows a branch by
// an id beside the ref of its project.
type HostedBranch struct {
	ID                  string `json:"id" format:"uuid" doc:"Another form of project_ref."`
	Name                string `json:"name"`
	ProjectRef          string `json:"project_ref"`
	ParentProjectRef    string `json:"parent_project_ref"`
	GitBranch           string `json:"git_branch,omitempty"`
	IsDefault           bool   `json:"is_default"`
	Persistent          bool   `json:"persistent" doc:"Whether it stays until somebody deletes it."`
	Status              string `json:"status" enum:"CREATING_PROJECT,MIGRATIONS_PASSED,MIGRATIONS_FAILED"`
	CreatedAt           string `json:"created_at"`
	UpdatedAt           string `json:"updated_at"`
	WithData            bool   `json:"with_data"`
	DeletionScheduledAt string `json:"deletion_scheduled_at,omitempty"`
	ProjectStatus       string `json:"preview_project_status"`
}

// HostedBranchBody is the body of a branch in the hosted service's form. The
// branch of Git is only remembered. All but it and the name is accepted and has no
// effect: each branch has the data of its source, and stays until somebody deletes it.
type HostedBranchBody struct {
	Name                string `json:"branch_name" minLength:"1" maxLength:"256"`
	GitBranch           string `json:"git_branch,omitempty" maxLength:"256"`
	IsDefault           *bool  `json:"is_default,omitempty"`
	Persistent          *bool  `json:"persistent,omitempty"`
	WithData            *bool  `json:"with_data,omitempty"`
	Region              string `json:"region,omitempty" maxLength:"64"`
	DesiredInstanceSize string `json:"desired_instance_size,omitempty" maxLength:"64"`
	PostgresEngine      string `json:"postgres_engine,omitempty" maxLength:"64"`
	ReleaseChannel      string `json:"release_channel,omitempty" maxLength:"64"`
	NotifyURL           string `json:"notify_url,omitempty" maxLength:"2048"`
}

// HostedBranchChange is the body of a change. Only the names have an effect.
type HostedBranchChange struct {
	Name          string `json:"branch_name,omitempty" minLength:"1" maxLength:"256"`
	GitBranch     string `json:"git_branch,omitempty" maxLength:"256"`
	Persistent    *bool  `json:"persistent,omitempty"`
	RequestReview *bool  `json:"request_review,omitempty"`
	ResetOnPush   *bool  `json:"reset_on_push,omitempty"`
	Status        string `json:"status,omitempty" maxLength:"64"`
	NotifyURL     string `json:"notify_url,omitempty" maxLength:"2048"`
}

type hostedBranchChange struct {
	Ref  string `path:"ref"`
	Body HostedBranchChange
}

// HostedBranchDetail says where a branch's database is. The hosted service
// answers passwords too; they are at the creation and nowhere else.
type HostedBranchDetail struct {
	Ref             string `json:"ref"`
	PostgresVersion string `json:"postgres_version"`
	PostgresEngine  string `json:"postgres_engine"`
	ReleaseChannel  string `json:"release_channel"`
	Status          string `json:"status"`
	Host            string `json:"db_host"`
	Port            int    `json:"db_port"`
}

// HostedBranchDone is the answer to a deletion of a branch.
type HostedBranchDone struct {
	Message string `json:"message" enum:"ok"`
}

// HostedBranchReset is the answer to a reset of a branch.
type HostedBranchReset struct {
	Message       string `json:"message" enum:"ok"`
	WorkflowRunID string `json:"workflow_run_id" doc:"The branch's id: a reset is no workflow that could be asked for."`
}

// errBranching is the answer to a request that would disable branching.
var errBranching = fault.New(fault.Invalid, "branching_always_enabled",
	"Branching cannot be disabled: delete the branches, and take the permission project:create from whoever shall make none")

// ErrNoBranchOfName is returned when no branch of a project has a name.
var ErrNoBranchOfName = fault.New(fault.NotFound, "branch_not_found", "The project has no branch of this name")

type namedBranchInput struct {
	Ref  string `path:"ref"`
	Name string `path:"name"`
}

type hostedBranchInput struct {
	Ref  string `path:"ref"`
	Body HostedBranchBody
}

// mountHostedBranches registers the routes by which the hosted service's clients
// manage branches.
func (h *Handler) mountHostedBranches(api control.API) {
	op := func(id, method, path, summary string) control.Operation {
		return control.Operation{ID: id, Method: method, Path: path, Summary: summary + " in the hosted service's form", Tag: "Projects"}
	}
	const all, one = "/v1/projects/{ref}/branches", "/v1/branches/{ref}"
	control.Register(api, op("list-branches", http.MethodGet, all, "List the branches of a project"), h.hostedBranches)
	create := op("create-branch", http.MethodPost, all, "Branch a project")
	create.Status = http.StatusCreated // no Idempotency-Key: what Branch remembers is in another form
	control.Register(api, create, h.createHosted)
	control.Register(api, op("disable-branching", http.MethodDelete, all, "Disable branching: refused,"), h.disableBranching)
	control.Register(api, op("get-branch-by-name", http.MethodGet, all+"/{name}", "Get the newest branch of a name"), h.hostedByName)
	control.Register(api, op("get-branch", http.MethodGet, one, "Get a branch, by its id or ref,"), h.getHosted)
	control.Register(api, op("update-branch", http.MethodPatch, one, "Rename a branch, by its id or ref,"), h.renameHosted)
	control.Register(api, op("delete-branch", http.MethodDelete, one, "Delete a branch, by its id or ref,"), h.deleteHosted)
	reset := op("reset-hosted-branch", http.MethodPost, one+"/reset",
		"Replace the database of a branch, by its id or ref, by a new copy of its source")
	reset.Status = http.StatusCreated
	control.Register(api, reset, h.resetHosted)
}

func (h *Handler) hostedBranches(ctx context.Context, actor control.Actor, in *refInput) (*[]HostedBranch, error) {
	found, err := h.Service.Branches(ctx, actor, in.Ref)
	if err != nil {
		return nil, err
	}
	out := make([]HostedBranch, len(found))
	for i, p := range found {
		out[i] = hostedBranch(p)
	}
	return &out, nil
}

func (h *Handler) hostedByName(ctx context.Context, actor control.Actor, in *namedBranchInput) (*HostedBranch, error) {
	found, err := h.Service.Branches(ctx, actor, in.Ref)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Backward(found) {
		if p.Name == in.Name {
			out := hostedBranch(p)
			return &out, nil
		}
	}
	return nil, ErrNoBranchOfName
}

func (h *Handler) createHosted(ctx context.Context, actor control.Actor, in *hostedBranchInput) (*HostedBranch, error) {
	created, err := h.Service.Branch(ctx, actor, in.Ref, BranchBody{Name: in.Body.Name, GitBranch: in.Body.GitBranch}, false)
	if err != nil {
		return nil, err
	}
	out := hostedBranch(created.Project)
	return &out, nil
}

func (h *Handler) getHosted(ctx context.Context, actor control.Actor, in *refInput) (*HostedBranchDetail, error) {
	p, err := h.Service.hosted(ctx, actor, authz.ReadProject, in.Ref)
	if err != nil {
		return nil, err
	}
	found, err := h.Service.Get(ctx, actor, string(p))
	if err != nil {
		return nil, err
	}
	db, port := found.Database, h.Service.Servers.Describe(p).Port
	return &HostedBranchDetail{
		Ref: found.Ref, PostgresVersion: db.ServerVersion, PostgresEngine: db.PostgresEngine, ReleaseChannel: db.ReleaseChannel,
		Status: found.Status, Host: db.Host, Port: port,
	}, nil
}

func (h *Handler) renameHosted(ctx context.Context, actor control.Actor, in *hostedBranchChange) (*HostedBranch, error) {
	p, err := h.Service.hosted(ctx, actor, authz.UpdateProject, in.Ref)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != "" || in.Body.GitBranch != "" {
		if _, err := h.Service.Update(ctx, actor, string(p), UpdateBody{Name: in.Body.Name, GitBranch: in.Body.GitBranch}); err != nil {
			return nil, err
		}
	}
	found, err := h.Service.Get(ctx, actor, string(p))
	if err != nil {
		return nil, err
	}
	out := hostedBranch(found.Project)
	return &out, nil
}

func (h *Handler) deleteHosted(ctx context.Context, actor control.Actor, in *refInput) (*HostedBranchDone, error) {
	p, err := h.Service.hosted(ctx, actor, authz.DeleteProject, in.Ref)
	if err != nil {
		return nil, err
	}
	if _, err := h.Service.Delete(ctx, actor, string(p)); err != nil {
		return nil, err
	}
	return &HostedBranchDone{"ok"}, nil
}

func (h *Handler) resetHosted(ctx context.Context, actor control.Actor, in *refInput) (*HostedBranchReset, error) {
	p, err := h.Service.hosted(ctx, actor, authz.DeleteProject, in.Ref)
	if err != nil {
		return nil, err
	}
	if _, err := h.Service.Reset(ctx, actor, string(p)); err != nil {
		return nil, err
	}
	return &HostedBranchReset{Message: "ok", WorkflowRunID: branchID(string(p))}, nil
}

func (h *Handler) disableBranching(ctx context.Context, actor control.Actor, in *refInput) (*HostedBranchDone, error) {
	if _, err := h.Service.Authz.Project(ctx, actor, authz.DeleteProject, in.Ref); err != nil {
		return nil, err
	}
	return nil, errBranching
}

// hosted finds the project of a branch by its id or ref. A project that is none
// is refused, lest a client that confuses the two deletes it, and so is an
// actor without the permission. Faults:
// project_not_found, project_not_branch.
func (s *Service) hosted(ctx context.Context, actor authz.Actor, action authz.Action, idOrRef string) (tenants.Ref, error) {
	p, err := s.Authz.Project(ctx, actor, action, refOfBranch(idOrRef))
	if err != nil {
		return "", err
	}
	if p.BranchOf == "" {
		return "", provision.ErrNoBranch
	}
	return p.Ref, nil
}

// hostedBranch describes a branch. It has the schema of its source from the
// beginning, so there is no state between that of its creation and the last one.
func hostedBranch(p Project) HostedBranch {
	status := "MIGRATIONS_PASSED"
	switch p.Status {
	case "COMING_UP":
		status = "CREATING_PROJECT"
	case "INIT_FAILED":
		status = "MIGRATIONS_FAILED"
	}
	return HostedBranch{
		ID: branchID(p.Ref), Name: p.Name, ProjectRef: p.Ref, ParentProjectRef: p.BranchOf, GitBranch: p.GitBranch, Persistent: p.ExpiresAt == "",
		Status: status, CreatedAt: p.CreatedAt, UpdatedAt: p.CreatedAt, WithData: true, DeletionScheduledAt: p.ExpiresAt, ProjectStatus: p.Status,
	}
}

// letters is how many letters a ref is made of, a to z.
const letters = 26

// branchID is a ref as a UUID of version 8 (RFC 9562, section 5.8), so that no
// table has to hold it: the ref is a number in base 26 of 94 bits, whose 12 bytes
// stand around those of version and variant.
func branchID(ref string) string {
	n := new(big.Int)
	for i := range len(ref) {
		n.Add(n.Mul(n, big.NewInt(letters)), big.NewInt(int64(ref[i]-'a')))
	}
	var b [12]byte
	n.FillBytes(b[:])
	id := uuid.UUID{6: 8 << 4, 8: 2 << 6}
	copy(id[:6], b[:6])
	id[7] = b[6]
	copy(id[9:], b[7:])
	return id.String()
}

// refOfBranch reverses branchID; anything else comes back as it is.
func refOfBranch(idOrRef string) string {
	id, err := uuid.Parse(idOrRef)
	if err != nil {
		return idOrRef
	}
	n := new(big.Int).SetBytes(slices.Concat(id[:6], id[7:8], id[9:14]))
	ref := make([]byte, tenants.RefLength)
	digit := new(big.Int)
	for i := len(ref) - 1; i >= 0; i-- {
		n.DivMod(n, big.NewInt(letters), digit)
		ref[i] = 'a' + byte(digit.Int64())
	}
	if branchID(string(ref)) != id.String() {
		return idOrRef
	}
	return string(ref)
}

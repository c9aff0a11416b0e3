package project

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// ErrPlatform is returned for a change that would take the dashboard's own
// project away.
var ErrPlatform = fault.New(fault.Forbidden, "platform_project", "The platform project cannot be deleted")

// Provisioner makes and drops projects; internal/provision does, tests without
// databases do not.
type Provisioner interface {
	Create(ctx context.Context, n provision.NewProject) (provision.Created, error)
	Delete(ctx context.Context, ref tenants.Ref) error
	Branch(ctx context.Context, n provision.NewProject) (provision.Created, error)
	ResetBranch(ctx context.Context, ref tenants.Ref) (controldb.Project, error)
	Pause(ctx context.Context, ref tenants.Ref) (controldb.Project, error)
	Restore(ctx context.Context, ref tenants.Ref) (controldb.Project, error)
	SetOwnerPassword(ctx context.Context, ref tenants.Ref, password string) error
}

// Servers knows the Postgres servers that hold the projects' databases.
type Servers interface {
	// Describe returns where a project's database is, without asking the server.
	Describe(ref tenants.Ref) DatabaseServer
	// Health asks the project's database for a sign of life, as the role that
	// auth works with.
	Health(ctx context.Context, ref tenants.Ref) error
}

// DatabaseServer is a Postgres server as developers see it.
type DatabaseServer struct {
	Host    string
	Port    int
	Version string
}

// Service is the rules of projects.
type Service struct {
	DB        *controldb.DB
	Authz     *authz.Authorizer
	Provision Provisioner
	Servers   Servers
	URL       func(ref tenants.Ref) string // canonical URL of a project
	Mail      Mail
	Now       func() time.Time
	Log       *slog.Logger
}

// Create makes a project in an organization, with its database and keys, and
// answers its secrets if reveal is true. Faults: validation_failed,
// organization_not_found, project_limit_reached, ephemeral_project_limit_reached.
func (s *Service) Create(ctx context.Context, actor authz.Actor, b CreateBody, reveal bool) (*Created, error) {
	name, err := text.Name("name", b.Name, 1, 256)
	if err != nil {
		return nil, err
	}
	ttl, err := parseTTL(b.TTL)
	if err != nil {
		return nil, err
	}
	if b.HighAvailability {
		return nil, text.Invalid("high_availability: is not a project's matter, leave it out; the operator's Postgres has a standby or not")
	}
	slug, err := b.organization()
	if err != nil {
		return nil, err
	}
	org, err := s.Authz.Organization(ctx, actor, authz.CreateProject, slug)
	if err != nil {
		return nil, err
	}
	n := provision.NewProject{
		OrganizationID: org.ID, Name: name, Region: b.region(), DBPassword: b.DBPass, CreatedBy: &actor.UserID, TTL: ttl,
	}
	return s.create(ctx, n, org.Slug, reveal, s.Provision.Create)
}

// create makes a project and remembers the answer.
func (s *Service) create(ctx context.Context, n provision.NewProject, slug string, reveal bool,
	do func(context.Context, provision.NewProject) (provision.Created, error),
) (*Created, error) {
	answer := func(c provision.Created) *Created {
		out := &Created{Project: onWire(c.Project, slug), URL: s.URL(c.Project.Ref), PublishableKey: c.PublishableKey}
		if reveal {
			out.SecretKey, out.DatabaseURL = c.SecretKey, c.DatabaseURL
		}
		return out
	}
	var first provision.Created
	n.Within = func(ctx context.Context, tx *controldb.Tx, c provision.Created) error {
		first = c
		return control.Remember(ctx, tx, answer(c))
	}
	created, err := do(ctx, n)
	if err != nil {
		return nil, err
	}
	out := answer(created)
	if created.Project.Status != first.Project.Status {
		// The database was made after the commit: remember that it is ready.
		err := s.DB.Tx(ctx, func(tx *controldb.Tx) error { return control.Remember(ctx, tx, out) })
		if err != nil {
			s.Log.WarnContext(ctx, "answer to a create is remembered without its last status",
				"project", created.Project.Ref, "error", err)
		}
	}
	return out, nil
}

// parseTTL reads a time to live; 0 for "".
func parseTTL(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	ttl, err := time.ParseDuration(s)
	if err != nil {
		return 0, text.Invalid("ttl: must be a duration such as 90s, 30m or 24h")
	}
	return ttl, provision.CheckTTL(ttl)
}

// organization is the slug, by its present or its former name.
func (b *CreateBody) organization() (string, error) {
	switch {
	case b.OrganizationSlug != "" && b.OrganizationID != "" && b.OrganizationSlug != b.OrganizationID:
		return "", text.Invalid("organization_id: names another organization than organization_slug")
	case b.OrganizationSlug != "":
		return b.OrganizationSlug, nil
	case b.OrganizationID != "":
		return b.OrganizationID, nil
	}
	return "", text.Invalid("organization_slug: is required")
}

func (b *CreateBody) region() string {
	if b.Region == "" && b.RegionSelection != nil {
		return b.RegionSelection.Code
	}
	return b.Region
}

// List returns the projects that exist for the actor, the oldest first.
func (s *Service) List(ctx context.Context, actor authz.Actor) ([]WithDatabase, error) {
	orgs, err := s.Authz.Organizations(ctx, actor)
	if err != nil {
		return nil, err
	}
	slugs := map[uuid.UUID]string{}
	for _, o := range orgs {
		slugs[o.ID] = o.Slug
	}
	projects, err := s.Authz.Projects(ctx, actor, orgs...)
	if err != nil {
		return nil, err
	}
	out := make([]WithDatabase, len(projects))
	for i, p := range projects {
		out[i] = s.withDatabase(p, slugs[p.OrganizationID])
	}
	return out, nil
}

// Get returns a project.
func (s *Service) Get(ctx context.Context, actor authz.Actor, ref string) (*WithDatabase, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadProject, ref)
	if err != nil {
		return nil, err
	}
	org, err := s.DB.OrganizationByID(ctx, p.OrganizationID)
	if err != nil {
		return nil, err
	}
	out := s.withDatabase(p, org.Slug)
	return &out, nil
}

// Update gives a project another name, a branch another branch of Git, and a project
// with a time to live another one from now. Faults: validation_failed,
// project_not_branch, project_not_ephemeral.
func (s *Service) Update(ctx context.Context, actor authz.Actor, ref string, b UpdateBody) (*Reference, error) {
	p, err := s.Authz.Project(ctx, actor, authz.UpdateProject, ref)
	if err != nil {
		return nil, err
	}
	ttl, err := parseTTL(b.TTL)
	if err != nil {
		return nil, err
	}
	if b.GitBranch, err = gitBranch(b.GitBranch); err != nil {
		return nil, err
	}
	if b.GitBranch != "" && p.BranchOf == "" {
		return nil, provision.ErrNoBranch
	}
	before := map[string]any{"name": p.Name}
	if b.GitBranch != "" {
		before["git_branch"] = p.GitBranch
	}
	if ttl != 0 {
		before["expires_at"] = expiry(p.ExpiresAt)
	}
	if b.Name != "" || ttl == 0 && b.GitBranch == "" {
		if b.Name, err = text.Name("name", b.Name, 1, 256); err != nil {
			return nil, err
		}
		p.Name = b.Name
	}
	out := &Reference{ID: p.ID, Ref: string(p.Ref), Name: p.Name}
	control.Before(ctx, before)
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if ttl != 0 {
			at := s.Now().UTC().Add(ttl).Truncate(time.Second)
			if err := tx.ExtendProject(ctx, p.Ref, at); err != nil {
				return err
			}
			out.ExpiresAt = expiry(&at)
		}
		if b.GitBranch != "" {
			if err := tx.SetGitBranch(ctx, p.Ref, b.GitBranch); err != nil {
				return err
			}
		}
		if b.Name == "" {
			return nil
		}
		return tx.RenameProject(ctx, p.Ref, b.Name)
	})
	return out, err
}

// Delete deletes a project with its database; ErrPlatform for the platform
// project. Once it is marked, deleting goes on whatever happens here.
func (s *Service) Delete(ctx context.Context, actor authz.Actor, ref string) (*Reference, error) {
	p, err := s.Authz.Project(ctx, actor, authz.DeleteProject, ref)
	if err != nil {
		return nil, err
	}
	if p.Platform {
		return nil, ErrPlatform
	}
	if err := s.Provision.Delete(ctx, p.Ref); err != nil {
		now, again := s.DB.ProjectByRef(context.WithoutCancel(ctx), p.Ref)
		marked := again == nil && now.Status == tenants.StatusDeleting
		if gone := fault.From(again).Kind == fault.NotFound && again != nil; !marked && !gone {
			return nil, controldb.Fault(err)
		}
		s.Log.WarnContext(ctx, "project is marked as deleted, its database is still there", "project", p.Ref, "error", err)
	}
	return &Reference{ID: p.ID, Ref: string(p.Ref), Name: p.Name}, nil
}

// SetPassword changes the password of the project's owner role. Faults:
// validation_failed, project_not_ready.
func (s *Service) SetPassword(ctx context.Context, actor authz.Actor, ref, password string) error {
	p, err := s.Authz.Project(ctx, actor, authz.SetOwnerPassword, ref)
	if err != nil {
		return err
	}
	return controldb.Fault(s.Provision.SetOwnerPassword(ctx, p.Ref, password))
}

// Package authz decides what an actor of the Management API may do. It owns the
// model, the built-in roles and the list of actions, and the rule that objects
// of an organization do not exist for actors without a role in it. It does not
// authenticate. Memberships are read from the control database for each
// decision, so a removed member has no rights from that moment; the permissions
// of roles are kept in memory, in the version that the same query names.
package authz

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Actor is the sender of a request to the Management API: a user of the
// platform project, identified by a session of theirs or by an access token, or a
// service token.
type Actor struct {
	UserID  uuid.UUID // of a service token, its own id: it is nobody
	TokenID uuid.UUID // uuid.Nil for a session
	// SessionID is the session of the platform project; uuid.Nil for a token.
	SessionID uuid.UUID
	// Scope limits what an access token may do; the zero Scope does not. A service
	// token may do what its scope says and no more.
	Scope controldb.TokenScope
	// Service is set for a service token.
	Service *Service
	// SecondFactor says that the session proved a second factor; of an access token,
	// that its person has one.
	SecondFactor bool
}

// Service is what an actor is that is not a person: a service token of an
// organization.
type Service struct {
	Organization uuid.UUID
	Name         string
}

// ServiceActor is the actor of a request with a service token.
func ServiceActor(t controldb.ServiceToken) Actor {
	return Actor{UserID: t.ID, TokenID: t.ID, Scope: t.Scope(), Service: &Service{Organization: t.OrganizationID, Name: t.Name}}
}

// RequireSession returns ErrSession unless the actor is a person who is signed in:
// no token makes a token.
func (a Actor) RequireSession() error {
	if a.TokenID != uuid.Nil {
		return ErrSession
	}
	return nil
}

// RequireSecondFactor returns ErrPerson for a service token, and ErrOwnFactor for a
// person without a second factor.
func (a Actor) RequireSecondFactor() error {
	if err := a.RequirePerson(); err != nil {
		return err
	}
	if !a.SecondFactor {
		return ErrOwnFactor
	}
	return nil
}

// RequirePerson returns ErrPerson for a service token.
func (a Actor) RequirePerson() error {
	if a.Service != nil {
		return ErrPerson
	}
	return nil
}

// The errors. An object of another organization answers exactly like one that
// does not exist.
var (
	ErrForbidden  = fault.New(fault.Forbidden, "forbidden", "Your role in the organization does not allow this")
	ErrTokenScope = fault.New(fault.Forbidden, "forbidden", "The access token is not allowed to do this")
	ErrSession    = fault.New(fault.Forbidden, "session_required", "An access token cannot do this: sign in")
	ErrPerson     = fault.New(fault.Forbidden, "person_required", "A service token cannot do this: it is nobody's")
	// ErrSecondFactor is returned to members of an organization that requires a second
	// factor, until they have proved one.
	ErrSecondFactor = fault.New(fault.Forbidden, "organization_mfa_required",
		"The organization requires a second factor: add one to your account, and sign in with it")
	ErrOwnFactor = fault.New(fault.Forbidden, "insufficient_aal",
		"This needs a second factor of your own: add one to your account, and sign in with it")
	ErrOrganizationNotFound = fault.New(fault.NotFound, "organization_not_found", "Organization not found")
	ErrProjectNotFound      = fault.New(fault.NotFound, "project_not_found", "Project not found")
)

// Authorizer decides by the memberships in the control database.
type Authorizer struct {
	DB *controldb.DB

	policy  atomic.Pointer[Policy]
	reading singleflight.Group // of policies
}

// Grants is what an actor holds in an organization, or in one of its projects.
type Grants struct {
	roles        controldb.Roles
	policy       *Policy
	organization Domain
	project      tenants.Ref // "" for the organization
	scope        controldb.TokenScope
	glimpse      bool // a project of the organization is in the scope
	operates     bool // an operator's session, in the platform project
	service      *Service
	proved       bool // Actor.SecondFactor
}

// Require returns ErrOrganizationNotFound when the actor has no role in the
// organization or in a project of it, and ErrForbidden when their role does not
// allow the action.
func (a *Authorizer) Require(ctx context.Context, actor Actor, action Action, organization uuid.UUID) error {
	g, err := a.Grants(ctx, actor, organization, "")
	if err != nil {
		return err
	}
	return g.Require(action)
}

// Organization returns an organization by its slug if the actor may do the
// action there; errors as Require.
func (a *Authorizer) Organization(ctx context.Context, actor Actor, action Action, slug string) (controldb.Organization, error) {
	org, err := a.DB.OrganizationBySlug(ctx, slug)
	if err != nil {
		return controldb.Organization{}, err
	}
	return org, a.Require(ctx, actor, action, org.ID)
}

// Project returns a project by its ref if the actor may do the action there. It
// returns ErrProjectNotFound when the ref is malformed or the project is
// unknown, deleted or one in which the actor has no role, else ErrForbidden.
func (a *Authorizer) Project(ctx context.Context, actor Actor, action Action, ref string) (controldb.Project, error) {
	parsed, err := tenants.ParseRef(ref)
	if err != nil {
		return controldb.Project{}, ErrProjectNotFound
	}
	project, err := a.DB.ProjectByRef(ctx, parsed)
	if err != nil {
		return controldb.Project{}, err
	}
	g, err := a.Grants(ctx, actor, project.OrganizationID, project.Ref)
	if err == nil {
		err = g.Require(action)
	}
	if fault.From(err).Kind == fault.NotFound && err != nil {
		return controldb.Project{}, ErrProjectNotFound
	}
	return project, err
}

// Grants reads what the actor holds in an organization and, unless project is
// "", in this project of it.
func (a *Authorizer) Grants(ctx context.Context, actor Actor, organization uuid.UUID, project tenants.Ref) (Grants, error) {
	return a.GrantsIn(ctx, a.DB, actor, organization, project)
}

// reader reads the control database, in a transaction or not.
type reader interface {
	RolesOf(ctx context.Context, user, organization uuid.UUID, project tenants.Ref) (controldb.Roles, error)
	CustomRoles(ctx context.Context) (int64, []controldb.CustomRole, error)
	ProjectByRef(ctx context.Context, ref tenants.Ref) (controldb.Project, error)
}

// GrantsIn is Grants in a transaction.
func (a *Authorizer) GrantsIn(ctx context.Context, db reader, actor Actor, organization uuid.UUID, project tenants.Ref) (Grants, error) {
	roles, err := db.RolesOf(ctx, actor.UserID, organization, project)
	if err != nil {
		return Grants{}, fmt.Errorf("roles of the actor: %w", err)
	}
	policy, err := a.at(ctx, db, roles.PolicyVersion)
	if err != nil {
		return Grants{}, err
	}
	g := Grants{roles: roles, policy: policy, organization: organization, project: project, scope: actor.Scope, service: actor.Service, proved: actor.SecondFactor}
	g.operates = roles.Operates && actor.SignedIn()
	if project == "" && !g.inScope() {
		if g.glimpse, err = anyInScope(ctx, db, actor.Scope, organization); err != nil {
			return Grants{}, err
		}
	}
	g.observe(ctx)
	return g, nil
}

// anyInScope reports whether a living project of the organization is in the
// scope.
func anyInScope(ctx context.Context, db reader, scope controldb.TokenScope, organization uuid.UUID) (bool, error) {
	for _, ref := range scope.Projects {
		p, err := db.ProjectByRef(ctx, ref)
		if err == nil && p.OrganizationID == organization {
			return true, nil
		}
		if err != nil && fault.From(err).Kind != fault.NotFound {
			return false, err
		}
	}
	return false, nil
}

// at returns the policy at this version or a later one.
func (a *Authorizer) at(ctx context.Context, db reader, version int64) (*Policy, error) {
	if p := a.policy.Load(); p != nil && p.version >= version {
		return p, nil
	}
	if db != a.DB {
		// A transaction holds a connection, which a shared read may be waiting for.
		return a.read(ctx, db)
	}
	// Of many requests that need a version, one reads it, whatever becomes of the
	// request.
	shared := a.reading.DoChan(strconv.FormatInt(version, 10), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		return a.read(ctx, a.DB)
	})
	select {
	case r := <-shared:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Policy), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// readTimeout bounds a read of the policy that requests share.
const readTimeout = 10 * time.Second

// read reads the newest policy and keeps it.
func (a *Authorizer) read(ctx context.Context, db reader) (*Policy, error) {
	version, custom, err := db.CustomRoles(ctx)
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	p, err := NewPolicy(version, custom)
	if err != nil {
		return nil, err
	}
	// Another request may have read a later version; either is right for this one.
	if old := a.policy.Load(); old == nil || old.version < p.version {
		a.policy.CompareAndSwap(old, p)
	}
	return p, nil
}

// Require returns nil when the actor may do the action; errors as
// Authorizer.Require.
func (g Grants) Require(action Action) error {
	if err := g.exists(); err != nil {
		return err
	}
	if !g.allows(action) {
		return ErrForbidden
	}
	if !g.scopeAllows(action) || !g.inScope() && action != ReadOrganization {
		return ErrTokenScope
	}
	return nil
}

// exists returns ErrOrganizationNotFound unless the organization, or the project,
// exists for the actor, and ErrSecondFactor if it admits only people with a second
// factor and the actor proved none. Service tokens are nobody's, and need none.
func (g Grants) exists() error {
	if !g.member() || !g.inScope() && !g.glimpse {
		return ErrOrganizationNotFound
	}
	if g.roles.MFARequired && !g.proved && g.service == nil {
		return ErrSecondFactor
	}
	return nil
}

// May reports whether the actor may do the action.
func (g Grants) May(action Action) bool { return g.Require(action) == nil }

// Covers reports whether the actor may do all that a role allows. Nobody may give
// a role that they do not cover, take it away, or change its holder.
func (g Grants) Covers(role controldb.Role) bool {
	for _, action := range g.policy.Permissions(g.organization, role) {
		if !g.May(action) {
			return false
		}
	}
	return true
}

// member reports whether the organization, or the project, exists for the
// actor.
func (g Grants) member() bool {
	if g.service != nil {
		return g.service.Organization == g.organization
	}
	if g.operates || g.roles.Organization != "" || g.project != "" && g.roles.Project != "" {
		return true
	}
	return g.project == "" && g.roles.AnyProject
}

func (g Grants) allows(action Action) bool {
	if g.service != nil {
		return action.ForServices() && g.scope.Permissions != nil && g.scopeAllows(action)
	}
	if g.policy.Allows(g.organization, action, g.roles.Organization) || g.operates && slices.Contains(ofOperators, action) {
		return true
	}
	if g.project == "" {
		// Who has a role in a project only sees the name of its organization.
		return action == ReadOrganization && g.roles.AnyProject
	}
	return !slices.Contains(ofOrganization, action) && g.policy.Allows(g.organization, action, g.roles.Project)
}

func (g Grants) inScope() bool {
	return g.scope.Covers(g.organization, g.project)
}

func (g Grants) scopeAllows(action Action) bool {
	return g.scope.Permissions == nil || slices.Contains(g.scope.Permissions, string(action))
}

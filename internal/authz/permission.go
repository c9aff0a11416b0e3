package authz

import (
	"context"
	"slices"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Sentence says what a permission allows.
func (a Action) Sentence() string { return sentences[a] }

// OfOrganization reports whether the permission concerns no single project: a role
// in a project never has it.
func (a Action) OfOrganization() bool { return slices.Contains(ofOrganization, a) }

var sentences = map[Action]string{
	ReadOrganization:   "See the organization and its usage.",
	UpdateOrganization: "Rename the organization.",
	DeleteOrganization: "Delete the organization, or give it to another owner.",
	ReadMembers:        "See members, roles and open invitations.",
	WriteMembers:       "Invite and remove members, and change their roles.",
	WriteRoles:         "Define, change and delete roles.",
	ReadServiceTokens:  "See service tokens, without their texts.",
	WriteServiceTokens: "Create and revoke service tokens.",
	ReadAudit:          "See what members did, and check that the log is complete.",
	ReadBilling:        "See the plan and what is paid.",
	WriteBilling:       "Change the plan and how it is paid.",
	ReadProject:        "See projects, their state and their usage.",
	CreateProject:      "Create projects and branches.",
	UpdateProject:      "Rename projects, and change when they expire.",
	DeleteProject:      "Delete projects with all their data.",
	PauseProject:       "Pause projects and restore them.",
	SetOwnerPassword:   "Change the password of a project's database, which gives access to all of its data.",
	ReadAPIKeys:        "See API keys; of secret keys not the text.",
	RevealAPIKeys:      "See the texts of keys that act as service_role.",
	WriteAPIKeys:       "Create, change, rotate and delete API keys.",
	ReadSigningKeys:    "See signing keys, without their private parts.",
	WriteSigningKeys:   "Create, rotate and revoke signing keys.",
	ReadAuthConfig:     "See the settings of projects, without secrets.",
	WriteAuthConfig:    "Change the settings of projects, and undo changes.",
	ReadInbox:          "See captured messages, whose links and codes sign users in.",
	EmptyInbox:         "Delete captured messages.",
	ReadUsers:          "See the users of projects, and what they did.",
	WriteUsers:         "Create, change, ban and delete users of projects, and sign them out.",
	ReadLogs:           "See the logs of projects, which hold addresses of users.",
	ReadDatabase:       "Read the data of projects by SQL.",
	WriteDatabase:      "Run any SQL in the databases of projects, and apply migrations.",
}

// OrganizationGrants is Grants of an organization by its slug;
// ErrOrganizationNotFound when it does not exist for the actor.
func (a *Authorizer) OrganizationGrants(ctx context.Context, actor Actor, slug string) (controldb.Organization, Grants, error) {
	org, err := a.DB.OrganizationBySlug(ctx, slug)
	if err != nil {
		return org, Grants{}, err
	}
	g, err := a.Grants(ctx, actor, org.ID, "")
	if err == nil {
		err = g.exists()
	}
	return org, g, err
}

// ProjectGrants is Grants of a project by its ref; ErrProjectNotFound when it does
// not exist for the actor.
func (a *Authorizer) ProjectGrants(ctx context.Context, actor Actor, ref string) (controldb.Project, Grants, error) {
	parsed, err := tenants.ParseRef(ref)
	if err != nil {
		return controldb.Project{}, Grants{}, ErrProjectNotFound
	}
	p, err := a.DB.ProjectByRef(ctx, parsed)
	if err != nil {
		return p, Grants{}, err
	}
	g, err := a.Grants(ctx, actor, p.OrganizationID, p.Ref)
	if err == nil {
		err = g.exists()
	}
	if err != nil && fault.From(err).Kind == fault.NotFound {
		return controldb.Project{}, Grants{}, ErrProjectNotFound
	}
	return p, g, err
}

// Permissions lists what the actor may do, in the order of Actions.
func (g Grants) Permissions() []Action {
	return slices.DeleteFunc(Actions(), func(a Action) bool { return !g.May(a) })
}

// Roles returns the actor's role in the organization and in the project; "" for
// none, and both for a service token.
func (g Grants) Roles() (organization, project controldb.Role) {
	if g.service != nil {
		return "", ""
	}
	return g.roles.Organization, g.roles.Project
}

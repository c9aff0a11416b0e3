package authz

import (
	"slices"
	"sync"

	"github.com/reevehq/reeve/internal/controldb"
)

// Action is an operation on an object of an organization, and the name of the
// permission to do it.
type Action string

// The actions.
const (
	ReadOrganization   Action = "organization:read"
	UpdateOrganization Action = "organization:update"
	DeleteOrganization Action = "organization:delete" // and give it to another owner
	ReadMembers        Action = "member:read"
	WriteMembers       Action = "member:write"
	WriteRoles         Action = "role:write"
	ReadServiceTokens  Action = "service_token:read"
	WriteServiceTokens Action = "service_token:write"
	ReadAudit          Action = "audit:read"
	ReadBilling        Action = "billing:read"
	WriteBilling       Action = "billing:write"
	ReadProject        Action = "project:read"
	CreateProject      Action = "project:create"
	UpdateProject      Action = "project:update"
	DeleteProject      Action = "project:delete"
	PauseProject       Action = "project:pause"           // and restore it
	SetOwnerPassword   Action = "database_password:write" // the password gives access to all data
	ReadAPIKeys        Action = "api_key:read"
	RevealAPIKeys      Action = "api_key:reveal" // see the text of keys that act as service_role
	WriteAPIKeys       Action = "api_key:write"
	ReadSigningKeys    Action = "signing_key:read"
	WriteSigningKeys   Action = "signing_key:write"
	ReadAuthConfig     Action = "auth_config:read"
	WriteAuthConfig    Action = "auth_config:write"
	ReadInbox          Action = "inbox:read" // holds links and codes that sign users in
	EmptyInbox         Action = "inbox:delete"
	ReadLogs           Action = "logs:read" // holds addresses of users, no credentials
	ReadDatabase       Action = "database:read"
	WriteDatabase      Action = "database:write" // all that the owner role may do
	ReadUsers          Action = "user:read"      // personal data of a project's users
	WriteUsers         Action = "user:write"     // and sign in as any of them, by a link
)

// Actions lists every action: the permissions that a role of an organization
// may have.
func Actions() []Action {
	return []Action{
		ReadOrganization, UpdateOrganization, DeleteOrganization, ReadMembers, WriteMembers, WriteRoles,
		ReadServiceTokens, WriteServiceTokens, ReadAudit,
		ReadBilling, WriteBilling, ReadProject, CreateProject, UpdateProject, DeleteProject, PauseProject, SetOwnerPassword,
		ReadAPIKeys, RevealAPIKeys, WriteAPIKeys, ReadSigningKeys, WriteSigningKeys, ReadAuthConfig, WriteAuthConfig,
		ReadInbox, EmptyInbox, ReadLogs, ReadDatabase, WriteDatabase, ReadUsers, WriteUsers,
	}
}

// ofOrganization are the actions that concern no single project: a role in a
// project does not allow them.
var ofOrganization = []Action{
	UpdateOrganization, DeleteOrganization, WriteRoles, ReadServiceTokens, WriteServiceTokens, ReadAudit, ReadBilling, WriteBilling,
	CreateProject,
}

// ofPeople are the actions that no service token has: by them it could give itself
// or others more than it has, or outlast its end.
var ofPeople = []Action{DeleteOrganization, WriteMembers, WriteRoles, WriteServiceTokens}

// ForServices reports whether a service token can have the permission.
func (a Action) ForServices() bool { return !slices.Contains(ofPeople, a) }

// BuiltIn lists the roles of every organization, the highest first.
func BuiltIn() []controldb.Role {
	return []controldb.Role{
		controldb.Owner, controldb.Administrator, controldb.Developer, controldb.ReadOnly, controldb.Billing,
	}
}

// IsBuiltIn reports whether every organization has the role.
func IsBuiltIn(role controldb.Role) bool { return slices.Contains(BuiltIn(), role) }

// Describe says in a sentence what a built-in role is for.
func Describe(role controldb.Role) string {
	switch role {
	case controldb.Owner:
		return "May do everything, and give the organization to somebody else."
	case controldb.Administrator:
		return "May do everything but delete the organization or give it away."
	case controldb.Developer:
		return "Configures projects, runs SQL in their databases, manages their users, and sees their API keys and captured messages."
	case controldb.ReadOnly:
		return "Sees projects, their configuration, their log, users and data, but no secret of their configuration."
	case controldb.Billing:
		return "Sees the organization and its projects, and manages payment."
	default:
		return ""
	}
}

var builtInPolicy = sync.OnceValue(func() *Policy {
	p, err := NewPolicy(0, nil)
	if err != nil {
		panic(err) // model and policy are part of the program, and any test finds it
	}
	return p
})

// BuiltInPermissions returns what a built-in role allows.
func BuiltInPermissions(role controldb.Role) []Action {
	return builtInPolicy().Permissions(Domain{}, role)
}

// Permissions returns what roles allow, in the order of Actions.
func (p *Policy) Permissions(organization Domain, roles ...controldb.Role) []Action {
	return slices.DeleteFunc(Actions(), func(a Action) bool { return !p.Allows(organization, a, roles...) })
}

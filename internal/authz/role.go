package authz

import "github.com/reevehq/reeve/internal/controldb"

// Action is an operation on an object of an organization.
type Action string

// The actions.
const (
	ReadOrganization Action = "organization:read"
	ReadProject      Action = "project:read"
	CreateProject    Action = "project:create"
	UpdateProject    Action = "project:update"
	DeleteProject    Action = "project:delete"
	SetOwnerPassword Action = "database_password:write" // the password gives access to all data
	ReadAPIKeys      Action = "api_key:read"
	RevealAPIKeys    Action = "api_key:reveal" // see the text of keys that act as service_role
	WriteAPIKeys     Action = "api_key:write"
	ReadSigningKeys  Action = "signing_key:read"
	WriteSigningKeys Action = "signing_key:write"
	ReadAuthConfig   Action = "auth_config:read"
	WriteAuthConfig  Action = "auth_config:write"
	ReadInbox        Action = "inbox:read" // holds links and codes that sign users in
	EmptyInbox       Action = "inbox:delete"
	ReadLogs         Action = "logs:read" // holds addresses of users, no credentials
)

// rank orders the roles: each has the rights of the lower ones.
func rank(r controldb.Role) int {
	switch r {
	case controldb.ReadOnly:
		return 1
	case controldb.Developer:
		return 2
	case controldb.Administrator:
		return 3
	case controldb.Owner:
		return 4
	default:
		return 0
	}
}

// lowest returns the lowest role that may do an action; no role may do an
// action that is not listed.
func lowest(a Action) (controldb.Role, bool) {
	switch a {
	case ReadOrganization, ReadProject, ReadAPIKeys, ReadSigningKeys, ReadAuthConfig, ReadLogs:
		return controldb.ReadOnly, true
	case RevealAPIKeys, WriteAPIKeys, WriteAuthConfig, ReadInbox, EmptyInbox:
		return controldb.Developer, true
	case CreateProject, UpdateProject, DeleteProject, SetOwnerPassword, WriteSigningKeys:
		return controldb.Administrator, true
	default:
		return "", false
	}
}

// Allows reports whether a role may do an action. An unknown role may do
// nothing.
func Allows(role controldb.Role, action Action) bool {
	least, ok := lowest(action)
	return ok && rank(role) >= rank(least) && rank(role) > 0
}

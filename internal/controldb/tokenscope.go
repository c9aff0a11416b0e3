package controldb

import (
	"slices"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// TokenScope limits what an access token may do. Its zero value does not: then
// the token may do whatever its user may.
type TokenScope struct {
	// Organizations and Projects are where it may do something, each with what
	// lies in it. Both nil: everywhere.
	Organizations []uuid.UUID
	Projects      []tenants.Ref
	// Permissions are actions of internal/authz; nil means all.
	Permissions []string
}

// Unlimited reports whether the token may do whatever its user may.
func (s TokenScope) Unlimited() bool {
	return s.Organizations == nil && s.Projects == nil && s.Permissions == nil
}

// Covers reports whether an organization or, unless it is "", a project of it is
// in the scope.
func (s TokenScope) Covers(organization uuid.UUID, project tenants.Ref) bool {
	if s.Organizations == nil && s.Projects == nil {
		return true
	}
	return slices.Contains(s.Organizations, organization) || project != "" && slices.Contains(s.Projects, project)
}

package authz_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
)

// matrix names, for each action, the built-in roles that allow it.
var matrix = map[authz.Action][]controldb.Role{
	authz.ReadOrganization:   {"owner", "administrator", "developer", "read_only", "billing"},
	authz.UpdateOrganization: {"owner", "administrator"},
	authz.DeleteOrganization: {"owner"},
	authz.ReadMembers:        {"owner", "administrator", "developer", "read_only", "billing"},
	authz.WriteMembers:       {"owner", "administrator"},
	authz.WriteRoles:         {"owner", "administrator"},
	authz.ReadServiceTokens:  {"owner", "administrator"},
	authz.WriteServiceTokens: {"owner", "administrator"},
	authz.ReadAudit:          {"owner", "administrator"},
	authz.ReadBilling:        {"owner", "administrator", "billing"},
	authz.WriteBilling:       {"owner", "administrator", "billing"},
	authz.ReadProject:        {"owner", "administrator", "developer", "read_only", "billing"},
	authz.CreateProject:      {"owner", "administrator"},
	authz.UpdateProject:      {"owner", "administrator"},
	authz.DeleteProject:      {"owner", "administrator"},
	authz.PauseProject:       {"owner", "administrator"},
	authz.SetOwnerPassword:   {"owner", "administrator"},
	authz.ReadAPIKeys:        {"owner", "administrator", "developer", "read_only"},
	authz.RevealAPIKeys:      {"owner", "administrator", "developer"},
	authz.WriteAPIKeys:       {"owner", "administrator", "developer"},
	authz.ReadSigningKeys:    {"owner", "administrator", "developer", "read_only"},
	authz.WriteSigningKeys:   {"owner", "administrator"},
	authz.ReadAuthConfig:     {"owner", "administrator", "developer", "read_only"},
	authz.WriteAuthConfig:    {"owner", "administrator", "developer"},
	authz.ReadInbox:          {"owner", "administrator", "developer"},
	authz.EmptyInbox:         {"owner", "administrator", "developer"},
	authz.ReadLogs:           {"owner", "administrator", "developer", "read_only"},
	authz.ReadDatabase:       {"owner", "administrator", "developer", "read_only"},
	authz.WriteDatabase:      {"owner", "administrator", "developer"},
	authz.ReadUsers:          {"owner", "administrator", "developer", "read_only"},
	authz.WriteUsers:         {"owner", "administrator", "developer"},
}

func TestPolicy_built_in_roles(t *testing.T) {
	t.Parallel()
	policy, err := authz.NewPolicy(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(matrix) != len(authz.Actions()) {
		t.Errorf("the table has %d actions of %d", len(matrix), len(authz.Actions()))
	}
	organization := uuid.New()
	roles := append(authz.BuiltIn(), "", "superuser", "OWNER", "*")
	for _, action := range append(authz.Actions(), "project:rename", "*", "") {
		for _, role := range roles {
			want := slices.Contains(matrix[action], role)
			if got := policy.Allows(organization, action, role); got != want {
				t.Errorf("%q allows %q = %v, want %v", role, action, got, want)
			}
		}
	}
}

func TestPolicy_custom_roles(t *testing.T) {
	t.Parallel()
	acme, rival := uuid.New(), uuid.New()
	policy, err := authz.NewPolicy(1, []controldb.CustomRole{
		{OrganizationID: acme, Name: "support", Permissions: []string{"logs:read", "project:read", "no:such"}},
		{OrganizationID: rival, Name: "support", Permissions: []string{"project:delete"}},
		{OrganizationID: rival, Name: "administrators", Permissions: []string{"*"}},
		{OrganizationID: rival, Name: "empty"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		organization uuid.UUID
		role         controldb.Role
		want         []authz.Action
	}{
		{acme, "support", []authz.Action{authz.ReadProject, authz.ReadLogs}},
		{rival, "support", []authz.Action{authz.DeleteProject}},
		{uuid.New(), "support", nil},
		{acme, "administrators", nil},
		{rival, "administrators", nil}, // "*" is no permission
		{rival, "empty", nil},
	} {
		if got := policy.Permissions(c.organization, c.role); !slices.Equal(got, c.want) {
			t.Errorf("%s allows %v, want %v", c.role, got, c.want)
		}
	}
}

func FuzzNewPolicy_custom_roles_stay_in_their_organization(f *testing.F) {
	f.Add("support", "logs:read")
	f.Add("g, owner", "x\np, y, *, project:delete")
	f.Add("owner", "project:delete, *")
	f.Fuzz(func(t *testing.T, name, permission string) {
		organization := uuid.New()
		policy, err := authz.NewPolicy(1, []controldb.CustomRole{
			{OrganizationID: organization, Name: name, Permissions: []string{permission}},
		})
		if err != nil {
			return
		}
		if slices.Contains(authz.BuiltIn(), controldb.Role(name)) {
			return // the table refuses these names
		}
		if got := policy.Permissions(uuid.New(), controldb.Role(name), "read_only"); len(got) != 9 {
			t.Errorf("a role of another organization allows %v", got)
		}
		if got := policy.Permissions(organization, "read_only"); len(got) != 9 {
			t.Errorf("read_only allows %v", got)
		}
	})
}

// A decision does no more work for the roles of other organizations.
func TestPolicy_cost_of_other_organizations(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts the whole process
	var custom []controldb.CustomRole
	for range 20 {
		organization := uuid.New()
		for range 50 {
			custom = append(custom, controldb.CustomRole{
				OrganizationID: organization, Name: "r" + uuid.NewString()[:8], Permissions: []string{"project:read", "logs:read"},
			})
		}
	}
	cost := func(custom []controldb.CustomRole) float64 {
		policy, err := authz.NewPolicy(1, custom)
		if err != nil {
			t.Fatal(err)
		}
		organization := uuid.New()
		return testing.AllocsPerRun(5, func() { policy.Allows(organization, authz.ReadOrganization, "nobody") })
	}
	if alone, among := cost(nil), cost(custom); among > 2*alone {
		t.Errorf("a decision makes %v allocations, and %v among the roles of 20 other organizations", alone, among)
	}
}

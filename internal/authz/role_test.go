package authz_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
)

func TestAllows(t *testing.T) {
	t.Parallel()
	const none, readOnly, developer, administrator = 0, 1, 2, 3
	roles := []controldb.Role{"", controldb.ReadOnly, controldb.Developer, controldb.Administrator, controldb.Owner}
	cases := map[authz.Action]int{
		authz.ReadOrganization: readOnly,
		authz.ReadProject:      readOnly,
		authz.ReadAPIKeys:      readOnly,
		authz.ReadSigningKeys:  readOnly,
		authz.ReadAuthConfig:   readOnly,
		authz.ReadLogs:         readOnly,
		authz.RevealAPIKeys:    developer,
		authz.WriteAPIKeys:     developer,
		authz.WriteAuthConfig:  developer,
		authz.ReadInbox:        developer,
		authz.EmptyInbox:       developer,
		authz.CreateProject:    administrator,
		authz.UpdateProject:    administrator,
		authz.DeleteProject:    administrator,
		authz.SetOwnerPassword: administrator,
		authz.WriteSigningKeys: administrator,
		"project:rename":       len(roles),
	}
	for action, least := range cases {
		for i, role := range roles {
			want := i > none && i >= least
			if got := authz.Allows(role, action); got != want {
				t.Errorf("Allows(%q, %q) = %v, want %v", role, action, got, want)
			}
		}
	}
	if authz.Allows("superuser", authz.ReadProject) {
		t.Error("an unknown role may read")
	}
}

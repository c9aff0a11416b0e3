package server_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestProfile: an access token's profile is its user in the platform project.
func TestProfile(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	const operator = "operator@reeve.localhost"
	got := reeve.Manage(t, http.MethodGet, "/v1/profile", nil).Expect(t, 200).JSON(t)
	if got["primary_email"] != operator || got["username"] != operator {
		t.Errorf("the operator's profile is %v", got)
	}
	if id, err := uuid.Parse(got["gotrue_id"].(string)); err != nil || id == uuid.Nil {
		t.Errorf("gotrue_id = %v", got["gotrue_id"])
	}
}

// TestTokenEndsWithPerson: an access token ends at once with the user that it is
// of, and with their membership.
func TestTokenEndsWithPerson(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	of := platform(t, reeve)
	org := reeve.Manage(t, http.MethodPost, "/v1/organizations", map[string]any{"name": "Team"}).Expect(t, 201).JSON(t)["slug"].(string)
	conn := servertest.Connect(t, reeve.ControlURL)
	status := func(token string) int {
		return reeve.Do(t, http.MethodGet, "/v1/organizations/"+org, nil, "Authorization", "Bearer "+token).Status
	}
	for name, c := range map[string]struct {
		end    func(id string)
		status int
		back   func(id string)
	}{
		"banned": {
			func(id string) {
				of.Admin(t, http.MethodPut, "/admin/users/"+id, map[string]any{"ban_duration": "1h"}).Expect(t, 200)
			}, 401, func(id string) {
				of.Admin(t, http.MethodPut, "/admin/users/"+id, map[string]any{"ban_duration": "none"}).Expect(t, 200)
			},
		},
		"deleted": {func(id string) { of.Admin(t, http.MethodDelete, "/admin/users/"+id, nil).Expect(t, 200) }, 401, nil},
		"softly": {
			func(id string) {
				of.Admin(t, http.MethodDelete, "/admin/users/"+id, map[string]any{"should_soft_delete": true}).Expect(t, 200)
			}, 401, nil,
		},
		"removed": {
			func(id string) {
				reeve.Manage(t, http.MethodDelete, "/v1/organizations/"+org+"/members/"+id, nil).Expect(t, 200)
			}, 404, nil,
		},
	} {
		id, session := developer(t, of, name+"@example.com")
		if _, err := conn.Exec(t.Context(), "INSERT INTO members (organization_id, user_id, role) SELECT id, $1, 'developer' FROM organizations WHERE slug = $2", id, org); err != nil {
			t.Fatal(err)
		}
		token := reeve.Do(t, http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "CI"}, "Authorization", "Bearer "+session).
			Expect(t, 201).JSON(t)["token"].(string)
		if got := status(token); got != 200 {
			t.Errorf("%s, before: %d", name, got)
		}
		c.end(id)
		if got := status(token); got != c.status {
			t.Errorf("%s: %d", name, got)
		}
		if c.back != nil {
			c.back(id)
			if got := status(token); got != 200 {
				t.Errorf("%s, and back: %d", name, got)
			}
		}
	}
	// Nobody ever was this user.
	token, err := reeve.Control(t).CreateAccessToken(t.Context(), uuid.New(), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	reeve.Do(t, http.MethodGet, "/v1/profile", nil, "Authorization", "Bearer "+token).Expect(t, 401)
}

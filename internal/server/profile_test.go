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
	// A token of a deleted user.
	stranger := uuid.New()
	token, err := reeve.Control(t).CreateAccessToken(t.Context(), stranger, "stranger")
	if err != nil {
		t.Fatal(err)
	}
	got = reeve.Do(t, http.MethodGet, "/v1/profile", nil, "Authorization", "Bearer "+token).Expect(t, 200).JSON(t)
	if got["gotrue_id"] != stranger.String() || got["primary_email"] != "" || got["username"] != stranger.String() {
		t.Errorf("the stranger's profile is %v", got)
	}
}

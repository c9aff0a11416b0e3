package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestPersonCannotBeRead: while the platform project's users cannot be read, a token
// of somebody who was seen lately works, and another is told why it does not.
func TestPersonCannotBeRead(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	id, _ := developer(t, p, "dev@example.com")
	token, err := reeve.Control(t).CreateAccessToken(t.Context(), uuid.MustParse(id), "new")
	if err != nil {
		t.Fatal(err)
	}
	reeve.Manage(t, http.MethodGet, "/v1/projects", nil).Expect(t, 200)
	admin := servertest.Connect(t, p.AdminURL(t))
	run(t, admin, "BEGIN")
	run(t, admin, "LOCK TABLE auth.users IN ACCESS EXCLUSIVE MODE")
	reeve.Manage(t, http.MethodGet, "/v1/projects", nil).Expect(t, 200)
	refused := reeve.Do(t, http.MethodGet, "/v1/projects", nil, "Authorization", "Bearer "+token).Expect(t, 503)
	if !strings.Contains(string(refused.Body), "your access token cannot be checked") || refused.Header.Get("Retry-After") == "" {
		t.Errorf("%v %s", refused.Header, refused.Body)
	}
	run(t, admin, "ROLLBACK")
	reeve.Do(t, http.MethodGet, "/v1/projects", nil, "Authorization", "Bearer "+token).Expect(t, 200)
}

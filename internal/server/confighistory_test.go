package server_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestDryRunCountsUsers: the warning counts the project's own users, and the change
// is not made.
func TestDryRunCountsUsers(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "shop", map[string]any{"mailer_autoconfirm": true}), reeve.Project(t, "other", map[string]any{"mailer_autoconfirm": true})
	other.SignUp(t, "ann@example.com", "correct horse battery")
	path := "/v1/projects/" + p.Ref + "/config/auth"
	warnings := func() string {
		t.Helper()
		return string(reeve.Manage(t, http.MethodPatch, path+"?dry_run=true", map[string]any{"external_email_enabled": false}).Expect(t, 200).Body)
	}
	if got := warnings(); !strings.Contains(got, `"warnings":[]`) {
		t.Errorf("without users: %s", got)
	}
	p.SignUp(t, "ann@example.com", "correct horse battery")
	p.SignUp(t, "bob@example.com", "correct horse battery")
	if got := warnings(); !strings.Contains(got, "only way in of 2 users") {
		t.Errorf("with two users: %s", got)
	}
	p.SignIn(t, "ann@example.com", "correct horse battery")
	reeve.Manage(t, http.MethodPatch, path, map[string]any{"external_email_enabled": false}).Expect(t, 200)
	p.Do(t, http.MethodPost, "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": "correct horse battery"}).Expect(t, 422)
	var list []struct{ Version int }
	reeve.Manage(t, http.MethodGet, path+"/history", nil).Expect(t, 200).Into(t, &list)
	reeve.Manage(t, http.MethodPost, path+"/history/"+strconv.Itoa(list[1].Version)+"/rollback", nil).Expect(t, 200)
	p.SignIn(t, "ann@example.com", "correct horse battery")
}

package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestUsage: what the users of one project do is counted in two processes, and
// only for that project. What is rolled back is not counted.
func TestUsage(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "shop", map[string]any{"mailer_autoconfirm": true}), reeve.Project(t, "other", nil)
	replica := *p
	replica.Reeve = reeve.Replica(t)
	// SignUp creates the user by the Admin API, and signs in.
	ann := p.SignUp(t, "ann@example.com", "correct horse")
	replica.SignIn(t, "ann@example.com", "correct horse")
	for range 2 {
		p.Do(t, http.MethodPost, "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": "wrong"}).Refused(t, 400, "invalid_credentials")
		ann.RefreshToken = p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": ann.RefreshToken}).
			Expect(t, 200).JSON(t)["refresh_token"].(string)
	}
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "ann@example.com", "password": "correct horse"}).Refused(t, 422, "user_already_exists")
	p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "bob@example.com", "password": "correct horse"}).Expect(t, 200)
	p.Admin(t, http.MethodPost, "/admin/users", map[string]any{"email": "cid@example.com"}).Expect(t, 200)
	p.Do(t, http.MethodPost, "/recover", map[string]any{"email": "ann@example.com"}).Expect(t, 200)

	type point struct {
		Users    int              `json:"active_users"`
		Requests int              `json:"requests"`
		SignUps  map[string]int64 `json:"sign_ups_by_method"`
		SignIns  map[string]int64 `json:"sign_ins_by_method"`
		Refresh  int              `json:"token_refreshes"`
		Refusals map[string]int64 `json:"refusals_by_code"`
		Mails    int              `json:"mails_sent"`
	}
	read := func(p *servertest.Project) string {
		var u struct{ Points []point }
		reeve.Manage(t, http.MethodGet, "/v1/projects/"+p.Ref+"/usage", nil).Expect(t, 200).Into(t, &u)
		return fmt.Sprint(u.Points[len(u.Points)-1])
	}
	const want = "{2 11 map[admin:2 email:1] map[password:3] 2 map[invalid_credentials:2 user_already_exists:1] 1}"
	last := ""
	defer func() { t.Log(last) }()
	eventually(t, "the usage is written", func() bool { last = read(p); return last == want })
	if got := read(other); got != "{0 0 map[] map[] 0 map[] 0}" {
		t.Errorf("the other project: %s", got)
	}
}

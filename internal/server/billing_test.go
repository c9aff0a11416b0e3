package server_test

import (
	"net/http"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestBillOfADeletedProject: who came until the moment of the deletion is on the bill,
// and of a branch nobody is.
func TestBillOfADeletedProject(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "shop", map[string]any{"mailer_autoconfirm": true, "external_anonymous_users_enabled": true})
	kept := reeve.Project(t, "kept", map[string]any{"mailer_autoconfirm": true})
	kept.SignUp(t, "ann@example.com", "correct horse") // the same address in another project is another user
	p.SignUp(t, "ann@example.com", "correct horse")
	for range 3 {
		p.Do(t, http.MethodPost, "/signup", map[string]any{}).Expect(t, 200)
	}
	p.Do(t, http.MethodPost, "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": "wrong"}).Refused(t, 400, "invalid_credentials")
	p.Admin(t, http.MethodPost, "/admin/users", map[string]any{"email": "never@example.com", "password": "correct horse", "email_confirm": true}).Expect(t, 200)
	reeve.Manage(t, http.MethodDelete, "/v1/projects/"+p.Ref, nil).Expect(t, 200)

	bill := func() (users map[string]map[string]int64, mau int64) {
		var b struct {
			Amount struct {
				Lines []struct{ Meter, Quantity any }
			}
			Projects []struct {
				Ref     string
				Deleted bool
				Users   map[string]int64
			}
		}
		reeve.Manage(t, http.MethodGet, "/v1/organizations/default/billing/usage", nil).Expect(t, 200).Into(t, &b)
		users = map[string]map[string]int64{}
		for _, project := range b.Projects {
			users[project.Ref] = project.Users
		}
		n, _ := b.Amount.Lines[0].Quantity.(float64)
		return users, int64(n)
	}
	eventually(t, "the deleted project is on the bill", func() bool {
		users, mau := bill()
		return mau == 4 && users[p.Ref]["first_party"] == 1 && users[p.Ref]["anonymous"] == 3
	})
	if users, _ := bill(); users[kept.Ref] == nil || len(users[kept.Ref]) != 0 {
		t.Errorf("the other project has %v before its ledger was counted", users[kept.Ref])
	}
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+kept.Ref+"/billing/recount", nil).Expect(t, 200)
	var counted struct {
		Entries []struct{ User, Kind, Method string }
	}
	reeve.Manage(t, http.MethodGet, "/v1/projects/"+kept.Ref+"/billing/users", nil).Expect(t, 200).Into(t, &counted)
	if len(counted.Entries) != 1 || counted.Entries[0].Kind != "first_party" || counted.Entries[0].Method != "password" {
		t.Errorf("%+v", counted)
	}
}

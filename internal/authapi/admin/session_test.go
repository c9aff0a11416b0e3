package admin_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// An admin ends the sessions of a user by how they began, and only of that user.
func TestEndSessionsBy(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	profile := connector.Login{Profile: connector.Profile{Subject: "9", Email: "ann@example.com", EmailVerified: true, Data: m{"email": "ann@example.com"}}}
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	bob := f.A.SignUp(t, "bob@example.com", "password123")
	f.Clock.Advance(time.Second)
	by := f.A.Do(t, "POST", "/token?grant_type=id_token", m{"provider": "idp", "id_token": f.IDP.Issue(f.A, "", profile)}).Session()
	path := "/admin/users/" + ann.UserID + "/sessions"
	var list struct {
		Sessions []struct{ Method, Provider string }
	}
	f.A.Admin(t, "GET", path, nil).Want(200).Decode(&list)
	if len(list.Sessions) != 2 || list.Sessions[0].Method != "oauth" || list.Sessions[0].Provider != "idp" || list.Sessions[1].Provider != "" {
		t.Errorf("listed %+v", list)
	}
	for query, want := range map[string]string{"?provider=other": "0", "?method=magiclink": "0", "?provider=idp": "1"} {
		if res := f.A.Admin(t, "DELETE", path+query, nil).Want(200); res.Get("ended") != want {
			t.Errorf("%s: %s", query, res.Raw)
		}
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(by.Access)).WantError(403, "session_not_found")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).Want(200)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(bob.Access)).Want(200)
}

// Sessions of another user or project are 404, like ids that are nobody's.
func TestSessionsForeign(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	bob := f.A.SignUp(t, "bob@example.com", "password123")
	b := f.B.SignUp(t, "ann@example.com", "password123")
	path := "/admin/users/" + ann.UserID
	for _, id := range []string{flowtest.Claims(t, bob.Access)["session_id"].(string), flowtest.Claims(t, b.Access)["session_id"].(string), uuid.NewString(), "x"} {
		f.A.Admin(t, "DELETE", path+"/sessions/"+id, nil).WantError(404, "session_not_found")
		if id != "x" {
			f.A.Admin(t, "POST", path+"/logout?scope=others&session_id="+id, nil).WantError(404, "session_not_found")
		}
	}
	f.A.Admin(t, "POST", path+"/logout?scope=others", nil).WantError(400, "validation_failed")
	f.A.Admin(t, "POST", path+"/logout?scope=x", nil).WantError(400, "validation_failed")
	for _, id := range []string{b.UserID, uuid.NewString()} {
		f.A.Admin(t, "GET", "/admin/users/"+id+"/sessions", nil).WantError(404, "user_not_found")
		f.A.Admin(t, "DELETE", "/admin/users/"+id+"/sessions", nil).WantError(404, "user_not_found")
		f.A.Admin(t, "POST", "/admin/users/"+id+"/logout", nil).WantError(404, "user_not_found")
	}
	for _, s := range []struct {
		p *flowtest.Project
		s flowtest.Session
	}{{f.A, ann}, {f.A, bob}, {f.B, b}} {
		s.p.Do(t, "GET", "/user", nil, flowtest.User(s.s.Access)).Want(200)
	}
}

package account_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"

type listed struct {
	Sessions []struct {
		ID, IP, AAL, Method string
		Current             bool
		Device              struct{ Browser, OS, Kind string }
		ExpiresAt           *time.Time `json:"expires_at"`
		LastRefreshedAt     *time.Time `json:"last_refreshed_at"`
	}
	Total int
}

// A user sees their own sessions, in pages, and ends each of them, the current one too.
// Sessions of others, of the other project, and texts that are no ids are 404 alike.
func TestSessions(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	f.Clock.Advance(time.Minute)
	s := f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"},
		flowtest.Header("User-Agent", firefox), flowtest.From("2001:db8::7")).Session()
	bob := f.A.SignUp(t, "bob@example.com", "password123")
	b := f.B.SignUp(t, "ann@example.com", "password123")
	list := func(query string) (l listed) {
		t.Helper()
		f.A.Do(t, "GET", "/user/sessions"+query, nil, flowtest.User(s.Access)).Want(200).Decode(&l)
		return l
	}
	l := list("")
	if l.Total != 2 || len(l.Sessions) != 2 || l.Sessions[1].Current {
		t.Fatalf("listed %+v", l)
	}
	got := l.Sessions[0]
	if !got.Current || got.IP != "2001:db8::7" || got.AAL != "aal1" || got.Method != "password" || got.Device.Browser != "Firefox" ||
		got.Device.OS != "Linux" || got.Device.Kind != "desktop" || got.ExpiresAt != nil || got.LastRefreshedAt != nil {
		t.Errorf("listed %+v", got)
	}
	if p := list("?page=2&per_page=1"); p.Total != 2 || len(p.Sessions) != 1 || p.Sessions[0].ID != l.Sessions[1].ID {
		t.Errorf("the second page is %+v", p)
	}
	for _, query := range []string{"?page=0", "?per_page=101", "?per_page=x"} {
		f.A.Do(t, "GET", "/user/sessions"+query, nil, flowtest.User(s.Access)).WantError(400, "validation_failed")
	}
	for _, foreign := range []string{
		flowtest.Claims(t, bob.Access)["session_id"].(string), flowtest.Claims(t, b.Access)["session_id"].(string),
		uuid.NewString(), "x", "{" + l.Sessions[0].ID + "}",
	} {
		f.A.Do(t, "DELETE", "/user/sessions/"+foreign, nil, flowtest.User(s.Access)).WantError(404, "session_not_found")
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(bob.Access)).Want(200)
	f.B.Do(t, "GET", "/user", nil, flowtest.User(b.Access)).Want(200)
	f.A.Do(t, "DELETE", "/user/sessions/"+l.Sessions[1].ID, nil, flowtest.User(s.Access)).Want(204)
	if l := list(""); l.Total != 1 {
		t.Errorf("listed %+v", l)
	}
	f.A.Do(t, "DELETE", "/user/sessions/"+l.Sessions[0].ID, nil, flowtest.User(s.Access)).Want(204)
	f.A.Do(t, "GET", "/user/sessions", nil, flowtest.User(s.Access)).WantError(403, "session_not_found")
}

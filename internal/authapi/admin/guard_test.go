package admin_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// Every route, with every key and token except the project's secret key.
func TestGuard(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann, bob := f.A.SignUp(t, "ann@example.com", "password123"), f.B.SignUp(t, "ann@example.com", "password123")
	for _, route := range [][2]string{
		{"GET", "/admin/users"},
		{"POST", "/admin/users"},
		{"GET", "/admin/users/" + ann.UserID},
		{"PUT", "/admin/users/" + ann.UserID},
		{"DELETE", "/admin/users/" + ann.UserID},
		{"POST", "/admin/generate_link"},
		{"POST", "/invite"},
		{"GET", "/admin/audit"},
	} {
		for _, c := range []struct {
			name   string
			status int
			code   string
			as     []flowtest.Option
		}{
			{"the publishable key", 401, "no_authorization", nil},
			{"a user", 403, "not_admin", []flowtest.Option{flowtest.User(ann.Access)}},
			{"a user beside the secret key", 403, "not_admin", []flowtest.Option{flowtest.User(ann.Access), flowtest.Key(f.A.Secret)}},
			{"the other project's user", 401, "bad_jwt", []flowtest.Option{flowtest.User(bob.Access)}},
		} {
			t.Run(route[0]+" "+route[1]+" as "+c.name, func(t *testing.T) {
				f.A.Do(t, route[0], route[1], body(route[0]), c.as...).WantError(c.status, c.code)
			})
		}
		for name, as := range map[string][]flowtest.Option{
			"nobody":                       {flowtest.Key("")},
			"the other project's key":      {flowtest.Key(f.B.Secret)},
			"a secret key in a browser":    {flowtest.Key(f.A.Secret), flowtest.Header("User-Agent", "Mozilla/5.0")},
			"a secret key that is made up": {flowtest.Key(flowtest.New(t).A.Secret)},
		} {
			if name == "a secret key that is made up" && route[1] != "/admin/users" {
				continue
			}
			t.Run(route[0]+" "+route[1]+" as "+name, func(t *testing.T) {
				f.A.Do(t, route[0], route[1], body(route[0]), as...).Want(401)
			})
		}
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users WHERE banned_until IS NULL AND deleted_at IS NULL"); n != 1 {
		t.Errorf("%d users in good standing, want the one", n)
	}
}

func body(method string) any {
	if method == "GET" {
		return nil
	}
	return m{"email": "new@example.com", "ban_duration": "24h", "type": "magiclink"}
}

// An id of one project does not exist in another one.
func TestIDsOfTheOtherProject(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	bob := f.B.SignUp(t, "bob@example.com", "password123")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		for _, c := range []struct {
			id   string
			code string
		}{
			{bob.UserID, "user_not_found"},
			{uuid.NewString(), "user_not_found"},
			{uuid.Nil.String(), "user_not_found"},
			{"xyz", "validation_failed"},
			{"{" + bob.UserID + "}", "validation_failed"},
		} {
			f.A.Admin(t, method, "/admin/users/"+c.id, body(method)).WantError(404, c.code)
		}
	}
	f.B.Do(t, "GET", "/user", nil, flowtest.User(bob.Access)).Want(200)
}

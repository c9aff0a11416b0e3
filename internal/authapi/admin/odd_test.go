package admin_test

import (
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// TestUsersWrittenBySQL: no row that a developer can write breaks a route.
func TestUsersWrittenBySQL(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	for _, until := range []string{"infinity", "20000-01-01"} {
		f.A.Exec(t, "UPDATE auth.users SET banned_until = $1::text::timestamptz", until)
		if res := f.A.Admin(t, "GET", "/admin/users", nil).Want(200); res.JSON["users"] == nil {
			t.Errorf("banned until %s: %q", until, res.Raw)
		}
		f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"}).WantError(400, "user_banned")
	}
	f.A.Exec(t, "UPDATE auth.users SET banned_until = NULL, raw_user_meta_data = '[]'")
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
	for _, column := range []string{"created_at", "updated_at", "email_confirmed_at", "last_sign_in_at", "recovery_sent_at", "invited_at"} {
		for _, at := range []string{"infinity", "-infinity", "20000-01-01", "0044-03-15 BC"} { // no JSON can say that
			f.A.Exec(t, "UPDATE auth.users SET "+column+" = $1::text::timestamptz", at)
			f.A.Admin(t, "GET", "/admin/users", nil).Want(200)
			f.A.Admin(t, "GET", "/admin/users/"+ann.UserID, nil).Want(200)
		}
	}
}

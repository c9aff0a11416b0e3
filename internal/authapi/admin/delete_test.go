package admin_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	if res := f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID, m{}).Want(200); string(res.Raw) != "{}" {
		t.Errorf("answer %s", res.Raw)
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID, nil).WantError(404, "user_not_found")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "user_not_found")
	f.A.Refresh(t, ann.Refresh).WantError(400, "refresh_token_not_found")
	for _, table := range []string{"users", "identities", "sessions", "one_time_tokens", "mfa_amr_claims"} {
		if n := f.A.Count(t, "SELECT count(*) FROM auth."+table); n != 0 {
			t.Errorf("%d rows left in %s", n, table)
		}
	}
	f.A.SignUp(t, "ann@example.com", "password123")
}

// A foreign key of the developer's prevents the deletion, deferred or not.
func TestDeleteReferenced(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	for _, deferred := range []string{"", " DEFERRABLE INITIALLY DEFERRED"} {
		ann := f.A.SignUp(t, "ann@example.com", "password123")
		f.A.ExecAsOwner(t, "DROP TABLE IF EXISTS orders; CREATE TABLE orders (buyer uuid REFERENCES auth.users (id)"+deferred+")")
		f.A.ExecAsOwner(t, "INSERT INTO orders VALUES ($1)", ann.UserID)
		res := f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID, nil).WantError(409, "conflict")
		if msg := res.Get("msg"); !strings.Contains(msg, "public.orders") {
			t.Errorf("the message does not name the table: %q", msg)
		}
		f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).Want(200) // nothing has happened
		f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID, m{"should_soft_delete": true}).Want(200)
	}
}

func TestSoftDelete(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Admin(t, "PUT", "/admin/users/"+ann.UserID, m{"phone": "4670000004", "user_metadata": m{"name": "Ann"}}).Want(200)
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
	recovery := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")
	for range 2 { // repeating it is no error
		f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID, m{"should_soft_delete": true}).Want(200)
	}

	res := f.A.Admin(t, "GET", "/admin/users/"+ann.UserID, nil).Want(200)
	if strings.Contains(string(res.Raw), "ann@example.com") || strings.Contains(string(res.Raw), "4670000004") ||
		strings.Contains(string(res.Raw), "Ann") || res.Get("deleted_at") == "" || len(res.Get("email")) != 43 || len(res.Get("phone")) != 43 {
		t.Errorf("what is left: %s", res.Raw)
	}
	for _, table := range []string{"identities", "sessions", "one_time_tokens"} {
		if n := f.A.Count(t, "SELECT count(*) FROM auth."+table); n != 0 {
			t.Errorf("%d rows left in %s", n, table)
		}
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users WHERE encrypted_password IS NOT NULL"); n != 0 {
		t.Error("the password is still there")
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "user_not_found")
	f.A.Refresh(t, ann.Refresh).WantError(400, "refresh_token_not_found")
	f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": recovery}).WantError(403, "otp_expired")
	for _, email := range []string{"ann@example.com", res.Get("email")} {
		if res := f.A.Do(t, "POST", "/token?grant_type=password", m{"email": email, "password": "password123"}); res.Status != 400 {
			t.Errorf("sign-in as %s: %s", email, res.Raw)
		}
	}
	f.A.Admin(t, "PUT", "/admin/users/"+ann.UserID, m{"email": "back@example.com"}).WantError(404, "user_not_found")
	if again := f.A.SignUp(t, "ann@example.com", "password123"); again.UserID == ann.UserID {
		t.Error("the address is not free")
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID, nil).Want(200)
}

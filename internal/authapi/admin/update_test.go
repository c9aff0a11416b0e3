package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func autoconfirm(c *tenants.Config) { c.MailerAutoconfirm = true }

func TestUpdateMetadataAndRole(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	path := "/admin/users/" + ann.UserID
	f.A.Admin(t, "PUT", path, m{"app_metadata": m{"plan": "pro", "seats": 3}, "user_metadata": m{"name": "Ann"}}).Want(200)
	res := f.A.Admin(t, "PUT", path, m{"app_metadata": m{"seats": nil}, "role": "editor"}).Want(200)
	for path, want := range map[string]string{
		"app_metadata.plan": "pro", "app_metadata.provider": "email", "user_metadata.name": "Ann", "role": "editor",
	} {
		if got := res.Get(path); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	if _, there := res.Find("app_metadata.seats"); there {
		t.Error("a null did not remove its key")
	}
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).Want(200) // still signed in
	for name, body := range map[string]m{
		"long role": {"role": strings.Repeat("x", 256)}, "bad ban": {"ban_duration": "x"}, "bad email": {"email": "x"}, "bad hash": {"password_hash": "x"},
	} {
		if res := f.A.Admin(t, "PUT", path, body); res.Status != 400 {
			t.Errorf("%s: %s", name, res.Raw)
		}
	}
	f.A.Admin(t, "PUT", path, m{"app_metadata": []int{1}}).WantError(400, "bad_json")
}

func TestUpdateBan(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	path := "/admin/users/" + ann.UserID
	if res := f.A.Admin(t, "PUT", path, m{"ban_duration": "24h"}).Want(200); res.Get("banned_until") == "" {
		t.Errorf("no banned_until: %s", res.Raw)
	}
	login := m{"email": "ann@example.com", "password": "password123"}
	f.A.Do(t, "POST", "/token?grant_type=password", login).WantError(400, "user_banned")
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "wrong"}).WantError(400, "invalid_credentials")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "user_banned")
	f.A.Refresh(t, ann.Refresh).WantError(400, "user_banned")

	f.A.Admin(t, "PUT", path, m{"ban_duration": "none"}).Want(200)
	// Whoever had the session may be why the user was banned: it does not come back.
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "session_not_found")
	f.A.Refresh(t, ann.Refresh).WantError(400, "refresh_token_not_found")
	f.A.Admin(t, "PUT", path, m{"ban_duration": "1h"}).Want(200)
	f.Clock.Advance(time.Hour)
	f.A.Do(t, "POST", "/token?grant_type=password", login).Want(200)
}

func TestUpdatePassword(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
	link := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")
	path := "/admin/users/" + ann.UserID
	f.A.Admin(t, "PUT", path, m{"password": "abc"}).WantError(422, "weak_password")
	f.A.Admin(t, "PUT", path, m{"password": ""}).WantError(422, "weak_password")
	f.A.Admin(t, "PUT", path, m{"password": strings.Repeat("a", 73)}).WantError(400, "validation_failed")
	f.A.Admin(t, "PUT", path, m{"password": "password123", "password_hash": "$2a$"}).WantError(400, "validation_failed")
	f.A.Admin(t, "PUT", path, m{"password": "another password"}).Want(200)

	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "session_not_found")
	f.A.Refresh(t, ann.Refresh).WantError(400, "refresh_token_not_found")
	f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": link}).WantError(403, "otp_expired")
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"}).WantError(400, "invalid_credentials")
	f.A.SignIn(t, "ann@example.com", "another password")
}

func TestUpdateEmail(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.SignUp(t, "bob@example.com", "password123")
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Do(t, "PUT", "/user", m{"email": "pending@example.com"}, flowtest.User(ann.Access)).Want(200)
	pending := f.A.LinkQuery(t, f.A.Mail(t, "pending@example.com")).Get("token")
	path := "/admin/users/" + ann.UserID
	f.A.Admin(t, "PUT", path, m{"email": "BOB@example.com"}).WantError(422, "email_exists")

	f.A.EmptyOutbox(t)
	res := f.A.Admin(t, "PUT", path, m{"email": "Ann2@example.com", "email_confirm": true}).Want(200)
	var u struct {
		Identities []struct {
			Email string
			Data  m `json:"identity_data"`
		}
	}
	res.Decode(&u)
	if res.Get("email") != "ann2@example.com" || res.Get("new_email") != "" || len(u.Identities) != 1 || res.Get("user_metadata.email") != "ann@example.com" ||
		u.Identities[0].Email != "ann2@example.com" || u.Identities[0].Data["email"] != "ann2@example.com" {
		t.Errorf("user %s", res.Raw)
	}
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d mails, want none", n)
	}
	f.A.Do(t, "POST", "/verify", m{"type": "email_change", "token_hash": pending}).WantError(403, "otp_expired")
	f.A.SignIn(t, "ann2@example.com", "password123")
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"}).WantError(400, "invalid_credentials")
	f.A.SignUp(t, "ann@example.com", "password123") // the old address is free
}

// An admin can confirm an unconfirmed user, and set a phone number.
func TestUpdateConfirms(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	id := f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).Want(200).Get("id")
	login := m{"email": "ann@example.com", "password": "password123"}
	f.A.Do(t, "POST", "/token?grant_type=password", login).WantError(400, "email_not_confirmed")
	res := f.A.Admin(t, "PUT", "/admin/users/"+id, m{"email_confirm": true, "phone": "+4670000003", "phone_confirm": true}).Want(200)
	if res.Get("email_confirmed_at") == "" || res.Get("phone_confirmed_at") == "" || res.Get("app_metadata.providers") != "[email phone]" ||
		res.Get("user_metadata.email_verified") != "true" {
		t.Errorf("user %s", res.Raw)
	}
	f.A.Do(t, "POST", "/token?grant_type=password", login).Want(200)
	// An identity is verified by a mail, or by what an admin says together with the
	// address or number.
	if got := flowtest.One[string](t, f.A, `SELECT string_agg(concat_ws(' ', provider, identity_data->>'email_verified',
		identity_data->>'phone_verified'), ', ' ORDER BY provider) FROM auth.identities`); got != "email false false, phone false true" {
		t.Errorf("identities %s", got)
	}
}

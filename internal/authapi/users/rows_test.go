package users_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func autoconfirm(c *tenants.Config) { c.MailerAutoconfirm = true }

// An address that SQL wrote in capitals is the same address in every flow.
func TestAddressInCapitals(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	id := f.A.SignUp(t, "ann@example.com", "password123").UserID
	f.A.Exec(t, `UPDATE auth.users SET email = 'Ann@Example.COM'`)
	for _, email := range []string{"ann@example.com", "ANN@example.com"} {
		if s := f.A.SignIn(t, email, "password123"); s.UserID != id {
			t.Errorf("signed in as %s", s.UserID)
		}
	}
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password456"}).WantError(422, "user_already_exists")
	f.A.Admin(t, "POST", "/admin/users", m{"email": "ann@example.com"}).WantError(422, "email_exists")
	f.A.Admin(t, "POST", "/invite", m{"email": "ann@example.com"}).WantError(422, "email_exists")
	bob := f.A.SignUp(t, "bob@example.com", "password123")
	f.A.Do(t, "PUT", "/user", m{"email": "ann@example.com"}, flowtest.User(bob.Access)).WantError(422, "email_exists")
	f.A.Admin(t, "PUT", "/admin/users/"+bob.UserID, m{"email": "ann@example.com"}).WantError(422, "email_exists")
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
	mail := f.A.Mail(t, "Ann@Example.COM")
	if s := f.A.Do(t, "POST", "/verify", m{"type": "recovery", "email": "ann@example.com", "token": mail.Code}).Session(); s.UserID != id {
		t.Errorf("the code signs %s in", s.UserID)
	}
	// Of two rows that differ only in capitals, the lower-case one is found.
	f.A.Exec(t, `INSERT INTO auth.users (id, email, encrypted_password, email_confirmed_at, created_at)
		SELECT gen_random_uuid(), 'ann@example.com', encrypted_password, now(), '1999-01-01' FROM auth.users WHERE id = $1`, id)
	if s := f.A.SignIn(t, "ann@example.com", "password123"); s.UserID == id {
		t.Error("the row in capitals came before the one spelled alike")
	}
}

// A number that SQL wrote with its plus sign is the same number.
func TestPhoneWithPlusSign(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	ann := f.A.Admin(t, "POST", "/admin/users", m{"phone": "+46 70 000 0001"}).Want(200)
	f.A.Exec(t, `UPDATE auth.users SET phone = '+46700000001'`)
	f.A.Admin(t, "POST", "/admin/users", m{"phone": "46700000001"}).WantError(422, "phone_exists")
	bob := f.A.Admin(t, "POST", "/admin/users", m{"phone": "+46700000002"}).Want(200)
	f.A.Admin(t, "PUT", "/admin/users/"+bob.Get("id"), m{"phone": "+46700000001"}).WantError(422, "phone_exists")
	f.A.Admin(t, "PUT", "/admin/users/"+ann.Get("id"), m{"phone": "+46700000001"}).Want(200)
}

// Every row that SQL can write is answered, in lists too, with the wire's
// types.
func TestRowsOfAnyForm(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	for _, set := range []string{
		"aud = NULL", "aud = ''", "role = NULL", "role = ''", "instance_id = NULL",
		"raw_app_meta_data = NULL", "raw_user_meta_data = NULL", "raw_app_meta_data = '[1]'", `raw_user_meta_data = '"text"'`,
		"raw_user_meta_data = 'null'", "raw_app_meta_data = '7'",
		"created_at = NULL, updated_at = NULL", "created_at = 'infinity'", "updated_at = '-infinity'", "created_at = '20000-01-01'",
		"email_confirmed_at = '-infinity'", "banned_until = '-infinity'", "last_sign_in_at = '0044-03-15 BC'",
		"email_change = NULL, phone_change = NULL, email_change_confirm_status = NULL",
	} {
		f.A.Exec(t, "UPDATE auth.users SET "+set)
		s := f.A.SignIn(t, "ann@example.com", "password123")
		me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
		for _, member := range []string{"app_metadata", "user_metadata"} {
			if _, ok := me.JSON[member].(map[string]any); !ok {
				t.Errorf("%s: %s is %v", set, member, me.JSON[member])
			}
		}
		if me.Get("aud") != "authenticated" || me.Get("role") != "authenticated" {
			t.Errorf("%s: %s", set, me.Raw)
		}
		f.A.Do(t, "PUT", "/user", m{"data": m{"a": 1}}, flowtest.User(s.Access)).Want(200)
		f.A.Admin(t, "PUT", "/admin/users/"+ann.UserID, m{"app_metadata": m{"a": 1}}).Want(200)
		f.A.Admin(t, "GET", "/admin/users", nil).Want(200)
		f.A.Refresh(t, s.Refresh).Want(200)
	}
	for _, set := range []string{"created_at = 'infinity'", "last_sign_in_at = '-infinity', updated_at = NULL", `identity_data = '[]'`} {
		f.A.Exec(t, "UPDATE auth.identities SET "+set)
		f.A.SignIn(t, "ann@example.com", "password123")
	}
	f.A.Exec(t, `INSERT INTO auth.audit_log_entries (id, payload, created_at) VALUES (gen_random_uuid(), NULL, 'infinity'), (gen_random_uuid(), '[]', NULL)`)
	f.A.Admin(t, "GET", "/admin/audit", nil).Want(200)
	f.A.Admin(t, "GET", "/admin/audit?query=action:login", nil).Want(200)
	s := f.A.SignIn(t, "ann@example.com", "password123")
	for _, set := range []string{"created_at = '-infinity'", "refreshed_at = 'infinity'", "not_after = 'infinity'"} {
		f.A.Exec(t, "UPDATE auth.sessions SET "+set)
		f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	}
}

// Accounts that SQL marked as deleted, or that are of another audience, do not
// exist for any flow.
func TestAccountsThatAreGone(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"deleted_at = now()", "aud = 'elsewhere'"} {
		f := flowtest.New(t, autoconfirm)
		ann := f.A.SignUp(t, "ann@example.com", "password123")
		f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
		recovery := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")
		f.Clock.Advance(time.Hour / 2)
		f.A.EmptyOutbox(t)
		f.A.Exec(t, "UPDATE auth.users SET "+set)
		f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": "password123"}).WantError(400, "invalid_credentials")
		f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": recovery}).WantError(403, "otp_expired")
		f.A.Refresh(t, ann.Refresh).WantError(400, "refresh_token_not_found")
		f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
		for _, typ := range []string{"magiclink", "recovery", "email_change_new"} {
			f.A.Admin(t, "POST", "/admin/generate_link", m{"type": typ, "email": "ann@example.com", "new_email": "new@example.com"}).WantError(404, "user_not_found")
		}
		f.A.Admin(t, "POST", "/invite", m{"email": "ann@example.com"}).WantError(422, "email_exists")
		f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password456"}).WantError(422, "user_already_exists")
		f.A.Configure(func(c *tenants.Config) { c.MailerAutoconfirm = false })
		res := f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password456"}).Want(200)
		if strings.Contains(string(res.Raw), ann.UserID) {
			t.Errorf("%s: the answer tells who has the address: %s", set, res.Raw)
		}
		if n := len(f.A.Mails(t)); n != 0 {
			t.Errorf("%s: %d mails", set, n)
		}
		f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "user_not_found")
	}
}

// Concurrent requests for the same new address do not report each other's row.
func TestRaces(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for name, ask := range map[string]func(email string) *flowtest.Response{
		"invite": func(email string) *flowtest.Response { return f.A.Admin(t, "POST", "/invite", m{"email": email}) },
		"signup": func(email string) *flowtest.Response {
			return f.A.Admin(t, "POST", "/admin/generate_link", m{"type": "signup", "email": email, "password": "password123"})
		},
		"magiclink": func(email string) *flowtest.Response {
			return f.A.Admin(t, "POST", "/admin/generate_link", m{"type": "magiclink", "email": email})
		},
	} {
		for _, email := range []string{name + "1@example.com", name + "2@example.com", name + "3@example.com"} {
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { ask(email).Want(200) })
			}
			wg.Wait()
			if n := f.A.Count(t, `SELECT count(*) FROM auth.users WHERE email = $1`, email); n != 1 {
				t.Errorf("%s: %d users", name, n)
			}
		}
	}
}

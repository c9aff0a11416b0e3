package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

type m = flowtest.M

func TestCreate(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	res := f.A.Admin(t, "POST", "/admin/users", m{
		"email": "Ann@Example.com", "password": "password123", "email_confirm": true,
		"user_metadata": m{"a": 1}, "app_metadata": m{"plan": "pro"},
	}).Want(200)
	for path, want := range map[string]string{
		"email": "ann@example.com", "aud": "authenticated", "role": "authenticated", "phone": "",
		"app_metadata.plan": "pro", "app_metadata.provider": "email", "app_metadata.providers": "[email]",
		"user_metadata.a": "1", "user_metadata.email_verified": "true", "is_anonymous": "false",
	} {
		if got := res.Get(path); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	var u struct {
		Identities []struct {
			Provider string `json:"provider"`
			Data     m      `json:"identity_data"`
		}
		ConfirmedAt *string `json:"email_confirmed_at"`
	}
	res.Decode(&u)
	if len(u.Identities) != 1 || u.Identities[0].Provider != "email" || u.Identities[0].Data["email_verified"] != false || u.ConfirmedAt == nil {
		t.Errorf("user %s", res.Raw)
	}
	if strings.Contains(string(res.Raw), "password") || strings.Contains(string(res.Raw), "$2a$") {
		t.Errorf("the answer reveals the password: %s", res.Raw)
	}

	got := f.A.Admin(t, "GET", "/admin/users/"+res.Get("id"), nil).Want(200)
	if diff := cmp.Diff(res.JSON, got.JSON); diff != "" {
		t.Errorf("read back differs: %s", diff)
	}
	f.A.SignIn(t, "ann@example.com", "password123")
	if n := len(f.A.Mails(t)); n != 0 {
		t.Errorf("%d mails, want none", n)
	}
}

func TestCreateRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	taken := f.A.Admin(t, "POST", "/admin/users", m{"email": "taken@example.com", "phone": "+4670000001"}).Want(200)
	for _, c := range []struct {
		name   string
		body   any
		status int
		code   string
	}{
		{"nothing", m{}, 400, "validation_failed"},
		{"no body", nil, 400, "bad_json"},
		{"neither address", m{"password": "password123"}, 400, "validation_failed"},
		{"bad email", m{"email": "x"}, 400, "validation_failed"},
		{"bad phone", m{"phone": "abc"}, 400, "validation_failed"},
		{"email taken", m{"email": "TAKEN@example.com"}, 422, "email_exists"},
		{"phone taken", m{"phone": "4670000001"}, 422, "phone_exists"},
		{"id taken", m{"email": "n@example.com", "id": taken.Get("id")}, 422, "user_already_exists"},
		{"bad id", m{"email": "n@example.com", "id": "1"}, 400, "validation_failed"},
		{"id nil", m{"email": "n@example.com", "id": uuid.Nil}, 400, "validation_failed"},
		{"id in braces", m{"email": "n@example.com", "id": "{" + uuid.NewString() + "}"}, 400, "validation_failed"},
		{"long password", m{"email": "n@example.com", "password": strings.Repeat("a", 73)}, 400, "validation_failed"},
		{"password and hash", m{"email": "n@example.com", "password": "password123", "password_hash": "$2a$"}, 400, "validation_failed"},
		{"hash of no kind", m{"email": "n@example.com", "password_hash": "plain"}, 400, "validation_failed"},
		{"hash too costly", m{"email": "n@example.com", "password_hash": "$2a$31$Q8fzFYrDUCHzTsvmMx3kz.H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6"}, 400, "validation_failed"},
		{"long role", m{"email": "n@example.com", "role": strings.Repeat("r", 256)}, 400, "validation_failed"},
		{"bad ban", m{"email": "n@example.com", "ban_duration": "long"}, 400, "validation_failed"},
		{"negative ban", m{"email": "n@example.com", "ban_duration": "-1h"}, 400, "validation_failed"},
		{"metadata a list", m{"email": "n@example.com", "user_metadata": []int{1}}, 400, "bad_json"},
		{"metadata a text", m{"email": "n@example.com", "app_metadata": "x"}, 400, "bad_json"},
		{"metadata too large", m{"email": "n@example.com", "user_metadata": m{"a": strings.Repeat("x", 65<<10)}}, 400, "validation_failed"},
		{"NUL", `{"email":"n@example.com","user_metadata":{"a":"\u0000"}}`, 400, "validation_failed"},
		{"no JSON", `{"email":`, 400, "bad_json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.A.Admin(t, "POST", "/admin/users", c.body).WantError(c.status, c.code)
		})
	}
	if n := f.A.Count(t, "SELECT count(*) FROM auth.users"); n != 1 {
		t.Errorf("%d users, want the one", n)
	}
}

func TestCreateImportsHashes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("from elsewhere"), 5)
	if err != nil {
		t.Fatal(err)
	}
	f.A.Admin(t, "POST", "/admin/users", m{"email": "i@example.com", "password_hash": string(hash), "email_confirm": true}).Want(200)
	f.A.SignIn(t, "i@example.com", "from elsewhere")
	f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "i@example.com", "password": string(hash)}).WantError(400, "invalid_credentials")
}

func TestCreateWithoutPassword(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Admin(t, "POST", "/admin/users", m{"email": "n@example.com", "email_confirm": true}).Want(200)
	for _, password := range []string{"", "password123"} {
		f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "n@example.com", "password": password}).
			WantError(400, "invalid_credentials")
	}
}

func TestCreateWithPhoneAndOwnID(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	id := uuid.NewString()
	res := f.A.Admin(t, "POST", "/admin/users", m{"id": id, "phone": "+46 70 000 00 02", "phone_confirm": true, "role": "editor", "ban_duration": "1h"}).Want(200)
	if res.Get("id") != id || res.Get("phone") != "46700000002" || res.Get("role") != "editor" || res.Get("banned_until") == "" ||
		res.Get("phone_confirmed_at") == "" || res.Get("app_metadata.provider") != "phone" {
		t.Errorf("user %s", res.Raw)
	}
	var identities []struct{ Provider string }
	raw, _ := res.Find("identities")
	again, _ := json.Marshal(raw)
	if err := json.Unmarshal(again, &identities); err != nil || len(identities) != 1 || identities[0].Provider != "phone" {
		t.Errorf("identities %s", again)
	}
	f.A.Admin(t, "POST", "/admin/users", m{"phone": "46700000002"}).WantError(422, "phone_exists")
}

// The same id and address in two projects are two users.
func TestCreateInBothProjects(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	id := uuid.NewString()
	for _, p := range []*flowtest.Project{f.A, f.B} {
		p.Admin(t, "POST", "/admin/users", m{"id": id, "email": "same@example.com"}).Want(200)
	}
	f.A.Admin(t, "DELETE", "/admin/users/"+id, nil).Want(200)
	f.B.Admin(t, "GET", "/admin/users/"+id, nil).Want(200)
}

// An admin may create users with a password that the project's rules refuse;
// their sign-in reports it as weak.
func TestCreateWeakPassword(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for i, weak := range []string{"a", "abc", "12345"} {
		email := fmt.Sprintf("weak%d@example.com", i)
		f.A.Admin(t, "POST", "/admin/users", m{"email": email, "password": weak, "email_confirm": true}).Want(200)
		res := f.A.Do(t, "POST", "/token?grant_type=password", m{"email": email, "password": weak}).Want(200)
		if res.Get("weak_password") == "" {
			t.Errorf("%q: nobody tells that it is weak", weak)
		}
	}
}

// A hash of a library that truncated the password matches the whole of it, and
// stays.
func TestCreateCutHash(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	phrase := strings.Repeat("correct horse ", 6) // 84 bytes
	cut, err := bcrypt.GenerateFromPassword([]byte(phrase[:72]), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	f.A.Admin(t, "POST", "/admin/users", m{"email": "long@example.com", "password_hash": string(cut), "email_confirm": true}).Want(200)
	f.A.SignIn(t, "long@example.com", phrase)
	f.A.SignIn(t, "long@example.com", phrase)
	for _, wrong := range []string{phrase[:71], "x" + phrase, phrase[:70] + "xx" + phrase[72:]} {
		f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "long@example.com", "password": wrong}).WantError(400, "invalid_credentials")
	}
	f.A.Admin(t, "POST", "/admin/users", m{"email": "n@example.com", "password": phrase}).WantError(400, "validation_failed")
}

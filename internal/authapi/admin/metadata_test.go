package admin_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// Numbers above 2^53 keep their digits on every way into the metadata and back.
func TestMetadataDigits(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	const id = "9007199254740993"
	want := func(name, text string) {
		t.Helper()
		if !strings.Contains(text, `"ext":`+id) {
			t.Errorf("%s: %s", name, text)
		}
	}
	res := f.A.Do(t, "POST", "/signup", `{"email":"ann@example.com","password":"password123","data":{"ext":`+id+`}}`).Want(200)
	want("POST /signup", string(res.Raw))
	s := res.Session()
	want("PUT /user", string(f.A.Do(t, "PUT", "/user", `{"data":{"other":true}}`, flowtest.User(s.Access)).Want(200).Raw))
	res = f.A.Admin(t, "PUT", "/admin/users/"+s.UserID, `{"app_metadata":{"ext":`+id+`},"user_metadata":{"third":1.50}}`).Want(200)
	if strings.Count(string(res.Raw), `"ext":`+id) < 2 || !strings.Contains(string(res.Raw), `"third":1.50`) {
		t.Errorf("PUT /admin/users: %s", res.Raw)
	}
	access := f.A.SignIn(t, "ann@example.com", "password123").Access
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(claims), `"ext":`+id) != 2 {
		t.Errorf("claims %s", claims)
	}
	for name, data := range map[string]string{
		"too large": `1e400`, "far too large": `1e999999999`, "too small": `1e-400`, "too long": strings.Repeat("1", 500), "too deep": strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	} {
		f.A.Do(t, "PUT", "/user", `{"data":{"a":`+data+`}}`, flowtest.User(access)).WantError(400, "validation_failed")
		f.A.Admin(t, "PUT", "/admin/users/"+s.UserID, `{"app_metadata":{"a":[{"b":`+data+`}]}}`).WantError(400, "validation_failed")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

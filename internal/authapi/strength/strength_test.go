package strength_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type m = map[string]any

const (
	bad  = "leaked password 1"
	good = "good password 1"
)

func reasons(t *testing.T, res *flowtest.Response, want ...any) {
	t.Helper()
	got, _ := res.Find("weak_password.reasons")
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// A leaked password is refused wherever one is set.
func TestLeaked(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm, c.SMTPMaxFrequency = true, 0 })
	f.A.Configure(func(c *tenants.Config) { c.LeakedPasswords = true })
	f.Services.Leak(bad, "12345")
	ann := f.A.SignUp(t, "ann@example.com", good)
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
	recovered := f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")}).Session()
	for name, ask := range map[string]func(password string) *flowtest.Response{
		"sign-up": func(p string) *flowtest.Response {
			return f.A.Do(t, "POST", "/signup", m{"email": "new@example.com", "password": p})
		},
		"change": func(p string) *flowtest.Response {
			return f.A.Do(t, "PUT", "/user", m{"password": p}, flowtest.User(ann.Access))
		},
		"recovery": func(p string) *flowtest.Response {
			return f.A.Do(t, "PUT", "/user", m{"password": p}, flowtest.User(recovered.Access))
		},
		"admin's change": func(p string) *flowtest.Response {
			return f.A.Admin(t, "PUT", "/admin/users/"+ann.UserID, m{"password": p})
		},
		"link": func(p string) *flowtest.Response {
			return f.A.Admin(t, "POST", "/admin/generate_link", m{"type": "signup", "email": "link@example.com", "password": p})
		},
	} {
		t.Run(name, func(t *testing.T) {
			reasons(t, ask(bad).WantError(422, "weak_password"), "pwned")
			reasons(t, ask("12345").WantError(422, "weak_password"), "length", "pwned")
		})
	}
	// As in the reference, no rule holds for the password of a user that an admin
	// creates.
	f.A.Admin(t, "POST", "/admin/users", m{"email": "made@example.com", "password": bad, "email_confirm": true}).Want(200)
	// The other project does not ask.
	asked := len(f.Services.Ranges())
	f.B.SignUp(t, "ann@example.com", bad)
	if n := len(f.Services.Ranges()); n != asked {
		t.Errorf("asked %d times for a project that does not want it", n-asked)
	}
}

// At a sign-in the answer says that the password is leaked, if the project wants
// it, and the user signs in.
func TestLeakedAtSignIn(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm = true })
	f.A.SignUp(t, "ann@example.com", bad)
	f.Services.Leak(bad)
	signIn := func(p string) *flowtest.Response {
		return f.A.Do(t, "POST", "/token?grant_type=password", m{"email": "ann@example.com", "password": p})
	}
	f.A.Configure(func(c *tenants.Config) { c.LeakedPasswords = true })
	if res := signIn(bad).Want(200); res.Get("weak_password") != "" || len(f.Services.Ranges()) != 0 {
		t.Errorf("answer %s", res.Raw)
	}
	f.A.Configure(func(c *tenants.Config) { c.LeakedPasswordsAtSignIn = true })
	res := signIn(bad)
	res.Session()
	reasons(t, res, "pwned")
	asked := len(f.Services.Ranges())
	signIn("nope").WantError(400, "invalid_credentials")
	if n := len(f.Services.Ranges()); n != asked {
		t.Error("the list was asked about a wrong password")
	}
	f.A.Configure(func(c *tenants.Config) { c.LeakedPasswordsFailClosed = true })
	f.Services.Break(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) })
	if res := signIn(bad).Want(200); res.Get("weak_password") != "" {
		t.Errorf("answer %s", res.Raw)
	}
}

func TestListAway(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, func(c *tenants.Config) { c.MailerAutoconfirm, c.LeakedPasswords = true, true })
	f.B.Configure(func(c *tenants.Config) { c.LeakedPasswordsFailClosed = true })
	f.Services.Break(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) })
	f.A.SignUp(t, "ann@example.com", good)
	f.B.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": good}).WantError(503, "unexpected_failure")
	reasons(t, f.A.Do(t, "POST", "/signup", m{"email": "bob@example.com", "password": "123"}).WantError(422, "weak_password"), "length")
	if n := f.B.Count(t, "SELECT count(*) FROM auth.users"); n != 0 {
		t.Errorf("%d users", n)
	}
}

package grant_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

const passwordGrant = "/token?grant_type=password"

func autoconfirm(c *tenants.Config) { c.MailerAutoconfirm = true }

func TestPasswordGrant(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	res := f.A.Do(t, "POST", passwordGrant, m{"email": " ANN@example.com", "password": "password123"}).Want(200)
	s := res.Session()
	if weak, there := res.Find("weak_password"); !there || weak != nil {
		t.Errorf("weak_password is %v", weak)
	}
	if _, there := res.Find("user.last_sign_in_at"); !there || res.Get("token_type") != "bearer" || res.Get("expires_in") != "3600" {
		t.Errorf("answer %s", res.Raw)
	}
	claims := flowtest.Claims(t, s.Access)
	want := []string{"aal", "amr", "app_metadata", "aud", "email", "exp", "iat", "is_anonymous", "iss", "phone", "role", "session_id", "sub", "user_metadata"}
	if got := slices.Sorted(maps.Keys(claims)); !slices.Equal(got, want) {
		t.Errorf("claims %v, want %v", got, want)
	}
	if claims["iss"] != f.A.Tenant().Issuer() || claims["sub"] != s.UserID || claims["aal"] != "aal1" || claims["role"] != "authenticated" ||
		claims["aud"] != "authenticated" {
		t.Errorf("claims %v", claims)
	}
	if method := claims["amr"].([]any)[0].(m)["method"]; method != "password" {
		t.Errorf("method %v", method)
	}
	if again := f.A.SignIn(t, "ann@example.com", "password123"); flowtest.Claims(t, again.Access)["session_id"] == claims["session_id"] {
		t.Error("two sign-ins share a session")
	}
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Admin(t, "POST", "/admin/users", m{"email": "unconfirmed@example.com", "password": "password123"}).Want(200)
	for _, c := range []struct {
		name   string
		path   string
		body   any
		status int
		code   string
	}{
		{"unknown grant", "/token?grant_type=what", m{}, 400, "invalid_credentials"},
		{"no grant", "/token", m{}, 400, "invalid_credentials"},
		{"wrong password", passwordGrant, m{"email": "ann@example.com", "password": "nope"}, 400, "invalid_credentials"},
		{"no password", passwordGrant, m{"email": "ann@example.com"}, 400, "invalid_credentials"},
		{"long password", passwordGrant, m{"email": "ann@example.com", "password": strings.Repeat("a", 10000)}, 400, "invalid_credentials"},
		{"unknown user", passwordGrant, m{"email": "zz@example.com", "password": "nope"}, 400, "invalid_credentials"},
		{"unconfirmed", passwordGrant, m{"email": "unconfirmed@example.com", "password": "password123"}, 400, "email_not_confirmed"},
		{"unconfirmed, wrong password", passwordGrant, m{"email": "unconfirmed@example.com", "password": "nope"}, 400, "invalid_credentials"},
		{"no address", passwordGrant, m{"password": "password123"}, 400, "validation_failed"},
		{"bad address", passwordGrant, m{"email": "x", "password": "password123"}, 400, "invalid_credentials"},
		{"phone", passwordGrant, m{"phone": "4670000001", "password": "password123"}, 422, "phone_provider_disabled"},
		{"email a number", passwordGrant, m{"email": 1, "password": "password123"}, 400, "bad_json"},
		{"no refresh token", "/token?grant_type=refresh_token", m{}, 400, "validation_failed"},
		{"unknown refresh token", "/token?grant_type=refresh_token", m{"refresh_token": "aaaaaaaaaaaa"}, 400, "refresh_token_not_found"},
		{"long refresh token", "/token?grant_type=refresh_token", m{"refresh_token": strings.Repeat("a", 100000)}, 400, "refresh_token_not_found"},
	} {
		t.Run(c.name, func(t *testing.T) { f.A.Do(t, "POST", c.path, c.body).WantError(c.status, c.code) })
	}
	ann := m{"email": "ann@example.com", "password": "password123"}
	f.B.Do(t, "POST", passwordGrant, ann).WantError(400, "invalid_credentials")
	f.A.Do(t, "POST", passwordGrant, ann, flowtest.Key(f.B.Publishable)).Want(401)
	f.A.Configure(func(c *tenants.Config) { c.ExternalEmailEnabled = false })
	f.A.Do(t, "POST", passwordGrant, ann).WantError(422, "email_provider_disabled")
	f.A.Configure(func(c *tenants.Config) { c.ExternalEmailEnabled, c.MailerAllowUnverifiedEmailSignIn = true, true })
	f.A.SignIn(t, "unconfirmed@example.com", "password123")
}

// A wrong password and an unknown address answer the same.
func TestPasswordGrantTellsNobody(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	a := f.A.Do(t, "POST", passwordGrant, m{"email": "ann@example.com", "password": "wrong"})
	b := f.A.Do(t, "POST", passwordGrant, m{"email": "nobody@example.com", "password": "wrong"})
	if diff := cmp.Diff(a.JSON, b.JSON); diff != "" || a.Status != b.Status {
		t.Errorf("answers differ: %s", diff)
	}
}

// A wrong password makes the same statements as an unknown address: it reads
// neither identities nor factors.
func TestWrongPasswordReadsNoMore(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Exec(t, `ALTER TABLE auth.identities RENAME TO hidden; ALTER TABLE auth.mfa_factors RENAME TO hidden_factors`)
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		f.A.Do(t, "POST", passwordGrant, m{"email": email, "password": "wrong"}).WantError(400, "invalid_credentials")
	}
}

// Many wrong passwords of a client for an account also delay its right one, in this
// project only.
func TestWrongPasswordsAreCounted(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	for _, p := range []*flowtest.Project{f.A, f.B} {
		p.SignUp(t, "ann@example.com", "password123")
	}
	for range 20 {
		f.A.Do(t, "POST", passwordGrant, m{"email": "ann@example.com", "password": "wrong"}).WantError(400, "invalid_credentials")
	}
	right := m{"email": "ann@example.com", "password": "password123"}
	if res := f.A.Do(t, "POST", passwordGrant, right).WantError(429, "over_request_rate_limit"); res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.A.Do(t, "POST", passwordGrant, right, flowtest.From("198.51.100.1")).Want(200)
	f.B.Do(t, "POST", passwordGrant, right).Want(200)
	f.Clock.Advance(15 * time.Second)
	f.A.Do(t, "POST", passwordGrant, right).Want(200)
}

// After forty wrong passwords within an hour each further one takes two minutes. The
// right one still passes from an address where the user has signed in: others may
// share it.
func TestStubbornGuesses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123") // from 192.0.2.1
	wrong, right := m{"email": "ann@example.com", "password": "wrong"}, m{"email": "ann@example.com", "password": "password123"}
	for _, from := range []string{"198.51.100.1", "192.0.2.1"} {
		f.Clock.Advance(2 * time.Hour)
		try := func(body m) *flowtest.Response { return f.A.Do(t, "POST", passwordGrant, body, flowtest.From(from)) }
		for range 2 {
			for range 20 {
				try(wrong).WantError(400, "invalid_credentials")
			}
			f.Clock.Advance(5 * time.Minute)
		}
		for range 5 { // of which two a minute were forgotten
			try(wrong).WantError(400, "invalid_credentials")
		}
		try(wrong).WantError(429, "over_request_rate_limit")
		if from == "192.0.2.1" {
			try(right).Want(200)
			continue
		}
		try(right).WantError(429, "over_request_rate_limit")
		f.Clock.Advance(15 * time.Second)
		try(right).WantError(429, "over_request_rate_limit")
		f.A.Do(t, "POST", passwordGrant, right, flowtest.From("203.0.113.1")).Want(200)
		f.Clock.Advance(2 * time.Minute)
		try(right).Want(200)
	}
}

// Strangers who guess from many addresses lock nobody out, and learn nothing about
// who has an account.
func TestAccountUnderAttack(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123") // from 192.0.2.1
	try := func(email, password, from string) *flowtest.Response {
		return f.A.Do(t, "POST", passwordGrant, m{"email": email, "password": password}, flowtest.From(from))
	}
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		for i := range 60 {
			try(email, "wrong", fmt.Sprintf("198.51.100.%d", i/20)).WantError(400, "invalid_credentials")
		}
		// A new address has three tries, the user's own no more.
		for _, from := range []string{"203.0.113.1", "192.0.2.1"} {
			for range 3 {
				try(email, "wrong", from).WantError(400, "invalid_credentials")
			}
			try(email, "wrong", from).WantError(429, "over_request_rate_limit")
		}
	}
	try("ann@example.com", "password123", "203.0.113.1").WantError(429, "over_request_rate_limit")
	try("ann@example.com", "password123", "203.0.113.2").Want(200) // the first try of a new address
	for range 5 {
		try("ann@example.com", "password123", "192.0.2.1").Want(200) // where she has signed in before
	}
	// Guessing from there ends too.
	for range 16 {
		try("ann@example.com", "wrong", "192.0.2.1").WantError(429, "over_request_rate_limit")
	}
	try("ann@example.com", "password123", "192.0.2.1").WantError(429, "over_request_rate_limit")
	f.Clock.Advance(15 * time.Second)
	try("ann@example.com", "password123", "192.0.2.1").Want(200)
}

// The password rules became stricter: an old password can still sign in.
func TestWeakPasswordIsTold(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Configure(func(c *tenants.Config) { c.PasswordMinLength = 20 })
	res := f.A.Do(t, "POST", passwordGrant, m{"email": "ann@example.com", "password": "password123"}).Want(200)
	if res.Get("weak_password.reasons") != "[length]" {
		t.Errorf("weak_password %s", res.Get("weak_password"))
	}
}

// Rows that were inserted by SQL, as from a seed file, often have NULL where
// Reeve writes a default.
func TestPasswordOfASeed(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.SignUp(t, "ann@example.com", "password123")
	f.A.ExecAsOwner(t, "UPDATE auth.users SET aud = NULL, role = ''")
	s := f.A.SignIn(t, "ann@example.com", "password123")
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	if me.Get("aud") != "authenticated" || me.Get("role") != "authenticated" {
		t.Errorf("user %s", me.Raw)
	}
}

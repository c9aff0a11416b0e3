package signup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

func anonymous(c *tenants.Config) { c.AnonymousUsers, c.RateLimitAnonymous = true, 1000 }

func TestAnonymous(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, anonymous)
	s := f.A.Do(t, "POST", "/signup", m{"data": m{"cart": "7"}}).Session()
	var claims token.Claims
	if _, _, err := jwt.NewParser().ParseUnverified(s.Access, &claims); err != nil {
		t.Fatal(err)
	}
	if !claims.IsAnonymous || claims.Role != "authenticated" || len(claims.AMR) != 1 || claims.AMR[0].Method != "anonymous" {
		t.Errorf("claims %+v", claims)
	}
	me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
	if me.Get("is_anonymous") != "true" || me.Get("user_metadata.cart") != "7" || me.Get("identities") != "[]" || me.Get("app_metadata") != "map[]" || me.Get("email") != "" {
		t.Errorf("user %s", me.Raw)
	}
	other := f.A.Do(t, "POST", "/signup", m{}).Session()
	if other.UserID == s.UserID {
		t.Error("two sign-ins are one user")
	}
	f.B.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).WantError(401, "bad_jwt")
	f.A.Do(t, "POST", "/token?grant_type=refresh_token", m{"refresh_token": s.Refresh}).Session()
	f.A.Do(t, "PUT", "/user", m{"password": "password123"}, flowtest.User(s.Access)).WantError(422, "validation_failed")
	f.A.Do(t, "GET", "/reauthenticate", nil, flowtest.User(s.Access)).WantError(422, "validation_failed")
}

func TestAnonymousRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	f.A.Do(t, "POST", "/signup", m{}).WantError(422, "anonymous_provider_disabled")
	f.A.Configure(anonymous)
	f.A.Do(t, "POST", "/signup", m{"data": m{"x": strings.Repeat("x", 300<<10)}}).WantError(400, "validation_failed")
	f.A.Do(t, "POST", "/signup", m{"password": "password123"}).WantError(400, "validation_failed")
	f.A.Configure(func(c *tenants.Config) { c.DisableSignup = true })
	f.A.Do(t, "POST", "/signup", m{}).WantError(422, "signup_disabled")
	f.A.Configure(func(c *tenants.Config) { c.DisableSignup, c.RateLimitAnonymous = false, 2 })
	for range 2 {
		f.A.Do(t, "POST", "/signup", m{}).Want(200)
	}
	f.A.Do(t, "POST", "/signup", m{}).WantError(429, "over_request_rate_limit")
	f.A.Do(t, "POST", "/signup", m{}, flowtest.From("2001:db8::1")).Want(200)
	f.B.Configure(anonymous)
	f.B.Do(t, "POST", "/signup", m{}).Want(200)
	f.A.Do(t, "POST", "/signup", m{"email": "ann@example.com", "password": "password123"}).Want(200)
}

// TestAnonymousUpgrade: an anonymous user becomes a permanent one by an address or
// an identity, and keeps the id and the data.
func TestAnonymousUpgrade(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, anonymous, func(c *tenants.Config) { c.ManualLinking = true })
	taken := f.A.SignUp(t, "taken@example.com", "password123")
	check := func(t *testing.T, s flowtest.Session) {
		t.Helper()
		me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
		if me.Get("is_anonymous") != "false" || me.Get("user_metadata.cart") != "7" || me.Get("id") != s.UserID || me.Get("email_confirmed_at") == "" {
			t.Errorf("user %s", me.Raw)
		}
	}
	t.Run("address", func(t *testing.T) {
		s := f.A.Do(t, "POST", "/signup", m{"data": m{"cart": "7"}}).Session()
		f.A.Do(t, "PUT", "/user", m{"email": "taken@example.com"}, flowtest.User(s.Access)).WantError(422, "email_exists")
		f.A.Do(t, "PUT", "/user", m{"email": "ann@example.com"}, flowtest.User(s.Access)).Want(200)
		if me := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200); me.Get("is_anonymous") != "true" || me.Get("email") != "" {
			t.Errorf("before the confirmation: %s", me.Raw)
		}
		f.A.Do(t, "POST", "/verify", m{"type": "email_change", "email": "ann@example.com", "token": f.A.Mail(t, "ann@example.com").Code}).Session()
		check(t, s)
		f.A.Do(t, "PUT", "/user", m{"password": "password123"}, flowtest.User(s.Access)).Want(200)
		if again := f.A.SignIn(t, "ann@example.com", "password123"); again.UserID != s.UserID {
			t.Errorf("signed in as %s, want %s", again.UserID, s.UserID)
		}
	})
	t.Run("id token", func(t *testing.T) {
		f.Clock.Advance(time.Minute)
		s := f.A.Do(t, "POST", "/signup", m{"data": m{"cart": "7"}}).Session()
		login := connector.Login{Profile: connector.Profile{Subject: "9", Email: "bob@example.com", EmailVerified: true, Data: m{"email": "bob@example.com"}}}
		body := m{"provider": "idp", "link_identity": true, "id_token": f.IDP.Issue(f.A, "", login)}
		linked := f.A.Do(t, "POST", "/token?grant_type=id_token", body, flowtest.User(s.Access)).Session()
		if linked.UserID != s.UserID {
			t.Errorf("linked to %s", linked.UserID)
		}
		check(t, s)
	})
	t.Run("id token with a taken address", func(t *testing.T) {
		s := f.A.Do(t, "POST", "/signup", m{}).Session()
		login := connector.Login{Profile: connector.Profile{Subject: "10", Email: "taken@example.com", EmailVerified: true, Data: m{"email": "taken@example.com"}}}
		body := m{"provider": "idp", "link_identity": true, "id_token": f.IDP.Issue(f.A, "", login)}
		f.A.Do(t, "POST", "/token?grant_type=id_token", body, flowtest.User(s.Access)).WantError(422, "email_exists")
		if n := f.A.Count(t, "SELECT count(*) FROM auth.identities WHERE user_id = $1 OR provider = 'idp' AND user_id = $2", s.UserID, taken.UserID); n != 0 {
			t.Errorf("%d identities are left of a refused link", n)
		}
	})
}

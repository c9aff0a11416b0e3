package account_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// mint signs a token as an app that holds the project's key does.
func mint(t *testing.T, f *flowtest.Fixture, p *flowtest.Project, user string, claims m) flowtest.Option {
	t.Helper()
	var key tenants.SigningKey
	for _, k := range p.Tenant().SigningKeys {
		if k.Status == tenants.KeyInUse {
			key = k
		}
	}
	all := m{"iss": p.Tenant().Issuer(), "sub": user, "aud": "authenticated", "role": "authenticated", "exp": f.Clock.Now().Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	unsigned := jwt.NewWithClaims(jwt.GetSigningMethod(key.Algorithm), jwt.MapClaims(all))
	unsigned.Header["kid"] = key.ID
	signed, err := unsigned.SignedString(key.Private)
	if err != nil {
		t.Fatal(err)
	}
	return flowtest.User(signed)
}

// A token without a session stands for its user on every route, whatever roles
// it names, and for no session.
func TestMinted(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann, same := f.A.SignUp(t, "ann@example.com", "password123"), f.B.SignUp(t, "ann@example.com", "password123")
	token := mint(t, f, f.A, ann.UserID, nil)

	for name, claims := range map[string]m{
		"plain": nil, "aud a list": {"aud": []string{"authenticated"}}, "role service_role": {"role": "service_role"}, "no role": {"role": nil},
	} {
		res := f.A.Do(t, "GET", "/user", nil, mint(t, f, f.A, ann.UserID, claims)).Want(200)
		if res.Get("id") != ann.UserID || res.Get("email") != "ann@example.com" || !strings.Contains(string(res.Raw), `"provider":"email"`) {
			t.Errorf("%s: %s", name, res.Raw)
		}
		f.A.Do(t, "GET", "/admin/users", nil, mint(t, f, f.A, ann.UserID, claims)).WantError(403, "not_admin")
	}
	for name, c := range map[string]struct {
		token  flowtest.Option
		status int
		code   string
	}{
		"expired":                {mint(t, f, f.A, ann.UserID, m{"exp": f.Clock.Now().Unix()}), 403, "bad_jwt"},
		"no exp":                 {mint(t, f, f.A, ann.UserID, m{"exp": nil}), 403, "bad_jwt"},
		"another audience":       {mint(t, f, f.A, ann.UserID, m{"aud": []string{"app"}}), 403, "bad_jwt"},
		"no sub":                 {mint(t, f, f.A, "", nil), 403, "bad_jwt"},
		"nobody":                 {mint(t, f, f.A, uuid.NewString(), nil), 403, "user_not_found"},
		"another project's user": {mint(t, f, f.A, same.UserID, nil), 403, "user_not_found"},
		"another project's key":  {mint(t, f, f.B, ann.UserID, m{"iss": f.A.Tenant().Issuer()}), 403, "bad_jwt"},
		"another project's":      {mint(t, f, f.B, same.UserID, nil), 401, "bad_jwt"},
		"a session that is gone": {mint(t, f, f.A, ann.UserID, m{"session_id": uuid.NewString()}), 403, "session_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			f.A.Do(t, "GET", "/user", nil, c.token).WantError(c.status, c.code)
			f.A.Do(t, "PUT", "/user", m{"data": m{"a": 1}}, c.token).WantError(c.status, c.code)
			f.A.Do(t, "POST", "/logout", nil, c.token).WantError(c.status, c.code)
		})
	}

	// A change, and requests that need a session or a second factor.
	if res := f.A.Do(t, "PUT", "/user", m{"data": m{"a": 1}}, token).Want(200); res.Get("user_metadata.a") != "1" {
		t.Errorf("changed: %s", res.Raw)
	}
	f.A.Do(t, "POST", "/logout?scope=local", nil, token).WantError(403, "session_not_found")
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).Want(200)
	f.A.Do(t, "PUT", "/user", m{"password": "another password"}, token).Want(200)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "session_not_found")
	for _, scope := range []string{"", "?scope=global", "?scope=others"} {
		again := f.A.SignIn(t, "ann@example.com", "another password")
		f.A.Do(t, "POST", "/logout"+scope, nil, token).Want(204)
		f.A.Do(t, "GET", "/user", nil, flowtest.User(again.Access)).WantError(403, "session_not_found")
	}
	f.A.Exec(t, `INSERT INTO auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)
		VALUES (gen_random_uuid(), $1, 'f', 'totp', 'verified', now(), now(), 'x')`, ann.UserID)
	second := mint(t, f, f.A, ann.UserID, m{"aal": "aal2"})
	f.A.Do(t, "PUT", "/user", m{"password": "one more password"}, second).WantError(401, "insufficient_aal")
	f.A.Do(t, "PUT", "/user", m{"email": "new@example.com"}, second).WantError(401, "insufficient_aal")

	f.A.Exec(t, `UPDATE auth.users SET aud = 'elsewhere'`)
	f.A.Do(t, "GET", "/user", nil, token).WantError(403, "user_not_found")
	f.A.Do(t, "POST", "/logout", nil, token).WantError(403, "user_not_found")
	f.A.Exec(t, `UPDATE auth.users SET aud = 'authenticated'`)
	f.A.Admin(t, "PUT", "/admin/users/"+ann.UserID, m{"ban_duration": "1h"}).Want(200)
	f.A.Do(t, "GET", "/user", nil, token).WantError(403, "user_banned")
	f.A.Admin(t, "DELETE", "/admin/users/"+ann.UserID, m{"should_soft_delete": true}).Want(200)
	f.A.Do(t, "GET", "/user", nil, token).WantError(403, "user_not_found")
	f.B.Do(t, "GET", "/user", nil, flowtest.User(same.Access)).Want(200)
}

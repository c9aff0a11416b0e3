package account_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

type m = flowtest.M

func autoconfirm(c *tenants.Config) { c.MailerAutoconfirm = true }

// Every route, with every kind of bad token.
func TestUserGuard(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann, bob := f.A.SignUp(t, "ann@example.com", "password123"), f.B.SignUp(t, "ann@example.com", "password123")
	gone := f.A.SignUp(t, "gone@example.com", "password123")
	f.A.Admin(t, "DELETE", "/admin/users/"+gone.UserID, nil).Want(200)
	out := f.A.SignIn(t, "ann@example.com", "password123")
	f.A.Do(t, "POST", "/logout?scope=local", nil, flowtest.User(out.Access)).Want(204)
	for name, c := range map[string]struct {
		status int
		code   string
		token  string
	}{
		"no token":                     {401, "no_authorization", ""},
		"the secret key":               {401, "no_authorization", f.A.Secret},
		"garbage":                      {403, "bad_jwt", "x.y.z"},
		"the other project's user":     {401, "bad_jwt", bob.Access},
		"a user who was deleted":       {403, "user_not_found", gone.Access},
		"a session that ended":         {403, "session_not_found", out.Access},
		"signature of another token":   {403, "bad_jwt", splice(ann.Access, gone.Access)},
		"no signature":                 {403, "bad_jwt", ann.Access[:strings.LastIndexByte(ann.Access, '.')+1]},
		"alg none":                     {403, "bad_jwt", forge(t, f, ann, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)},
		"HS256 with the public key":    {403, "bad_jwt", forge(t, f, ann, jwt.SigningMethodHS256, f.A.Tenant().SigningKeys[0].PublicJWK, nil)},
		"signed by the other project":  {403, "bad_jwt", forge(t, f, ann, jwt.SigningMethodES256, f.B.Tenant().SigningKeys[0].Private, nil)},
		"another audience":             {403, "bad_jwt", signed(t, f, ann, func(c *token.Claims) { c.Audience = "anon" })},
		"another issuer":               {401, "bad_jwt", signed(t, f, ann, func(c *token.Claims) { c.Issuer = f.B.Tenant().Issuer() })},
		"expired":                      {403, "bad_jwt", signed(t, f, ann, func(c *token.Claims) { c.ExpiresAt = f.Clock.Now().Unix() })},
		"without expiry":               {403, "bad_jwt", signed(t, f, ann, func(c *token.Claims) { c.ExpiresAt = 0 })},
		"a session of somebody else":   {403, "session_not_found", signed(t, f, ann, func(c *token.Claims) { c.SessionID = uuid.NewString() })},
		"a user who never was":         {403, "user_not_found", signed(t, f, ann, func(c *token.Claims) { c.Subject = uuid.NewString() })},
		"a subject that is no UUID":    {403, "bad_jwt", signed(t, f, ann, func(c *token.Claims) { c.Subject = "ann" })},
		"a refresh token for a bearer": {403, "bad_jwt", ann.Refresh},
	} {
		for _, route := range [][2]string{{"GET", "/user"}, {"PUT", "/user"}, {"POST", "/logout"}} {
			t.Run(route[0]+" "+route[1]+" with "+name, func(t *testing.T) {
				var body any
				if route[0] == "PUT" {
					body = m{"data": m{"hacked": true}}
				}
				var as flowtest.Option = func(*http.Request) {}
				switch {
				case c.token == f.A.Secret:
					as = flowtest.Key(c.token)
				case c.token != "":
					as = flowtest.User(c.token)
				}
				f.A.Do(t, route[0], route[1], body, as).WantError(c.status, c.code)
			})
		}
	}
	if res := f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).Want(200); strings.Contains(string(res.Raw), "hacked") {
		t.Errorf("somebody changed the user: %s", res.Raw)
	}
	f.Clock.Advance(time.Hour)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).WantError(403, "bad_jwt")
}

func splice(head, tail string) string {
	return head[:strings.LastIndexByte(head, '.')] + tail[strings.LastIndexByte(tail, '.'):]
}

// signed signs changed claims with the project's own key.
func signed(t *testing.T, f *flowtest.Fixture, s flowtest.Session, change func(*token.Claims)) string {
	t.Helper()
	return forge(t, f, s, jwt.SigningMethodES256, f.A.Tenant().SigningKeys[0].Private, change)
}

func forge(t *testing.T, f *flowtest.Fixture, s flowtest.Session, method jwt.SigningMethod, key any, change func(*token.Claims)) string {
	t.Helper()
	var claims token.Claims
	if _, _, err := jwt.NewParser().ParseUnverified(s.Access, &claims); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&claims)
	}
	unsigned := jwt.NewWithClaims(method, &claims)
	unsigned.Header["kid"] = f.A.Tenant().SigningKeys[0].ID
	out, err := unsigned.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUpdateData(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	put := func(body any) *flowtest.Response { return f.A.Do(t, "PUT", "/user", body, flowtest.User(ann.Access)) }
	put(m{"data": m{"a": 1, "b": m{"c": 2}}}).Want(200)
	res := put(m{"data": m{"a": nil, "d": "e"}}).Want(200)
	if _, there := res.Find("user_metadata.a"); there || res.Get("user_metadata.b.c") != "2" || res.Get("user_metadata.d") != "e" {
		t.Errorf("user %s", res.Raw)
	}
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
	}{
		"data a list":      {m{"data": []int{1}}, 400, "bad_json"},
		"data too large":   {m{"data": m{"x": strings.Repeat("x", 65<<10)}}, 400, "validation_failed"},
		"bad email":        {m{"email": "x"}, 400, "validation_failed"},
		"phone":            {m{"phone": "4670000001"}, 422, "phone_provider_disabled"},
		"weak password":    {m{"password": "123"}, 422, "weak_password"},
		"same password":    {m{"password": "password123"}, 422, "same_password"},
		"wrong current":    {m{"password": "password456", "current_password": "nope"}, 400, "current_password_invalid"},
		"half a challenge": {m{"email": "b@example.com", "code_challenge_method": "s256"}, 400, "validation_failed"},
		"app_metadata":     {m{"app_metadata": m{"role": "admin"}}, 403, "not_admin"},
	} {
		t.Run(name, func(t *testing.T) { put(c.body).WantError(c.status, c.code) })
	}
	// Members of app_metadata are not the user's to change.
	res = put(m{"role": "service_role", "ban_duration": "none", "id": uuid.NewString()}).Want(200)
	if res.Get("role") != "authenticated" || res.Get("app_metadata.role") != "" || res.Get("id") != ann.UserID {
		t.Errorf("user %s", res.Raw)
	}
}

func TestUpdatePassword(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	other := f.A.SignIn(t, "ann@example.com", "password123")
	f.A.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
	recovery := f.A.LinkQuery(t, f.A.Mail(t, "ann@example.com")).Get("token")
	f.A.Do(t, "PUT", "/user", m{"password": "password456", "current_password": "password123"}, flowtest.User(ann.Access)).Want(200)

	f.A.Do(t, "GET", "/user", nil, flowtest.User(ann.Access)).Want(200)
	f.A.Do(t, "GET", "/user", nil, flowtest.User(other.Access)).WantError(403, "session_not_found")
	f.A.Refresh(t, other.Refresh).WantError(400, "refresh_token_not_found")
	f.A.Refresh(t, ann.Refresh).Want(200)
	f.A.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": recovery}).WantError(403, "otp_expired")
	f.A.SignIn(t, "ann@example.com", "password456")
}

// A project may ask for the current password.
func TestCurrentPassword(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	f.A.Configure(func(c *tenants.Config) { c.CurrentPasswordForPassword = true })
	for name, p := range map[string]*flowtest.Project{"A": f.A, "B": f.B} { // of B it is not asked
		ann := p.SignUp(t, "ann@example.com", "password123")
		put := func(s flowtest.Session, body m) *flowtest.Response {
			return p.Do(t, "PUT", "/user", body, flowtest.User(s.Access))
		}
		if name == "B" {
			put(ann, m{"password": "password456"}).Want(200)
			continue
		}
		put(ann, m{"password": "password456"}).WantError(400, "current_password_required")
		put(ann, m{"password": "password456", "current_password": ""}).WantError(400, "current_password_required")
		put(ann, m{"password": "password456", "current_password": "nope"}).WantError(400, "current_password_invalid")
		put(ann, m{"data": m{"a": 1}}).Want(200)
		put(ann, m{"password": "password456", "current_password": "password123"}).Want(200)
		mailed := func() flowtest.Session {
			p.Do(t, "POST", "/recover", m{"email": "ann@example.com"}).Want(200)
			link := p.LinkQuery(t, p.Mail(t, "ann@example.com")).Get("token")
			f.Clock.Advance(time.Minute)
			return p.Do(t, "POST", "/verify", m{"type": "recovery", "token_hash": link}).Session()
		}
		put(mailed(), m{"password": "password789"}).Want(200)
		late := mailed()
		f.Clock.Advance(59 * time.Minute)
		late = p.Refresh(t, late.Refresh).Session()
		f.Clock.Advance(2 * time.Minute)
		put(late, m{"password": "password000"}).WantError(400, "current_password_required")
	}
	// A user without a password sets the first one.
	f.A.Admin(t, "POST", "/admin/users", m{"email": "bob@example.com", "email_confirm": true}).Want(200)
	f.A.Do(t, "POST", "/otp", m{"email": "bob@example.com"}).Want(200)
	bob := f.A.Do(t, "POST", "/verify", m{"type": "email", "email": "bob@example.com", "token": f.A.Mail(t, "bob@example.com").Code}).Session()
	f.A.Do(t, "PUT", "/user", m{"password": "password456"}, flowtest.User(bob.Access)).Want(200)
}

// Whoever has a session cannot find the password by current_password.
func TestCurrentPasswordGuesses(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	for _, p := range []*flowtest.Project{f.A, f.B} {
		ann := p.SignUp(t, "ann@example.com", "password123")
		try := func(current, from string) *flowtest.Response {
			return p.Do(t, "PUT", "/user", m{"password": "password456", "current_password": current}, flowtest.User(ann.Access), flowtest.From(from))
		}
		if p == f.B {
			try("password123", "192.0.2.1").Want(200)
			continue
		}
		for i := range 10 {
			try("wrong", fmt.Sprintf("198.51.100.%d", i)).WantError(400, "current_password_invalid")
		}
		try("password123", "192.0.2.1").WantError(429, "over_request_rate_limit")
		f.Clock.Advance(90 * time.Second)
		try("password123", "192.0.2.1").Want(200)
	}
}

func TestUpdateEmail(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.SignUp(t, "bob@example.com", "password123")
	f.A.EmptyOutbox(t)
	put := func(email string) *flowtest.Response {
		return f.A.Do(t, "PUT", "/user", m{"email": email}, flowtest.User(ann.Access))
	}
	put("BOB@example.com").WantError(422, "email_exists")
	if res := put("Ann@example.com").Want(200); res.Get("new_email") != "" || len(f.A.Mails(t)) != 0 {
		t.Errorf("the address that is there began a change: %s", res.Raw)
	}
	put("new@example.com").Want(200)
	put("newer@example.com").WantError(429, "over_email_send_rate_limit")
	f.Clock.Advance(time.Minute)
	put("newer@example.com").Want(200)
	f.Clock.Advance(time.Minute)
	f.A.Configure(autoconfirm)
	f.A.EmptyOutbox(t)
	if res := put("newest@example.com").Want(200); res.Get("email") != "ann@example.com" || res.Get("new_email") != "newest@example.com" {
		t.Errorf("with autoconfirm: %s", res.Raw)
	}
	for _, to := range []string{"newest@example.com", "ann@example.com"} { // secure change does not depend on autoconfirm
		link := f.A.LinkQuery(t, f.A.Mail(t, to)).Get("token")
		f.A.Do(t, "POST", "/verify", m{"type": "email_change", "token_hash": link}).Want(200)
	}
	f.A.SignIn(t, "newest@example.com", "password123")
	if got := flowtest.One[string](t, f.A, "SELECT email FROM auth.identities WHERE user_id = $1", ann.UserID); got != "newest@example.com" {
		t.Errorf("the identity has %s", got)
	}
}

func TestUpdateNeedsSecondFactor(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, autoconfirm)
	ann := f.A.SignUp(t, "ann@example.com", "password123")
	f.A.Exec(t, `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
		VALUES ($1, $2, 'totp', 'verified', now(), now())`, uuid.New(), ann.UserID)
	for _, body := range []m{{"password": "password456"}, {"email": "new@example.com"}} {
		f.A.Do(t, "PUT", "/user", body, flowtest.User(ann.Access)).WantError(401, "insufficient_aal")
	}
	f.A.Do(t, "PUT", "/user", m{"data": m{"a": 1}}, flowtest.User(ann.Access)).Want(200)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][3]bool{ // who is still signed in: oneself, another session, another user
		"":              {false, false, true},
		"?scope=global": {false, false, true},
		"?scope=local":  {false, true, true},
		"?scope=others": {true, false, true},
	} {
		t.Run("logout"+query, func(t *testing.T) {
			t.Parallel()
			f := flowtest.New(t, autoconfirm)
			sessions := []flowtest.Session{
				f.A.SignUp(t, "ann@example.com", "password123"), f.A.SignIn(t, "ann@example.com", "password123"),
				f.A.SignUp(t, "bob@example.com", "password123"),
			}
			f.A.Do(t, "POST", "/logout?scope=what", nil, flowtest.User(sessions[0].Access)).WantError(400, "validation_failed")
			res := f.A.Do(t, "POST", "/logout"+query, nil, flowtest.User(sessions[0].Access)).Want(204)
			if len(res.Raw) != 0 {
				t.Errorf("body %s", res.Raw)
			}
			for i, s := range sessions {
				user, refresh := f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)), f.A.Refresh(t, s.Refresh)
				if want[i] {
					user.Want(200)
					refresh.Want(200)
				} else {
					user.WantError(403, "session_not_found")
					refresh.WantError(400, "refresh_token_not_found")
				}
			}
		})
	}
}

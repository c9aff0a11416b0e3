package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// profileSession is a session as GET /v1/profile/sessions shows it.
type profileSession struct {
	ID        string `json:"id"`
	Current   bool   `json:"current"`
	IP        string `json:"ip"`
	CreatedAt string `json:"created_at"`
}

// page sends requests of a page in which somebody is signed in.
func page(t *testing.T, reeve *servertest.Reeve, cookie string) func(method, path string, body any) *servertest.Answer {
	t.Helper()
	return func(method, path string, body any) *servertest.Answer {
		t.Helper()
		return reeve.Do(t, method, path, body, fromPage("Cookie", cookie)...)
	}
}

// TestAccount: a person with cookies changes their account by the rules of the
// platform project, and no token does.
func TestAccount(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := platform(t, reeve)
	runPlatform(t, reeve)
	p.Configure(t, map[string]any{"security_update_password_require_current_password": true, "rate_limit_otp": 1000, "smtp_max_frequency": 0, "mailer_verify_on_get": true})
	developer(t, p, "dev@example.com")
	developer(t, p, "eve@example.com")
	signIn := func(email, password string) (string, servertest.Session) {
		s := p.SignIn(t, email, password)
		access, _ := browserOf(t, reeve, s)
		return access, s
	}
	access, _ := signIn("dev@example.com", "correct horse battery")
	mine := page(t, reeve, access)
	evesCookie, _ := signIn("eve@example.com", "correct horse battery")
	eve := page(t, reeve, evesCookie)
	token := mine(http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "CI"}).Expect(t, 201).JSON(t)["token"].(string)

	// No token changes an account, not even the person's own.
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{http.MethodPatch, "/v1/profile", map[string]any{"name": "x"}},
		{http.MethodGet, "/v1/profile/sessions", nil},
		{http.MethodDelete, "/v1/profile/sessions", nil},
		{http.MethodDelete, "/v1/profile/sessions/" + uuid.NewString(), nil},
		{http.MethodPost, "/v1/profile/password", map[string]any{"password": "of a thief"}},
		{http.MethodPost, "/v1/profile/email", map[string]any{"email": "thief@example.com"}},
		{http.MethodPost, "/v1/profile/reauthenticate", nil},
	} {
		wantCode(t, reeve.Do(t, c.method, c.path, c.body, "Authorization", "Bearer "+token), "403 session_required")
		wantCode(t, reeve.Do(t, c.method, c.path, c.body), "401 unauthorized")
	}

	if got := mine(http.MethodPatch, "/v1/profile", map[string]any{"name": "  Dev Eloper "}).Expect(t, 200).JSON(t); got["name"] != "Dev Eloper" || got["operator"] != false {
		t.Errorf("profile: %v", got)
	}
	if got := mine(http.MethodGet, "/v1/profile", nil).Expect(t, 200).JSON(t); got["name"] != "Dev Eloper" || got["primary_email"] != "dev@example.com" {
		t.Errorf("profile: %v", got)
	}
	for _, body := range []any{map[string]any{}, map[string]any{"name": strings.Repeat("x", 257)}, map[string]any{"name": "a\u202eb"}, map[string]any{"email": "x@example.com"}} {
		wantCode(t, mine(http.MethodPatch, "/v1/profile", body), "400 validation_failed")
	}

	// Sessions: this one is marked; another person's does not exist.
	list := func(as func(string, string, any) *servertest.Answer) (out []profileSession) {
		t.Helper()
		as(http.MethodGet, "/v1/profile/sessions", nil).Expect(t, 200).Into(t, &out)
		return out
	}
	secondCookie, _ := signIn("dev@example.com", "correct horse battery")
	second := page(t, reeve, secondCookie)
	current := func(list []profileSession) (id string) {
		for _, s := range list {
			if s.Current {
				id += s.ID
			}
			if s.CreatedAt == "" || s.IP == "" {
				t.Errorf("session %+v", s)
			}
		}
		return id
	}
	here, there := current(list(mine)), current(list(second))
	if here == there || len(here) != 36 || len(there) != 36 {
		t.Fatalf("current sessions: %q %q", here, there)
	}
	for _, id := range []string{current(list(eve)), uuid.NewString(), "x"} {
		wantCode(t, mine(http.MethodDelete, "/v1/profile/sessions/"+id, nil), "404 session_not_found")
	}
	list(eve)
	mine(http.MethodDelete, "/v1/profile/sessions/"+there, nil).Expect(t, 200)
	second(http.MethodGet, "/v1/profile", nil).Expect(t, 401)
	thirdCookie, _ := signIn("dev@example.com", "correct horse battery")
	third := page(t, reeve, thirdCookie)
	mine(http.MethodDelete, "/v1/profile/sessions", nil).Expect(t, 200)
	third(http.MethodGet, "/v1/profile", nil).Expect(t, 401)
	if n := len(list(mine)); n != 1 {
		t.Errorf("%d sessions are left", n)
	}

	// The password, by the project's rules.
	fourthCookie, _ := signIn("dev@example.com", "correct horse battery")
	change := func(body map[string]any) *servertest.Answer {
		return mine(http.MethodPost, "/v1/profile/password", body)
	}
	for name, c := range map[string]struct {
		body map[string]any
		want string
	}{
		"no current":    {map[string]any{"password": "another horse battery"}, "400 current_password_required"},
		"wrong current": {map[string]any{"password": "another horse battery", "current_password": "x"}, "400 current_password_invalid"},
		"weak":          {map[string]any{"password": "x", "current_password": "correct horse battery"}, "422 weak_password"},
		"the same":      {map[string]any{"password": "correct horse battery", "current_password": "correct horse battery"}, "422 same_password"},
		"none":          {map[string]any{"current_password": "correct horse battery"}, "400 validation_failed"},
		"too long":      {map[string]any{"password": strings.Repeat("x", 73), "current_password": "correct horse battery"}, "400 validation_failed"},
	} {
		if got := change(c.body); refusedAs(got) != c.want {
			t.Errorf("%s: %d %s, want %s", name, got.Status, got.Body, c.want)
		}
	}
	change(map[string]any{"password": "another horse battery", "current_password": "correct horse battery"}).Expect(t, 200)
	mine(http.MethodGet, "/v1/profile", nil).Expect(t, 200)
	page(t, reeve, fourthCookie)(http.MethodGet, "/v1/profile", nil).Expect(t, 401)
	p.SignIn(t, "dev@example.com", "another horse battery")

	// The address, once the mailed links were opened.
	wantCode(t, mine(http.MethodPost, "/v1/profile/email", map[string]any{"email": "no"}), "400 validation_failed")
	wantCode(t, mine(http.MethodPost, "/v1/profile/email", map[string]any{"email": "dev@example.com"}), "400 validation_failed")
	wantCode(t, mine(http.MethodPost, "/v1/profile/email", map[string]any{"email": "eve@example.com"}), "422 email_exists")
	mine(http.MethodPost, "/v1/profile/email", map[string]any{"email": "new@example.com"}).Expect(t, 200)
	for _, to := range []string{"dev@example.com", "new@example.com"} {
		u, err := url.Parse(p.Inbox(t, to, 1)[0].Links[0])
		if err != nil {
			t.Fatal(err)
		}
		got := reeve.Do(t, http.MethodGet, u.Path+"?"+u.RawQuery, nil, "Host", u.Host)
		if !strings.HasPrefix(got.Header.Get("Location"), "http://reeve.test") {
			t.Errorf("the link to %s leads to %q: %d %s", to, got.Header.Get("Location"), got.Status, got.Body)
		}
	}
	if got := mine(http.MethodGet, "/v1/profile", nil).Expect(t, 200).JSON(t); got["primary_email"] != "new@example.com" {
		t.Errorf("profile: %v", got)
	}
	mine(http.MethodPost, "/v1/profile/reauthenticate", nil).Expect(t, 200)
	if mail := p.Inbox(t, "new@example.com", 2)[0]; mail.Code == "" {
		t.Errorf("no nonce was mailed: %+v", mail)
	}
	eve(http.MethodGet, "/v1/profile", nil).Expect(t, 200)
}

package verify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

const verifier = "a-code-verifier-of-at-least-forty-three-characters"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// code signs up with PKCE, follows the link and returns the redirect's code.
func code(t *testing.T, p *flowtest.Project, email, value, method string) string {
	t.Helper()
	p.Do(t, "POST", "/signup?redirect_to="+url.QueryEscape("http://localhost:3000/cb?next=1"), m{
		"email": email, "password": "password123", "code_challenge": value, "code_challenge_method": method,
	}).Want(200)
	q := p.LinkQuery(t, p.Mail(t, email))
	if !strings.HasPrefix(q.Get("token"), "pkce_") {
		t.Errorf("token %q has no prefix", q.Get("token"))
	}
	to := p.Do(t, "GET", "/verify?"+q.Encode(), nil, flowtest.Key("")).Location()
	if to.Fragment != "" || to.Query().Get("next") != "1" || to.Query().Get("code") == "" || to.Host+to.Path != "localhost:3000/cb" {
		t.Fatalf("the link leads to %s", to)
	}
	return to.Query().Get("code")
}

func exchange(t *testing.T, p *flowtest.Project, code, verifier string) *flowtest.Response {
	t.Helper()
	return p.Do(t, "POST", "/token?grant_type=pkce", m{"auth_code": code, "code_verifier": verifier})
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	for email, c := range map[string][2]string{"a@example.com": {challenge(), "s256"}, "b@example.com": {challenge(), "S256"}, "c@example.com": {verifier, "plain"}} {
		got := code(t, f.A, email, c[0], c[1])
		exchange(t, f.A, got, strings.Repeat("w", 50)).WantError(400, "bad_code_verifier")
		exchange(t, f.A, got, "").WantError(400, "validation_failed")
		exchange(t, f.A, "", verifier).WantError(400, "validation_failed")
		exchange(t, f.B, got, verifier).WantError(404, "flow_state_not_found")
		s := exchange(t, f.A, got, verifier).Session()
		f.A.Do(t, "GET", "/user", nil, flowtest.User(s.Access)).Want(200)
		exchange(t, f.A, got, verifier).WantError(404, "flow_state_not_found") // once
	}
	exchange(t, f.A, "88a918f9-9d6e-40a1-b138-aeb51eb58648", verifier).WantError(404, "flow_state_not_found")
}

// TestPKCECodeIsNotStored: nothing that the project's developers can read in the table
// of exchanges is a code.
func TestPKCECodeIsNotStored(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	got := code(t, f.A, "p@example.com", challenge(), "s256")
	row := flowtest.One[string](t, f.A, "SELECT row_to_json(f)::text FROM auth.flow_state f")
	if strings.Contains(row, got) {
		t.Errorf("the row has the code: %s", row)
	}
	var columns map[string]any
	if err := json.Unmarshal([]byte(row), &columns); err != nil {
		t.Fatal(err)
	}
	for _, value := range columns {
		if text, ok := value.(string); ok && text != "" {
			exchange(t, f.A, text, verifier).WantError(404, "flow_state_not_found")
		}
	}
	if columns["auth_code"] == nil {
		t.Error("no digest is stored")
	}
	exchange(t, f.A, got, verifier).Session()
}

func TestPKCECodeExpires(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	got := code(t, f.A, "p@example.com", challenge(), "s256")
	f.Clock.Advance(5*time.Minute + time.Second)
	exchange(t, f.A, got, verifier).WantError(422, "flow_state_expired")
	exchange(t, f.A, got, verifier).WantError(404, "flow_state_not_found")
}

func TestPKCEOfUserWhoWasBannedOrDeleted(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	got := code(t, f.A, "p@example.com", challenge(), "s256")
	f.A.Exec(t, "UPDATE auth.users SET banned_until = $1", f.Clock.Now().Add(time.Hour))
	exchange(t, f.A, got, verifier).WantError(400, "user_banned")
	f.A.Exec(t, "DELETE FROM auth.users")
	exchange(t, f.A, got, verifier).WantError(404, "flow_state_not_found")
}

// Refusals of a PKCE link are in the query too, where the app looks.
func TestPKCELinkRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	to := f.A.Do(t, "GET", "/verify?type=signup&token=pkce_0000", nil, flowtest.Key("")).Location()
	if to.Query().Get("error_code") != "otp_expired" || !strings.Contains(to.Fragment, "error_code=otp_expired") {
		t.Errorf("the link leads to %s", to)
	}
}

// A recovery link and a change of address also continue with a code.
func TestPKCEForOtherLinks(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	s := f.A.SignUp(t, "p@example.com", "password123")
	f.A.EmptyOutbox(t)
	with := func(body m) m {
		body["code_challenge"], body["code_challenge_method"] = challenge(), "s256"
		return body
	}
	open := func(to string) *url.URL {
		q := f.A.LinkQuery(t, f.A.Mail(t, to))
		return f.A.Do(t, "GET", "/verify?"+q.Encode(), nil, flowtest.Key("")).Location()
	}
	f.A.Do(t, "POST", "/recover", with(m{"email": "p@example.com"})).Want(200)
	exchange(t, f.A, open("p@example.com").Query().Get("code"), verifier).Session()

	f.A.EmptyOutbox(t)
	f.A.Do(t, "PUT", "/user", with(m{"email": "new@example.com"}), flowtest.User(s.Access)).Want(200)
	if to := open("p@example.com"); !strings.Contains(to.Fragment, "message=") {
		t.Errorf("the first half leads to %s", to)
	}
	exchange(t, f.A, open("new@example.com").Query().Get("code"), verifier).Session()
	f.A.SignIn(t, "new@example.com", "password123")
}

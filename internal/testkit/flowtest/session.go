package flowtest

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// Session is the answer to a sign-in.
type Session struct {
	Access, Refresh string
	UserID          string
}

// Session reads the session in an answer, which must have one.
func (r *Response) Session() Session {
	r.tb.Helper()
	r.Want(200)
	s := Session{Access: r.Get("access_token"), Refresh: r.Get("refresh_token"), UserID: r.Get("user.id")}
	if s.Access == "" || s.Refresh == "" || s.UserID == "" {
		r.tb.Fatalf("%s: no session: %s", r.request, r.Raw)
	}
	return s
}

// SignUp registers a user, confirms the address from the mail if needed, and
// returns the session.
func (p *Project) SignUp(tb testing.TB, email, password string) Session {
	tb.Helper()
	res := p.Do(tb, "POST", "/signup", M{"email": email, "password": password}).Want(200)
	if res.Get("access_token") != "" {
		return res.Session()
	}
	token := p.LinkQuery(tb, p.Mail(tb, email)).Get("token")
	return p.Do(tb, "POST", "/verify", M{"type": "signup", "token_hash": token}).Session()
}

// SignIn uses the password grant.
func (p *Project) SignIn(tb testing.TB, email, password string) Session {
	tb.Helper()
	return p.Do(tb, "POST", "/token?grant_type=password", M{"email": email, "password": password}).Session()
}

// Refresh uses the refresh_token grant.
func (p *Project) Refresh(tb testing.TB, token string) *Response {
	tb.Helper()
	return p.Do(tb, "POST", "/token?grant_type=refresh_token", M{"refresh_token": token})
}

// Claims reads the claims of an access token without verifying it.
func Claims(tb testing.TB, access string) M {
	tb.Helper()
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		tb.Fatalf("no JWT: %q", access)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		tb.Fatal(err)
	}
	var claims M
	if err := json.Unmarshal(raw, &claims); err != nil {
		tb.Fatal(err)
	}
	return claims
}

package server_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// opened verifies an access token as a third party does, with the published
// keys, and returns its claims.
func opened(t *testing.T, p *servertest.Project, access string) map[string]any {
	t.Helper()
	var set jose.JSONWebKeySet
	p.Reeve.Do(t, http.MethodGet, p.Auth("/.well-known/jwks.json"), nil).Expect(t, http.StatusOK).Into(t, &set)
	signed, err := jose.ParseSignedCompact(access, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	header := signed.Signatures[0].Protected
	keys := set.Key(header.KeyID)
	if len(keys) != 1 || header.ExtraHeaders[jose.HeaderType] != "JWT" {
		t.Fatalf("header %+v names %d published keys", header, len(keys))
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// claimsShape are the claims of an access token of the project, of a session
// that began by the method.
func claimsShape(p *servertest.Project, meta, method string) string {
	return `{iss =` + p.URL + `/auth/v1, sub uuid, aud =authenticated, exp number, iat number, email text, phone =,
		app_metadata {provider =email, providers [=email]}, user_metadata {` + meta + `}, role =authenticated, aal =aal1,
		amr [{method =` + method + `, timestamp number}], session_id uuid, is_anonymous false}`
}

// signedInBy are the ways to a session, with the method in amr.
var signedInBy = []struct {
	way, meta, method string
	on                func(w *world) *testProject
	ask               func(c *call) *servertest.Answer
}{
	{"password", adminMeta, "password", onAuto, func(c *call) *servertest.Answer {
		return passwordGrant(c, c.auto, c.somebody(c.auto).User.Email, goodPassword)
	}},
	{"signup with autoconfirm", goodMeta, "password", onAuto, signUp(onAuto, nil)},
	{"code of a signup", goodMeta, "otp", onMail, signupCode("signup")},
	{"code of a recovery", adminMeta, "otp", onMail, recoveryCode("recovery")},
	{"PKCE", goodMeta, "email/signup", onMail, func(c *call) *servertest.Answer {
		_, code := authCode(c)
		return exchange(c, code, verifier)
	}},
	{"password, then refresh", adminMeta, "password", onAuto, func(c *call) *servertest.Answer {
		return refreshGrant(c, c.auto, turned(c, c.auto, 1)[1])
	}},
}

func testClaims(t *testing.T, w *world) {
	for _, by := range signedInBy {
		t.Run(by.way, func(t *testing.T) {
			t.Parallel()
			p := by.on(w)
			var s struct {
				servertest.Session
				ExpiresAt float64 `json:"expires_at"`
			}
			by.ask(&call{T: t, world: w}).Expect(t, http.StatusOK).Into(t, &s)
			claims := opened(t, p, s.AccessToken)
			mustHave(t, "claims", claimsShape(p, by.meta, by.method), any(claims))
			if claims["sub"] != s.User.ID || claims["email"] != s.User.Email {
				t.Errorf("the token is of %v, the session of %v", claims["sub"], s.User)
			}
			exp, iat := claims["exp"].(float64), claims["iat"].(float64)
			if exp != s.ExpiresAt || exp-iat != 3600 {
				t.Errorf("exp %f, iat %f, expires_at %f", exp, iat, s.ExpiresAt)
			}
		})
	}
}

// testCodeLength checks that a mailed code has the project's length.
func testCodeLength(t *testing.T, w *world) {
	for _, length := range []int{6, 8, 10} {
		p := w.reeve.Project(t, "codes", jsonObject{"mailer_otp_length": length})
		c := &call{T: t, world: w}
		email := c.waiting(p)
		code := p.Inbox(t, email, 1)[0].Code
		if len(code) != length || !digitsForm.MatchString(code) {
			t.Errorf("code %q, want %d digits", code, length)
		}
		p.Do(t, http.MethodPost, "/verify", jsonObject{"type": "signup", "email": email, "token": code}).Expect(t, http.StatusOK)
	}
}

// testAPIVersion checks that only a date from 2024 on changes the shape of
// errors.
func testAPIVersion(t *testing.T, w *world) {
	for version, dated := range map[string]bool{
		"2024-01-01": true, "2025-06-30": true, "2023-12-31": false, "": false, "latest": false, "2024": false, "2024-13-01": false,
	} {
		a := w.mail.Do(t, http.MethodGet, "/user", nil, "X-Supabase-Api-Version", version).Expect(t, http.StatusUnauthorized)
		if _, is := a.JSON(t)["message"]; is != dated {
			t.Errorf("version %q: %s", version, a.Body)
		}
		if echo := a.Header.Get("X-Supabase-Api-Version"); (echo == "2024-01-01") != dated {
			t.Errorf("version %q is echoed as %q", version, echo)
		}
	}
}

// testLowerCase checks that an address is stored in lower case, in the user and
// in the identity.
func testLowerCase(t *testing.T, w *world) {
	var u struct {
		Email      string
		Identities []struct{ Email string }
	}
	w.mail.Do(t, http.MethodPost, "/signup", jsonObject{"email": " Ann.Lee@Example.COM", "password": goodPassword}).
		Expect(t, http.StatusOK).Into(t, &u)
	if u.Email != "ann.lee@example.com" || u.Identities[0].Email != u.Email {
		t.Errorf("signed up as %+v", u)
	}
}

package server_test

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// hmacKey is an imported HS256 key, so that a test can sign with it.
type hmacKey struct {
	kid string
	key []byte
}

func importSecret(t *testing.T, p *servertest.Project, status string) hmacKey {
	t.Helper()
	s := hmacKey{kid: uuid.NewString(), key: make([]byte, 32)}
	_, _ = rand.Read(s.key)
	p.Reeve.Manage(t, http.MethodPost, "/v1/projects/"+p.Ref+"/config/auth/signing-keys", jsonObject{
		"algorithm": "HS256", "status": status, "private_jwk": jsonObject{
			"kty": "oct", "alg": "HS256", "kid": s.kid, "k": base64.RawURLEncoding.EncodeToString(s.key),
		},
	}).Expect(t, http.StatusCreated)
	return s
}

// revokeOthers revokes the keys that are not in use and waits until they have
// left the key set.
func revokeOthers(t *testing.T, p *servertest.Project) {
	t.Helper()
	path := "/v1/projects/" + p.Ref + "/config/auth/signing-keys"
	var list struct {
		Keys []struct{ ID, Status string }
	}
	p.Reeve.Manage(t, http.MethodGet, path, nil).Expect(t, http.StatusOK).Into(t, &list)
	for _, k := range list.Keys {
		if k.Status != "in_use" {
			p.Reeve.Manage(t, http.MethodPatch, path+"/"+k.ID, jsonObject{"status": "revoked"}).Expect(t, http.StatusOK)
		}
	}
	until(t, "the keys are revoked", func() bool {
		keys := p.Do(t, http.MethodGet, "/.well-known/jwks.json", nil).Expect(t, http.StatusOK).JSON(t)["keys"]
		return len(keys.([]any)) == 0
	})
}

// token signs an access token of the project.
func (s hmacKey) tokenGrant(t *testing.T, p *servertest.Project, user, session string, expires time.Time) string {
	t.Helper()
	unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": p.URL + "/auth/v1", "sub": user, "aud": "authenticated", "role": "authenticated", "aal": "aal1",
		"session_id": session, "iat": time.Now().Add(-2 * time.Hour).Unix(), "exp": expires.Unix(),
	})
	unsigned.Header["kid"] = s.kid
	signed, err := unsigned.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// sessionOf reads the session's id from an access token.
func sessionOf(t *testing.T, access string) string {
	t.Helper()
	var claims struct {
		jwt.RegisteredClaims
		SessionID string `json:"session_id"`
	}
	if _, _, err := jwt.NewParser().ParseUnverified(access, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.SessionID
}

// until waits until a condition holds that other goroutines cause.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("it does not come about that %s", what)
}

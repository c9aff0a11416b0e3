package server_test

import (
	"net/http"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestSignUpToSignOut is a minimal path through all parts.
func TestSignUpToSignOut(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p := reeve.Project(t, "thin", nil)

	user := p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "Ann@Example.com", "password": "password123", "data": map[string]any{"nick": "n"}}).
		Expect(t, http.StatusOK).JSON(t)
	if user["email"] != "ann@example.com" || user["access_token"] != nil {
		t.Fatalf("sign-up answered %v", user)
	}
	p.Do(t, http.MethodPost, "/token?grant_type=password", map[string]any{"email": "ann@example.com", "password": "password123"}).
		Refused(t, http.StatusBadRequest, "email_not_confirmed")

	mail := p.Inbox(t, "ann@example.com", 1)[0]
	var s servertest.Session
	p.Do(t, http.MethodPost, "/verify", map[string]any{"type": "signup", "email": "ann@example.com", "token": mail.Code}).
		Expect(t, http.StatusOK).Into(t, &s)
	p.Do(t, http.MethodPost, "/verify", map[string]any{"type": "signup", "token_hash": mail.LinkToken(t)}).
		Refused(t, http.StatusForbidden, "otp_expired")

	s = p.SignIn(t, "ann@example.com", "password123")
	p.As(t, s.AccessToken, http.MethodGet, "/user", nil).Expect(t, http.StatusOK)
	var next servertest.Session
	p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": s.RefreshToken}).
		Expect(t, http.StatusOK).Into(t, &next)
	p.As(t, next.AccessToken, http.MethodPost, "/logout", nil).Expect(t, http.StatusNoContent)
	p.As(t, next.AccessToken, http.MethodGet, "/user", nil).Refused(t, http.StatusForbidden, "session_not_found")
	p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": next.RefreshToken}).
		Refused(t, http.StatusBadRequest, "refresh_token_not_found")
}

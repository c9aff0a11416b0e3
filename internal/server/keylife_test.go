package server_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/reevehq/reeve/internal/server/servertest"
)

// replicas is a project served by two processes.
type replicas struct {
	*servertest.Project
	all []*servertest.Reeve
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	first := servertest.Start(t)
	return &replicas{Project: first.Project(t, "replicated", nil), all: []*servertest.Reeve{first, first.Replica(t)}}
}

// everywhere waits until every replica gives this answer.
func (r *replicas) everywhere(t *testing.T, what string, status int, method, path string, headers ...string) {
	t.Helper()
	for _, reeve := range r.all {
		eventually(t, what, func() bool { return reeve.Do(t, method, r.Auth(path), nil, headers...).Status == status })
	}
}

func (r *replicas) manage(t *testing.T, method, path string, body any) *servertest.Answer {
	t.Helper()
	return r.Reeve.Manage(t, method, "/v1/projects/"+r.Ref+path, body)
}

// TestDeletedKey: every replica refuses a key that was deleted through one of
// them.
func TestDeletedKey(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	made := r.manage(t, http.MethodPost, "/api-keys?reveal=true", map[string]any{"type": "secret", "name": "short_lived"}).Expect(t, 201).JSON(t)
	key := made["api_key"].(string)
	r.everywhere(t, "the new key works", 200, http.MethodGet, "/admin/users", "apikey", key)
	r.manage(t, http.MethodDelete, "/api-keys/"+made["id"].(string), nil).Expect(t, 200)
	r.everywhere(t, "the deleted key is refused", 401, http.MethodGet, "/admin/users", "apikey", key)
	for _, reeve := range r.all {
		refused(t, reeve.Do(t, http.MethodGet, "/auth/v1/settings", nil, "apikey", key), "bare", 401, "invalid_api_key")
	}
	r.everywhere(t, "the other keys work", 200, http.MethodGet, "/admin/users", "apikey", r.SecretKey)
}

// TestLegacyKeysOff: the switch takes effect on every replica.
func TestLegacyKeysOff(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	l := &loot{Project: r.Project}
	l.legacyKeys(t)
	for _, key := range []string{l.anon, l.service} {
		r.everywhere(t, "a legacy key works", 200, http.MethodGet, "/settings", "apikey", key)
	}
	r.manage(t, http.MethodPut, "/api-keys/legacy?enabled=false", nil).Expect(t, 200)
	for _, key := range []string{l.anon, l.service} {
		r.everywhere(t, "a legacy key is refused", 401, http.MethodGet, "/settings", "apikey", key)
	}
}

// TestRevokedSigningKey: after rotation earlier tokens stay valid, after
// revocation they do not, on every replica, whatever it has cached.
func TestRevokedSigningKey(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	s := r.SignUp(t, annEmail, annPassword)
	as := []string{"apikey", r.PublishableKey, "Authorization", "Bearer " + s.AccessToken}
	r.everywhere(t, "the token is good", 200, http.MethodGet, "/user", as...)
	_, old := ids(t, r.Reeve, r.Ref)
	r.manage(t, http.MethodPost, "/config/auth/signing-keys", map[string]any{"algorithm": "ES256", "status": "in_use"}).Expect(t, 201)
	var fresh servertest.Session
	eventually(t, "the new key signs", func() bool {
		r.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": s.RefreshToken}).Expect(t, 200).Into(t, &fresh)
		s.RefreshToken = fresh.RefreshToken
		return keyID(t, fresh.AccessToken) != keyID(t, s.AccessToken)
	})
	r.everywhere(t, "the old token is still good", 200, http.MethodGet, "/user", as...)
	r.manage(t, http.MethodPatch, "/config/auth/signing-keys/"+old, map[string]any{"status": "revoked"}).Expect(t, 200)
	r.everywhere(t, "the old token is refused", 403, http.MethodGet, "/user", as...)
	r.everywhere(t, "the new token is good", 200, http.MethodGet, "/user", "apikey", r.PublishableKey, "Authorization", "Bearer "+fresh.AccessToken)
	for _, reeve := range r.all {
		jwks := reeve.Do(t, http.MethodGet, r.Auth("/.well-known/jwks.json"), nil).Expect(t, 200)
		if bytes.Contains(jwks.Body, []byte(keyID(t, s.AccessToken))) || !bytes.Contains(jwks.Body, []byte(keyID(t, fresh.AccessToken))) {
			t.Errorf("JWKS: %s", jwks.Body)
		}
	}
}

func keyID(t *testing.T, token string) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Header["kid"].(string)
}

// afterwards are the routes that a paused project answers.
var afterwards = []string{"/.well-known/jwks.json", "/.well-known/openid-configuration"}

// TestPausedAndDeleted: a paused project answers 503 at every route but those by
// which its tokens are verified, a restored one works as before, a deleted one is
// unknown.
func TestPausedAndDeleted(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	s := r.SignUp(t, annEmail, annPassword)
	r.everywhere(t, "it works", 200, http.MethodGet, "/settings", "apikey", r.PublishableKey)
	if got := r.manage(t, http.MethodPost, "/pause", nil).Expect(t, 200).JSON(t)["status"]; got != "INACTIVE" {
		t.Errorf("paused: %v", got)
	}
	r.everywhere(t, "it is paused", 503, http.MethodGet, "/settings", "apikey", r.PublishableKey)
	for _, reeve := range r.all {
		for _, route := range tenantRoutes {
			a := reeve.Do(t, route.method, r.Auth(route.at()), route.sample(), "apikey", r.SecretKey)
			if slices.Contains(afterwards, route.path) {
				a.Expect(t, 200)
				continue
			}
			refused(t, a, route.String(), 503, "project_paused")
			if a.Header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", route)
			}
		}
	}
	if got := r.manage(t, http.MethodPost, "/restore", nil).Expect(t, 200).JSON(t)["status"]; got != "ACTIVE_HEALTHY" {
		t.Errorf("restored: %v", got)
	}
	as := []string{"apikey", r.PublishableKey, "Authorization", "Bearer " + s.AccessToken}
	r.everywhere(t, "it is restored", 200, http.MethodGet, "/user", as...)
	r.manage(t, http.MethodDelete, "", nil).Expect(t, 200)
	r.everywhere(t, "it is gone", 404, http.MethodGet, "/user", as...)
	for _, reeve := range r.all {
		for _, route := range tenantRoutes {
			a := reeve.Do(t, route.method, r.Auth(route.at()), route.sample(), "apikey", r.SecretKey)
			refused(t, a, route.String(), 404, "project_not_found")
			a = reeve.Do(t, route.method, "/auth/v1"+route.at(), route.sample(), "apikey", r.SecretKey)
			refused(t, a, "bare "+route.String(), 401, "invalid_api_key")
		}
	}
}

// TestReplicasDoNotRevealUsers: limits are counted per process, so requests to one
// replica after the other must not reveal which addresses have users.
func TestReplicasDoNotRevealUsers(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	r.Configure(t, map[string]any{"smtp_max_frequency": 3600})
	r.Admin(t, http.MethodPost, "/admin/users", map[string]any{"email": "known@example.com", "email_confirm": true}).Expect(t, 200)
	for i, reeve := range r.all {
		eventually(t, "the setting acts", func() bool { return reeve.Server.Sees(r.Ref, map[string]any{"smtp_max_frequency": 3600}) })
		for _, email := range []string{"known@example.com", "unknown@example.com"} {
			ask := func() *servertest.Answer {
				return reeve.Do(t, http.MethodPost, r.Auth("/recover"), map[string]any{"email": email}, "apikey", r.PublishableKey)
			}
			ask().Expect(t, 200)
			if again := ask(); again.Status != http.StatusTooManyRequests {
				t.Errorf("replica %d, %s again: %d", i, email, again.Status)
			}
		}
	}
	if n := len(r.Inbox(t, "known@example.com", 1)); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// TestOldKeySet: who names the tag of the present key set is answered without it, at
// any replica, and who names an old one is given the present set and noted.
func TestOldKeySet(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	other := r.Reeve.Project(t, "other", nil)
	const path = "/.well-known/jwks.json"
	first := r.all[0].Do(t, http.MethodGet, r.Auth(path), nil).Expect(t, 200)
	tag := first.Header.Get("ETag")
	for _, reeve := range r.all {
		for _, named := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			same := reeve.Do(t, http.MethodGet, r.Auth(path), nil, "If-None-Match", named).Expect(t, 304)
			if len(same.Body) != 0 || same.Header.Get("Cache-Control") != first.Header.Get("Cache-Control") || same.Header.Get("ETag") == "" {
				t.Errorf("%s: %v %s", named, same.Header, same.Body)
			}
		}
	}
	r.Do(t, http.MethodGet, path, nil, "If-None-Match", `"x"`).Expect(t, 200)
	other.Do(t, http.MethodGet, path, nil).Expect(t, 200)
	r.manage(t, http.MethodPost, "/config/auth/signing-keys/rotation/advance", map[string]any{"step": "publish"}).Expect(t, 200)
	r.everywhere(t, "the old tag gets the new set", 200, http.MethodGet, path, "If-None-Match", tag)
	db := r.Reeve.Control(t)
	eventually(t, "the request is noted", func() bool {
		var agents, projects int
		err := db.Pool().QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE ref = $1 AND tag = $2) FROM old_key_sets`, r.Ref, tag[1:len(tag)-1]).
			Scan(&agents, &projects)
		return err == nil && agents == 1 && projects == 1
	})
}

package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// foreignIssuer is an OpenID provider that has nothing to do with Reeve.
type foreignIssuer struct {
	*connectortest.Signer
	url string
}

func newForeignIssuer(t *testing.T) foreignIssuer {
	t.Helper()
	i := foreignIssuer{Signer: connectortest.NewSigner(t, "k1", jose.ES256)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]any{
				"issuer": i.url, "authorization_endpoint": i.url + "/authorize", "token_endpoint": i.url + "/token", "jwks_uri": i.url + "/keys",
			})
		case "/keys":
			_, _ = w.Write([]byte(connectortest.KeySet(i.JWK(nil))))
		default:
			w.WriteHeader(404)
		}
	}))
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

func (i foreignIssuer) token(t *testing.T, more map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": i.url, "sub": "user_2abc", "aud": "shop", "role": "authenticated",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range more {
		if value == nil {
			delete(claims, name)
			continue
		}
		claims[name] = value
	}
	return i.Sign(t, claims)
}

// TestThirdPartyAuth: policies decide by the claims of tokens of an issuer that the
// project trusts, and of no other's; no issuer makes anybody more than authenticated.
func TestThirdPartyAuth(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t)
	p, other := reeve.Project(t, "trusting", map[string]any{"mailer_autoconfirm": true}), reeve.Project(t, "other", nil)
	ours, foreign := newForeignIssuer(t), newForeignIssuer(t)
	for _, project := range []*servertest.Project{p, other} {
		run(t, servertest.Connect(t, project.DatabaseURL), `CREATE TABLE notes (id int, owner text); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
			CREATE POLICY own ON notes TO authenticated USING (owner = auth.jwt() ->> 'sub'); CREATE POLICY open ON notes TO anon USING (id = 0);
			INSERT INTO notes VALUES (0, ''), (1, 'user_2abc'), (2, 'user_other')`)
	}
	path := func(project *servertest.Project) string {
		return "/v1/projects/" + project.Ref + "/config/auth/third-party-auth"
	}
	see := func(project *servertest.Project, token string) *servertest.Answer {
		return reeve.Manage(t, http.MethodPost, "/v1/projects/"+project.Ref+"/database/query", map[string]any{
			"query": "select id from notes order by id", "read_only": true, "run_as": map[string]any{"token": token},
		})
	}
	want := func(token, rows string) {
		t.Helper()
		if got := see(p, token).Expect(t, 201); strings.TrimSpace(string(got.Body)) != rows {
			t.Errorf("policies admit %s, want %s", got.Body, rows)
		}
	}

	declined(t, see(p, ours.token(t, nil)), "before", 400, "bad_jwt")
	added := reeve.Manage(t, http.MethodPost, path(p), map[string]any{"oidc_issuer_url": ours.url, "audiences": []string{"shop"}}).Expect(t, 201).JSON(t)
	if keys := added["resolved_jwks"].(map[string]any)["keys"].([]any); added["type"] != "oidc" || len(keys) != 1 {
		t.Errorf("%v", added)
	}
	want(ours.token(t, nil), `[{"id":1}]`)
	want(ours.token(t, map[string]any{"role": nil}), `[{"id":0}]`)
	want(ours.token(t, map[string]any{"role": "service_role"}), `[{"id":0}]`)
	want(ours.token(t, map[string]any{"aud": []string{"x", "shop"}}), `[{"id":1}]`)
	for name, token := range map[string]string{
		"another issuer's": foreign.token(t, nil), "by another's key": foreign.token(t, map[string]any{"iss": ours.url}),
		"another audience": ours.token(t, map[string]any{"aud": "else"}), "no audience": ours.token(t, map[string]any{"aud": nil}),
		"expired":        ours.token(t, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}),
		"of the future":  ours.token(t, map[string]any{"iat": time.Now().Add(time.Hour).Unix()}),
		"without expiry": ours.token(t, map[string]any{"exp": nil}), "garbage": "a.b.c", "cut": strings.TrimRight(ours.token(t, nil), "=")[:80],
	} {
		declined(t, see(p, token), name, 400, "bad_jwt")
	}
	declined(t, see(other, ours.token(t, nil)), "in another project", 400, "bad_jwt")

	// The project's own tokens, with its users' claims.
	mine := p.SignUp(t, annEmail, annPassword)
	run(t, servertest.Connect(t, p.DatabaseURL), `INSERT INTO notes VALUES (3, '`+mine.User.ID+`')`)
	want(mine.AccessToken, `[{"id":3}]`)
	declined(t, see(other, mine.AccessToken), "in another project", 400, "bad_jwt")

	// Keys that are given, of an issuer without a discovery document.
	reeve.Manage(t, http.MethodDelete, path(p)+"/"+added["id"].(string), nil).Expect(t, 200)
	declined(t, see(p, ours.token(t, nil)), "no longer trusted", 400, "bad_jwt")
	given := map[string]any{"oidc_issuer_url": ours.url, "custom_jwks": map[string]any{"keys": []any{ours.JWK(nil)}}}
	reeve.Manage(t, http.MethodPost, path(p), given).Expect(t, 201)
	want(ours.token(t, map[string]any{"aud": "anybody"}), `[{"id":1}]`)
	declined(t, reeve.Manage(t, http.MethodPost, path(p), given), "twice", 409, "conflict")
	reeve.Manage(t, http.MethodPost, path(p), map[string]any{"jwks_url": foreign.url + "/keys"}).Expect(t, 201)
	want(foreign.token(t, nil), `[{"id":1}]`)

	for name, body := range map[string]map[string]any{
		"nothing": {}, "no URL": {"oidc_issuer_url": "clerk"}, "another scheme": {"jwks_url": "file:///etc/passwd"},
		"with credentials": {"jwks_url": "http://a:b@127.0.0.1/"}, "our own": {"oidc_issuer_url": "http://reeve.test/p/" + other.Ref + "/auth/v1"},
		"a secret": {"custom_jwks": map[string]any{"keys": []any{map[string]any{"kty": "oct", "k": "c2VjcmV0"}}}},
		"private":  {"custom_jwks": map[string]any{"keys": []any{ours.JWK(map[string]any{"d": "x"})}}},
		"no keys":  {"custom_jwks": map[string]any{"keys": []any{}}}, "both": {"jwks_url": ours.url, "custom_jwks": map[string]any{"keys": []any{ours.JWK(nil)}}},
	} {
		declined(t, reeve.Manage(t, http.MethodPost, path(p), body), name, 400, "validation_failed")
	}
	for name, address := range map[string]string{"no document": ours.url + "/nowhere", "nobody": "http://127.0.0.1:1"} {
		declined(t, reeve.Manage(t, http.MethodPost, path(p), map[string]any{"oidc_issuer_url": address}), name, 400, "third_party_auth_unresolved")
	}
	for _, as := range []map[string]any{{"token": "x", "role": "anon"}, {"token": "x", "claims": map[string]any{"sub": "y"}}} {
		declined(t, reeve.Manage(t, http.MethodPost, "/v1/projects/"+p.Ref+"/database/query", map[string]any{"query": "select 1", "run_as": as}), "both", 400, "validation_failed")
	}
}

func declined(t *testing.T, a *servertest.Answer, name string, status int, code string) {
	t.Helper()
	if got := a.JSON(t); a.Status != status || got["code"] != code {
		t.Errorf("%s: %d %s, want %d %s", name, a.Status, a.Body, status, code)
	}
}

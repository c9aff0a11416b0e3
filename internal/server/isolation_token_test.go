package server_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/tenants"
)

// forge forges access tokens of project A.
type forge struct {
	t      *testing.T
	claims jwt.MapClaims
	head   map[string]any
	own    tenants.SigningKey // A's key in use
	hs     tenants.SigningKey // A's HS256 secret of legacy keys
	other  tenants.SigningKey // B's key in use
	public *ecdsa.PublicKey   // of own
}

func newForge(t *testing.T, a, b *loot) *forge {
	t.Helper()
	f := &forge{t: t, own: signing(t, a, "ES256"), hs: signing(t, a, "HS256"), other: signing(t, b, "ES256")}
	f.public = f.own.Public.(*ecdsa.PublicKey)
	parsed, _, err := jwt.NewParser().ParseUnverified(a.ann.AccessToken, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	f.claims, f.head = parsed.Claims.(jwt.MapClaims), parsed.Header
	return f
}

func signing(t *testing.T, l *loot, algorithm string) tenants.SigningKey {
	t.Helper()
	for _, k := range l.Tenant(t).SigningKeys {
		if k.Algorithm == algorithm {
			return k
		}
	}
	t.Fatalf("project %s has no %s key", l.Ref, algorithm)
	return tenants.SigningKey{}
}

// sign signs a token; nil in head or claims removes a member.
func (f *forge) sign(method jwt.SigningMethod, key any, head, claims map[string]any) string {
	f.t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims(merged(f.claims, claims)))
	token.Header = merged(merged(f.head, map[string]any{"alg": method.Alg()}), head)
	signed, err := token.SignedString(key)
	if err != nil {
		f.t.Fatal(err)
	}
	return signed
}

// ours signs with A's real key, as after a leak or a mistake.
func (f *forge) ours(head, claims map[string]any) string {
	f.t.Helper()
	return f.sign(jwt.SigningMethodES256, f.own.Private, head, claims)
}

func merged(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for k, v := range over {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

type forgery struct {
	name, token string
	status      int
	code        string
}

// TestForgedTokens: a token that A did not sign for this session of this user
// is refused everywhere.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	w := newNeighbours(t)
	f := newForge(t, w.a, w.b)
	var all []forgery
	bad := func(name, token string) {
		status := 403
		if elsewhere[name] {
			status = 401
		}
		all = append(all, forgery{name, token, status, "bad_jwt"})
	}
	f.unsigned(bad)
	f.confused(bad)
	f.strangers(bad)
	f.claimed(bad, w)
	gone := func(name string, code string, claims map[string]any) {
		all = append(all, forgery{name, f.ours(nil, claims), 403, code})
	}
	f.sessions(gone, w)
	before := w.a.Fingerprint(t)
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) { w.tryForgery(t, c) })
	}
	w.a.Fingerprint(t).Same(t, before, "project A")
	t.Run("headers", w.oddHeaders)
	w.a.As(t, f.ours(nil, nil), http.MethodGet, "/user", nil).Expect(t, 200) // so the forge itself is sound
}

// elsewhere names the forgeries whose issuer is another project of this
// installation. They are refused with a separate code.
var elsewhere = map[string]bool{"issuer of B": true, "issuer of B by host": true, "issuer with a slash": true}

// tryForgery tries one at every route that reads access tokens, by every kind
// of address, and as an API key.
func (w *neighbours) tryForgery(t *testing.T, c forgery) {
	for _, r := range tenantRoutes {
		for _, addr := range w.a.addresses() {
			if (r.guard != signed && r.guard != byAdmin) || (addr.name != "path" && r.path != "/user") {
				continue
			}
			a := w.at(t, addr, r.method, r.at(), r.sample(), "apikey", w.a.PublishableKey, "Authorization", "Bearer "+c.token)
			if refused(t, a, addr.name+" "+r.String(), c.status, c.code); t.Failed() {
				return
			}
		}
	}
	if a := w.reeve.Do(t, http.MethodGet, w.a.Auth("/admin/users"), nil, "apikey", c.token); a.Status != 401 {
		t.Errorf("as a key: %d %s", a.Status, a.Body)
	}
}

// unsigned are tokens without the right signature.
func (f *forge) unsigned(bad func(name, token string)) {
	raw := f.ours(nil, nil)
	parts := strings.Split(raw, ".")
	none := f.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil)
	bad("alg none", none)
	bad("alg none with the old signature", none+parts[2])
	for _, alg := range []string{"None", "NONE", "nOnE", ""} {
		bad("alg "+alg, segment(f.t, merged(f.head, map[string]any{"alg": alg}))+"."+parts[1]+".")
	}
	bad("signature stripped", parts[0]+"."+parts[1]+".")
	bad("two parts", parts[0]+"."+parts[1])
	bad("four parts", raw+".x")
	bad("signature of zeros", parts[0]+"."+parts[1]+"."+base64.RawURLEncoding.EncodeToString(make([]byte, 64)))
	bad("tampered payload", parts[0]+"."+segment(f.t, merged(f.claims, map[string]any{"role": "admin"}))+"."+parts[2])
	bad("tampered header", segment(f.t, merged(f.head, map[string]any{"x": 1}))+"."+parts[1]+"."+parts[2])
	bad("signature of another token", parts[0]+"."+parts[1]+"."+strings.Split(f.ours(nil, map[string]any{"exp": 9999999999}), ".")[2])
	bad("JSON array", `["`+raw+`"]`)
	bad("two tokens", raw+","+raw)
	bad("garbage", strings.Repeat("x", 100))
	bad("dots", "..")
	bad("20 KB", raw+strings.Repeat("A", 20<<10))
	bad("header bomb", segment(f.t, merged(f.head, map[string]any{"a": strings.Repeat("[", 5000)}))+"."+parts[1]+"."+parts[2])
}

// confused are HMACs with a public value as the key: A's public key.
func (f *forge) confused(bad func(name, token string)) {
	der, err := x509.MarshalPKIXPublicKey(f.public)
	if err != nil {
		f.t.Fatal(err)
	}
	point, err := f.public.Bytes()
	if err != nil {
		f.t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for name, secret := range map[string][]byte{
		"PEM": block, "PEM without line end": []byte(strings.TrimSpace(string(block))), "DER": der,
		"JWK": f.own.PublicJWK, "point": point, "nothing": {},
	} {
		for kid, id := range map[string]any{"its kid": f.own.ID, "no kid": nil, "the kid of the HS256 key": f.hs.ID} {
			bad("HS256 with "+name+" and "+kid, f.sign(jwt.SigningMethodHS256, secret, map[string]any{"kid": id}, nil))
		}
	}
}

// strangers are signed by the wrong key or under the wrong kid.
func (f *forge) strangers(bad func(name, token string)) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	es := jwt.SigningMethodES256
	bad("another ES256 key", f.sign(es, ec, nil, nil))
	bad("its own key in the header", f.sign(es, ec, map[string]any{"jwk": json.RawMessage(f.other.PublicJWK)}, nil))
	bad("its own key by jku", f.sign(es, ec, map[string]any{"jku": "http://127.0.0.1:1/jwks.json"}, nil))
	bad("RS256", f.sign(jwt.SigningMethodRS256, rs, nil, nil))
	bad("PS256", f.sign(jwt.SigningMethodPS256, rs, nil, nil))
	bad("EdDSA", f.sign(jwt.SigningMethodEdDSA, ed, nil, nil))
	bad("B's key under A's kid", f.sign(es, f.other.Private, nil, nil))
	bad("B's key under B's kid", f.sign(es, f.other.Private, map[string]any{"kid": f.other.ID}, nil))
	bad("A's key under B's kid", f.ours(map[string]any{"kid": f.other.ID}, nil))
	bad("A's key under an unknown kid", f.ours(map[string]any{"kid": uuid.NewString()}, nil))
	bad("A's key without kid", f.ours(map[string]any{"kid": nil}, nil))
	bad("A's key, kid a number", f.ours(map[string]any{"kid": 7}, nil))
	bad("A's key, kid a path", f.ours(map[string]any{"kid": "../" + f.own.ID}, nil))
	bad("A's key with crit", f.ours(map[string]any{"crit": []string{"exp"}}, nil))
	bad("A's secret without kid", f.sign(jwt.SigningMethodHS256, f.hs.Private, map[string]any{"kid": nil}, nil))
	bad("A's secret under the kid of its ES256 key", f.sign(jwt.SigningMethodHS256, f.hs.Private, nil, nil))
	bad("HS384 with A's secret", f.sign(jwt.SigningMethodHS384, f.hs.Private, map[string]any{"kid": f.hs.ID}, nil))
}

// claimed are signed by A with claims that A would not issue.
func (f *forge) claimed(bad func(name, token string), w *neighbours) {
	now := time.Now()
	for name, claims := range map[string]map[string]any{
		"expired":                   {"exp": now.Add(-time.Second).Unix()},
		"no exp":                    {"exp": nil},
		"exp a text":                {"exp": "9999999999"},
		"exp negative":              {"exp": -1},
		"not yet valid":             {"nbf": now.Add(time.Hour).Unix()},
		"another audience":          {"aud": "anon"},
		"no audience":               {"aud": nil},
		"issuer of B":               {"iss": w.b.URL + "/auth/v1"},
		"issuer of B by host":       {"iss": "http://" + w.b.Ref + ".localhost/auth/v1"},
		"issuer of nobody":          {"iss": "https://evil.example/auth/v1"},
		"issuer with a slash":       {"iss": w.a.URL + "/auth/v1/"},
		"no issuer":                 {"iss": nil},
		"sub no UUID":               {"sub": "ann"},
		"no sub":                    {"sub": nil},
		"sub an array":              {"sub": []string{annID}},
		"session no UUID":           {"session_id": "1"},
		"session an object":         {"session_id": map[string]any{}},
		"claims of the wrong shape": {"aal": 2, "role": []int{1}},
	} {
		bad(name, f.ours(nil, claims))
	}
}

// sessions are valid tokens of A, for a session that this user does not have in
// A.
func (f *forge) sessions(gone func(name, code string, claims map[string]any), w *neighbours) {
	other := w.a.SignUp(f.t, "other@example.com", annPassword)
	ofB := session(f.t, w.b.ann)
	gone("session of B", "session_not_found", map[string]any{"session_id": ofB})
	gone("session of another user", "session_not_found", map[string]any{"session_id": session(f.t, other)})
	gone("sub of another user", "session_not_found", map[string]any{"sub": other.User.ID})
	gone("unknown session", "session_not_found", map[string]any{"session_id": uuid.NewString()})
	gone("unknown user, no session", "user_not_found", map[string]any{"sub": uuid.NewString(), "session_id": nil})
	gone("unknown user, zero session", "user_not_found", map[string]any{"sub": uuid.NewString(), "session_id": uuid.Nil.String()})
	gone("unknown user", "user_not_found", map[string]any{"sub": uuid.NewString()})
	gone("unknown user and session", "user_not_found", map[string]any{"sub": uuid.NewString(), "session_id": uuid.NewString()})
}

func session(t *testing.T, s servertest.Session) string {
	t.Helper()
	var claims jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(s.AccessToken, &claims); err != nil {
		t.Fatal(err)
	}
	return claims["session_id"].(string)
}

func segment(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// oddHeaders: of several Authorization headers the first counts, and another
// scheme is no token.
func (w *neighbours) oddHeaders(t *testing.T) {
	key, good := w.a.PublishableKey, w.a.ann.AccessToken
	for _, c := range []struct {
		name   string
		values []string
		status int
		code   string
	}{
		{"garbage first", []string{"Bearer x", "Bearer " + good}, 403, "bad_jwt"},
		{"basic", []string{"Basic " + good}, 401, "no_authorization"},
		{"no scheme", []string{good}, 401, "no_authorization"},
		{"scheme alone", []string{"Bearer"}, 401, "no_authorization"},
		{"empty", []string{""}, 401, "no_authorization"},
		{"B's in front", []string{"Bearer " + w.b.ann.AccessToken, "Bearer " + good}, 401, "bad_jwt"},
	} {
		a := w.reeve.Raw(t, http.MethodGet, w.a.Auth("/user"), http.Header{"Apikey": {key}, "Authorization": c.values})
		refused(t, a, c.name, c.status, c.code)
	}
	big := w.reeve.Raw(t, http.MethodGet, w.a.Auth("/user"), http.Header{"Apikey": {key}, "Authorization": {"Bearer " + strings.Repeat("x", 100<<10)}})
	refused(t, big, "a token of 100 KB", http.StatusRequestHeaderFieldsTooLarge, "validation_failed")
}

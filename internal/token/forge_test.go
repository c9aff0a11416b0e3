package token_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// forger signs arbitrary claims.
type forger struct {
	t            *testing.T
	head, claims map[string]any
}

type object = map[string]any

func newForger(t *testing.T, p *tenants.Tenant) *forger {
	return &forger{t: t, head: object{"typ": "JWT", "kid": keyOf(p, "ES256").ID}, claims: object{
		"iss": p.Issuer(), "sub": uuid.NewString(), "aud": "authenticated", "role": "authenticated", "aal": "aal1",
		"session_id": uuid.NewString(), "exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(),
	}}
}

// sign signs a token; nil in head or claims removes a member.
func (f *forger) sign(method jwt.SigningMethod, key any, head, claims object) string {
	f.t.Helper()
	tok := jwt.NewWithClaims(method, jwt.MapClaims(over(f.claims, claims)))
	tok.Header = over(over(f.head, object{"alg": method.Alg()}), head)
	raw, err := tok.SignedString(key)
	if err != nil {
		f.t.Fatal(err)
	}
	return raw
}

func over(base, change object) object {
	out := maps.Clone(base)
	for k, v := range change {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

func TestVerifyForged(t *testing.T) {
	t.Parallel()
	a, b := project(t), project(t)
	revoked := *keyOf(b, "ES256") // some key that A once had
	revoked.Status, revoked.ID = tenants.KeyRevoked, "revoked"
	// A key of another algorithm under the kid of the ES256 key.
	twin := *keyOf(b, "EdDSA")
	twin.ID = keyOf(a, "ES256").ID
	a.SigningKeys = append(a.SigningKeys, revoked, twin)
	es, hs, f := keyOf(a, "ES256"), keyOf(a, "HS256"), newForger(t, a)
	good := f.sign(jwt.SigningMethodES256, es.Private, nil, nil)

	forged := map[string]string{
		"empty": "", "dots": "..", "garbage": "a.b.c", "not base64": "é.é.é", "NUL": "\x00", "two parts": good[:strings.LastIndexByte(good, '.')],
		"four parts": good + ".x", "no signature": good[:strings.LastIndexByte(good, '.')+1],
		"padded": good + "=", "a blank behind": good + " ", "a line end behind": good + "\n",
		"oversized":               good + strings.Repeat("A", 61<<10),
		"alg none":                f.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil),
		"alg none, no kid":        f.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, object{"kid": nil}, nil),
		"alg None":                f.sign(jwt.SigningMethodES256, es.Private, object{"alg": "None"}, nil),
		"alg lower case":          f.sign(jwt.SigningMethodES256, es.Private, object{"alg": "es256"}, nil),
		"alg gone":                f.sign(jwt.SigningMethodES256, es.Private, object{"alg": nil}, nil),
		"another project's key":   f.sign(jwt.SigningMethodES256, keyOf(b, "ES256").Private, nil, nil),
		"own key, other kid":      f.sign(jwt.SigningMethodES256, es.Private, object{"kid": hs.ID}, nil),
		"own key, unknown kid":    f.sign(jwt.SigningMethodES256, es.Private, object{"kid": "x"}, nil),
		"own key, no kid":         f.sign(jwt.SigningMethodES256, es.Private, object{"kid": nil}, nil),
		"own key, kid a list":     f.sign(jwt.SigningMethodES256, es.Private, object{"kid": []string{es.ID}}, nil),
		"revoked key":             f.sign(jwt.SigningMethodES256, revoked.Private, object{"kid": "revoked"}, nil),
		"HS256, no kid":           f.sign(jwt.SigningMethodHS256, hs.Private, object{"kid": nil}, nil),
		"HS256, kid of ES256":     f.sign(jwt.SigningMethodHS256, hs.Private, nil, nil),
		"HS512":                   f.sign(jwt.SigningMethodHS512, hs.Private, object{"kid": hs.ID}, nil),
		"RS256, kid of ES256":     f.sign(jwt.SigningMethodRS256, keyOf(a, "RS256").Private, nil, nil),
		"PS256 with the RSA key":  f.sign(jwt.SigningMethodPS256, keyOf(a, "RS256").Private, object{"kid": keyOf(a, "RS256").ID}, nil),
		"crit":                    f.sign(jwt.SigningMethodES256, es.Private, object{"crit": []string{"exp"}}, nil),
		"key in the header (jwk)": f.sign(jwt.SigningMethodES256, keyOf(b, "ES256").Private, object{"jwk": string(keyOf(b, "ES256").PublicJWK)}, nil),
	}
	for name, secret := range publicBytes(t, es) {
		forged["HS256 with the public key as "+name] = f.sign(jwt.SigningMethodHS256, secret, nil, nil)
	}
	for name, claims := range map[string]object{
		"expired": {"exp": noon.Unix()}, "no exp": {"exp": nil}, "exp zero": {"exp": 0}, "exp a text": {"exp": "9999999999"},
		"exp a fraction": {"exp": 9999999999.5}, "exp overflows": {"exp": 1e30}, "nbf later": {"nbf": noon.Unix() + 1},
		"aud other": {"aud": "anon"}, "aud gone": {"aud": nil}, "aud empty": {"aud": ""}, "aud null": {"aud": json.RawMessage("null")},
		"aud a list of others": {"aud": []string{"anon", "Authenticated"}}, "aud an empty list": {"aud": []string{}}, "aud a list of lists": {"aud": [][]string{{"authenticated"}}},
		"aud a number": {"aud": 1}, "aud an object": {"aud": object{"authenticated": "authenticated"}},
		"iss other": {"iss": "https://evil.example/auth/v1"}, "iss gone": {"iss": nil}, "iss of B": {"iss": b.Issuer()},
		"iss with a slash": {"iss": a.Issuer() + "/"}, "iss in capitals": {"iss": strings.ToUpper(a.Issuer())},
		"sub gone": {"sub": nil}, "sub no UUID": {"sub": "ann"}, "session no UUID": {"session_id": "x"}, "session a number": {"session_id": 0}, "role a list": {"role": []string{"a"}},
	} {
		forged[name] = f.sign(jwt.SigningMethodES256, es.Private, nil, claims)
	}

	v := verifier(t, atNoon, a, b)
	for name, raw := range forged {
		id, err := v.Verify(a, raw)
		want := auth.ErrBadJWT
		if name == "iss of B" {
			want = auth.ErrElsewhere
		}
		if !errors.Is(err, want) || id.UserID != uuid.Nil {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
		checkReason(t, name, err)
	}
	if _, err := v.Verify(a, good); err != nil {
		t.Errorf("the real one: %v", err)
	}
}

// An app that holds the project's key signs its own tokens: without a session,
// with a list of audiences.
func TestVerifyMinted(t *testing.T) {
	t.Parallel()
	a := project(t)
	f, key, user := newForger(t, a), keyOf(a, "ES256"), uuid.NewString()
	for name, claims := range map[string]object{
		"no session": {"session_id": nil}, "an empty session": {"session_id": ""}, "the nil session": {"session_id": uuid.Nil.String()},
		"aud a list": {"aud": []string{"authenticated"}, "session_id": nil}, "aud among others": {"aud": []string{"app", "authenticated"}, "session_id": nil},
		"no role, no aal, no iat": {"role": nil, "aal": nil, "iat": nil, "session_id": nil},
	} {
		claims["sub"] = user
		raw := f.sign(jwt.SigningMethodES256, key.Private, nil, claims)
		id, err := verifier(t, atNoon, a).Verify(a, raw)
		if err != nil || id.UserID.String() != user || id.SessionID != uuid.Nil {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

// publicBytes are the forms in which an attacker finds a public key.
func publicBytes(t *testing.T, key *tenants.SigningKey) map[string][]byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"JWK": key.PublicJWK, "base64": []byte(base64.StdEncoding.EncodeToString(der)),
	}
}

// reasonsByToken are the reasons that clients know, by the name of a forged token.
var reasonsByToken = map[string]string{
	"garbage": "token is malformed", "two parts": "token is malformed: token contains an invalid number of segments",
	"no signature": "token signature is invalid: signature is invalid", "own key, unknown kid": "token is unverifiable: unrecognized JWT kid or algorithm",
	"expired": "token has invalid claims: token is expired", "nbf later": "token has invalid claims: token is not valid yet",
	"aud other": "token has invalid claims: token has invalid audience", "iss other": "token has invalid claims: token has invalid issuer",
	"sub no UUID": "invalid claim: sub claim must be a UUID",
}

// checkReason: the message of a bad_jwt has the prefix that clients compare,
// and holds nothing of the token or of a key.
func checkReason(t *testing.T, name string, err error) {
	t.Helper()
	reason, ok := strings.CutPrefix(fault.From(err).Message, "invalid JWT: unable to parse or verify signature, ")
	if !ok || reason == "" || len(reason) > 100 || strings.Trim(reason, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_: ") != "" {
		t.Errorf("%s: message %q", name, fault.From(err).Message)
	}
	if want := reasonsByToken[name]; want != "" && reason != want {
		t.Errorf("%s: reason %q, want %q", name, reason, want)
	}
}

func FuzzVerify(f *testing.F) {
	a := project(f)
	v := verifier(f, atNoon, a)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOlsiYSJdfQ.AAAA")
	f.Fuzz(func(t *testing.T, raw string) {
		if id, err := v.Verify(a, raw); err == nil {
			t.Errorf("%q is accepted as %+v", raw, id)
		} else {
			checkReason(t, raw, err)
		}
	})
}

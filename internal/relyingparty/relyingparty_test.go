package relyingparty_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/relyingparty"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/testkit/authenticator"
)

func party(tb testing.TB) *relyingparty.Party {
	tb.Helper()
	cfg := setting.Default()
	p, err := relyingparty.New(&cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// registered is a user with a passkey.
type registered struct {
	user   *auth.User
	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
	stored auth.Credential
}

func marshal(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

// attestation begins a registration and returns its data and a good response.
func attestation(tb testing.TB, p *relyingparty.Party, u *auth.User, device virtualwebauthn.Authenticator, key virtualwebauthn.Credential) (data, response json.RawMessage) {
	tb.Helper()
	begun, err := p.BeginPasskey(u, nil)
	if err != nil {
		tb.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(marshal(begun.Options))
	if err != nil {
		tb.Fatal(err)
	}
	return begun.Data, json.RawMessage(virtualwebauthn.CreateAttestationResponse(authenticator.Local, device, key, *options))
}

func register(tb testing.TB, p *relyingparty.Party) *registered {
	tb.Helper()
	u := &auth.User{ID: uuid.New(), Email: "ann@example.com"}
	r := &registered{
		user: u, key: authenticator.NewKey(authenticator.EC),
		device: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(u.ID.String())}),
	}
	data, response := attestation(tb, p, u, r.device, r.key)
	var err error
	if r.stored, err = p.Register(u, data, response); err != nil {
		tb.Fatal(err)
	}
	return r
}

// assertion begins a sign-in and returns its data and a good response.
func (r *registered) assertion(tb testing.TB, p *relyingparty.Party) (data, response json.RawMessage) {
	tb.Helper()
	begun, err := p.BeginSignIn()
	if err != nil {
		tb.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAssertionOptions(marshal(begun.Options))
	if err != nil {
		tb.Fatal(err)
	}
	r.key.Counter++
	return begun.Data, json.RawMessage(virtualwebauthn.CreateAssertionResponse(authenticator.Local, r.device, r.key, *options))
}

func signIn(p *relyingparty.Party, data, response json.RawMessage, r *registered) (*relyingparty.Assertion, error) {
	parsed, err := relyingparty.ParseSignIn(response)
	if err != nil {
		return nil, err
	}
	return p.SignIn(data, parsed, r.user.ID, r.stored)
}

// TestBounds: responses that are missing or too long are refused before they are
// parsed.
func TestBounds(t *testing.T) {
	t.Parallel()
	p := party(t)
	r := register(t, p)
	_, good := r.assertion(t, p)
	long := json.RawMessage(strings.Replace(string(good), "{", `{"x":"`+strings.Repeat("a", 64<<10)+`",`, 1))
	if _, err := relyingparty.ParseSignIn(long); !errors.Is(err, auth.ErrWebAuthn) {
		t.Errorf("a long response: %v", err)
	}
	for _, missing := range []string{"", "null"} {
		if _, err := relyingparty.ParseSignIn(json.RawMessage(missing)); !errors.Is(err, auth.ErrValidation) {
			t.Errorf("%q: %v", missing, err)
		}
	}
	huge := base64.RawURLEncoding.EncodeToString(make([]byte, 1024))
	var body map[string]any
	_ = json.Unmarshal(good, &body)
	body["id"], body["rawId"] = huge, huge
	if _, err := relyingparty.ParseSignIn(json.RawMessage(marshal(body))); !errors.Is(err, auth.ErrWebAuthn) {
		t.Errorf("a long credential id: %v", err)
	}
	key := authenticator.NewKey(authenticator.EC)
	key.ID = make([]byte, 1024)
	data, response := attestation(t, p, r.user, r.device, key)
	if _, err := p.Register(r.user, data, response); !errors.Is(err, auth.ErrWebAuthn) {
		t.Errorf("a new credential with a long id: %v", err)
	}
}

// TestFlippedBits: no bit of what is signed, and of the signature, can change.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	p := party(t)
	r := register(t, p)
	data, good := r.assertion(t, p)
	if _, err := signIn(p, data, good, r); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"authenticatorData", "clientDataJSON", "signature"} {
		var body struct {
			ID       string            `json:"id"`
			RawID    string            `json:"rawId"`
			Type     string            `json:"type"`
			Response map[string]string `json:"response"`
		}
		_ = json.Unmarshal(good, &body)
		whole, _ := base64.RawURLEncoding.DecodeString(body.Response[part])
		for i := range len(whole) * 8 {
			changed := append([]byte{}, whole...)
			changed[i/8] ^= 1 << (i % 8)
			body.Response[part] = base64.RawURLEncoding.EncodeToString(changed)
			if _, err := signIn(p, data, json.RawMessage(marshal(body)), r); !errors.Is(err, auth.ErrWebAuthn) {
				t.Fatalf("bit %d of %s: %v", i, part, err)
			}
		}
	}
}

// TestData: data of another kind of ceremony, and broken ones, end nothing.
func TestData(t *testing.T) {
	t.Parallel()
	p := party(t)
	r := register(t, p)
	_, good := r.assertion(t, p)
	registration, made := attestation(t, p, r.user, r.device, r.key)
	for _, data := range []string{string(registration), "{}", "[]", "", "null", `{"challenge":""}`} {
		if _, err := signIn(p, json.RawMessage(data), good, r); err == nil {
			t.Errorf("%s: signed in", data)
		}
	}
	authentication, _ := r.assertion(t, p)
	if _, err := p.Register(r.user, authentication, made); err == nil {
		t.Error("registered by a challenge of a sign-in")
	}
	if _, err := p.Register(&auth.User{ID: uuid.New()}, registration, made); err == nil {
		t.Error("registered for another user")
	}
}

// TestNoDomain: a project without a domain has no relying party.
func TestNoDomain(t *testing.T) {
	t.Parallel()
	cfg := setting.Default()
	cfg.SiteURL = "http://127.0.0.1:3000"
	if _, err := relyingparty.New(&cfg); !errors.Is(err, auth.ErrValidation) {
		t.Errorf("%v", err)
	}
}

// FuzzRegister: no response to a registration panics, and what it makes can be
// stored.
func FuzzRegister(f *testing.F) {
	p := party(f)
	u := &auth.User{ID: uuid.New()}
	data, response := attestation(f, p, u, virtualwebauthn.NewAuthenticator(), authenticator.NewKey(authenticator.EC))
	seeds(f, response)
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := p.Register(u, data, raw)
		if err == nil && (len(c.CredentialID) == 0 || len(c.CredentialID) > 1023 || len(c.PublicKey) == 0) {
			t.Errorf("made %+v", c)
		}
		classified(t, err)
	})
}

// FuzzSignIn: no response to a sign-in panics, and none but the good one signs in.
func FuzzSignIn(f *testing.F) {
	p := party(f)
	r := register(f, p)
	data, response := r.assertion(f, p)
	seeds(f, response)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, err := signIn(p, data, raw, r)
		classified(t, err)
	})
}

// seeds adds a response, parts of it, and responses with one member replaced.
func seeds(f *testing.F, response json.RawMessage) {
	f.Add([]byte(response))
	for i := 0; i < len(response); i += 97 {
		f.Add([]byte(response[:i]))
	}
	for _, value := range []any{nil, "", 5, []any{}, map[string]any{}, "AA", "....", strings.Repeat("o2", 5000), "v2NmbXQ", "\x00"} {
		for _, name := range []string{"id", "rawId", "type", "response", "clientExtensionResults", "authenticatorAttachment"} {
			var body map[string]any
			_ = json.Unmarshal(response, &body)
			body[name] = value
			f.Add([]byte(marshal(body)))
		}
		for _, name := range []string{"attestationObject", "clientDataJSON", "authenticatorData", "signature", "userHandle", "transports", "publicKey"} {
			var body map[string]any
			_ = json.Unmarshal(response, &body)
			body["response"].(map[string]any)[name] = value
			f.Add([]byte(marshal(body)))
		}
	}
}

// classified fails for an error that would be the server's fault.
func classified(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, auth.ErrWebAuthn) && !errors.Is(err, auth.ErrValidation) {
		t.Errorf("unclassified: %v", err)
	}
}

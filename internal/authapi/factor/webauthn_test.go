package factor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/testkit/authenticator"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
)

// keys switches keys as second factors on.
func keys(c *tenants.Config) { c.WebAuthnEnroll, c.WebAuthnVerify = true, true }

// securityKey is a key that may be enrolled.
type securityKey struct {
	*authenticator.Device
	id string // of the factor
}

func enrollKey(t *testing.T, p *flowtest.Project, access string) *securityKey {
	t.Helper()
	res := p.Do(t, "POST", "/factors", m{"factor_type": "webauthn", "friendly_name": "key"}, flowtest.User(access)).Want(200)
	if res.Get("type") != "webauthn" || res.Get("friendly_name") != "key" {
		t.Fatalf("%s", res.Raw)
	}
	return &securityKey{authenticator.New(authenticator.EC, authenticator.Options{}), res.Get("id")}
}

// ask begins a challenge, as the SDK does, and returns its id, the ceremony and what the
// browser gets.
func (k *securityKey) ask(t *testing.T, p *flowtest.Project, access string) (id, ceremony string, options any) {
	t.Helper()
	body := m{"factorId": k.id, "webauthn": m{"rpId": "localhost", "rpOrigins": []string{"http://localhost:3000"}}}
	res := p.Do(t, "POST", "/factors/"+k.id+"/challenge", body, flowtest.User(access)).Want(200)
	options, ok := res.Find("webauthn.credential_options.publicKey")
	if !ok || res.Get("type") != "webauthn" || res.Get("expires_at") == "" {
		t.Fatalf("%s", res.Raw)
	}
	return res.Get("id"), res.Get("webauthn.type"), options
}

func (k *securityKey) tell(t *testing.T, p *flowtest.Project, access, challenge, ceremony string, response any) *flowtest.Response {
	t.Helper()
	body := m{"challenge_id": challenge, "webauthn": m{"type": ceremony, "credential_response": response, "rpId": "localhost"}}
	return p.Do(t, "POST", "/factors/"+k.id+"/verify", body, flowtest.User(access))
}

// prove answers a challenge.
func (k *securityKey) prove(t *testing.T, p *flowtest.Project, access string) *flowtest.Response {
	t.Helper()
	id, ceremony, options := k.ask(t, p, access)
	if ceremony == "create" {
		return k.tell(t, p, access, id, ceremony, k.Create(t, options))
	}
	return k.tell(t, p, access, id, ceremony, k.Get(t, options))
}

// TestKey: a key is made at the first challenge, and proves the user from then on.
func TestKey(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, keys)
	s := f.A.SignUp(t, ann, pass)
	k := enrollKey(t, f.A, s.Access)
	id, ceremony, options := k.ask(t, f.A, s.Access)
	asked := options.(m)
	if ceremony != "create" || asked["attestation"] != nil || asked["rp"].(m)["id"] != "localhost" || asked["user"].(m)["name"] != ann {
		t.Errorf("%s %v", ceremony, asked)
	}
	s = k.tell(t, f.A, s.Access, id, ceremony, k.Create(t, options)).Session()
	if flowtest.Claims(t, s.Access)["aal"] != "aal2" {
		t.Error("the key does not raise the session")
	}
	f.Clock.Advance(time.Minute)
	low := f.A.SignIn(t, ann, pass)
	_, ceremony, options = k.ask(t, f.A, low.Access)
	if allowed, _ := options.(m)["allowCredentials"].([]any); ceremony != "request" || len(allowed) != 1 {
		t.Errorf("%s %v", ceremony, options)
	}
	raised := k.prove(t, f.A, low.Access).Session()
	claims := flowtest.Claims(t, raised.Access)
	methods := ""
	for _, entry := range claims["amr"].([]any) {
		methods += entry.(m)["method"].(string) + " "
	}
	if claims["aal"] != "aal2" || !strings.Contains(methods, "mfa/webauthn") || !strings.Contains(methods, "password") {
		t.Errorf("claims %v", claims)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.mfa_factors WHERE web_authn_credential->'authenticator'->>'signCount' = '1'
			AND web_authn_aaguid IS NOT NULL AND last_webauthn_challenge_data->>'type' = 'request'
			AND last_webauthn_challenge_data->'credential_response'->>'type' = 'public-key'`); n != 1 {
		t.Error("the row is not the reference's")
	}
	f.A.Do(t, "DELETE", "/factors/"+k.id, nil, flowtest.User(raised.Access)).Want(200)
}

// TestKeyRefused: what does not prove the key raises nothing.
func TestKeyRefused(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, keys)
	s := f.A.SignUp(t, ann, pass)
	k := enrollKey(t, f.A, s.Access)
	id, ceremony, options := k.ask(t, f.A, s.Access)
	made := k.Create(t, options)
	k.tell(t, f.A, s.Access, id, "request", made).WantError(400, "validation_failed")
	for name, response := range map[string]any{"nothing": nil, "an object": m{}, "text": "x", "large": m{"id": strings.Repeat("A", 70_000)}} {
		if res := k.tell(t, f.A, s.Access, id, ceremony, response); res.Status != 400 && res.Status != 422 {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
	s = k.prove(t, f.A, s.Access).Session()
	f.Clock.Advance(5 * time.Minute)
	low := f.A.SignIn(t, ann, pass).Access

	phishing := *k.Device
	phishing.At = authenticator.Party{ID: "localhost", Origin: "https://evil.example"}
	id, ceremony, options = k.ask(t, f.A, low)
	k.tell(t, f.A, low, id, ceremony, phishing.Get(t, options)).WantError(422, "mfa_verification_failed")
	_, _, other := k.ask(t, f.A, low)
	k.tell(t, f.A, low, id, ceremony, k.Get(t, other)).WantError(422, "mfa_verification_failed")
	right := k.Get(t, options)
	k.tell(t, f.A, low, id, ceremony, right).Want(200)
	k.tell(t, f.A, low, id, ceremony, right).WantError(422, "mfa_challenge_expired")

	// A copy, whose counter does not go up.
	f.Clock.Advance(5 * time.Minute)
	low = f.A.SignIn(t, ann, pass).Access
	id, ceremony, options = k.ask(t, f.A, low)
	k.tell(t, f.A, low, id, ceremony, k.Repeat(t, options)).WantError(422, "mfa_verification_failed")

	// Somebody else's factor, here and in another project; a code in place of the proof.
	for _, p := range []*flowtest.Project{f.A, f.B} {
		bobs := p.SignUp(t, bob, pass)
		k.tell(t, p, bobs.Access, id, ceremony, k.Get(t, options)).WantError(404, "mfa_factor_not_found")
	}
	f.A.Do(t, "POST", "/factors/"+k.id+"/verify", m{"challenge_id": id, "code": "000000"}, flowtest.User(low)).WantError(404, "mfa_factor_not_found")

	f.A.Configure(func(c *tenants.Config) { c.WebAuthnEnroll, c.WebAuthnVerify = false, false })
	f.A.Do(t, "POST", "/factors/"+k.id+"/challenge", m{}, flowtest.User(low)).WantError(422, "mfa_webauthn_verify_not_enabled")
	k.tell(t, f.A, low, id, ceremony, k.Get(t, options)).WantError(422, "mfa_webauthn_verify_not_enabled")
	f.A.Do(t, "POST", "/factors", m{"factor_type": "webauthn"}, flowtest.User(f.A.SignUp(t, "eve@example.com", pass).Access)).WantError(422, "mfa_webauthn_enroll_not_enabled")
}

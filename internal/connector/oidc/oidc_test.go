package oidc_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/connector/connectortest"
	"github.com/reevehq/reeve/internal/connector/oidc"
)

const (
	issuer  = "https://id.example"
	keysURL = "https://id.example/keys"
)

var (
	client = connector.Client{Project: "p", ID: "client", MoreIDs: []string{"ios", ""}, Secret: "secret"}
	source = oidc.Issuer{URL: issuer, KeysURL: keysURL}
	now    = func() time.Time { return connectortest.Now }
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: connectortest.Now} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	d := connectortest.New(t)
	s := connectortest.NewSigner(t, "1", jose.RS256)
	stranger := connectortest.NewSigner(t, "1", jose.RS256)
	d.JSON(keysURL, connectortest.KeySet(s.JWK(nil)))
	c := oidc.New(d.Client(), now)

	sum := sha256.Sum256([]byte("access"))
	atHash := base64.RawURLEncoding.EncodeToString(sum[:16])
	hashed := func(nonce string) string { h := sha256.Sum256([]byte(nonce)); return hex.EncodeToString(h[:]) }
	at := func(d time.Duration) int64 { return connectortest.Now.Add(d).Unix() }
	skipping := client
	skipping.SkipNonceCheck = true

	for name, tc := range map[string]struct {
		more   map[string]any // claims
		check  oidc.Check
		client *connector.Client
		signer *connectortest.Signer
		bad    bool
	}{
		"valid":                  {},
		"several audiences, azp": {more: map[string]any{"aud": []string{"other", "client"}, "azp": "client"}},
		"audience of MoreIDs":    {more: map[string]any{"aud": "ios"}},
		"azp of the same owner":  {more: map[string]any{"azp": "android"}},
		"within the skew":        {more: map[string]any{"exp": at(-50 * time.Second)}},
		"issued a bit ahead":     {more: map[string]any{"iat": at(4 * time.Minute)}},
		"no iat":                 {more: map[string]any{"iat": nil}},

		"wrong issuer":            {more: map[string]any{"iss": "https://id.example/"}, bad: true},
		"no issuer":               {more: map[string]any{"iss": nil}, bad: true},
		"wrong audience":          {more: map[string]any{"aud": "other"}, bad: true},
		"empty audience":          {more: map[string]any{"aud": ""}, bad: true},
		"no audience":             {more: map[string]any{"aud": nil}, bad: true},
		"several audiences":       {more: map[string]any{"aud": []string{"client", "other"}}, bad: true},
		"several, azp of another": {more: map[string]any{"aud": []string{"client", "other"}, "azp": "other"}, bad: true},
		"expired":                 {more: map[string]any{"exp": at(-2 * time.Minute)}, bad: true},
		"no expiry":               {more: map[string]any{"exp": nil}, bad: true},
		"not yet valid":           {more: map[string]any{"nbf": at(10 * time.Minute)}, bad: true},
		"issued in the future":    {more: map[string]any{"iat": at(10 * time.Minute)}, bad: true},
		"no subject":              {more: map[string]any{"sub": nil}, bad: true},
		"empty subject":           {more: map[string]any{"sub": ""}, bad: true},
		"signed by another":       {signer: stranger, bad: true},

		"exact nonce":          {more: map[string]any{"nonce": "n"}, check: oidc.Check{Nonce: "n"}},
		"other nonce":          {more: map[string]any{"nonce": "m"}, check: oidc.Check{Nonce: "n"}, bad: true},
		"hash is not exact":    {more: map[string]any{"nonce": hashed("n")}, check: oidc.Check{Nonce: "n"}, bad: true},
		"missing nonce":        {check: oidc.Check{Nonce: "n"}, bad: true},
		"missing, if present":  {check: oidc.Check{Nonce: "n", Rule: oidc.ExactIfPresent}},
		"other, if present":    {more: map[string]any{"nonce": "m"}, check: oidc.Check{Nonce: "n", Rule: oidc.ExactIfPresent}, bad: true},
		"hashed":               {more: map[string]any{"nonce": hashed("n")}, check: oidc.Check{Nonce: "n", Rule: oidc.HashedNonce}},
		"hashed, as in token":  {more: map[string]any{"nonce": hashed("n")}, check: oidc.Check{Nonce: hashed("n"), Rule: oidc.HashedNonce}, bad: true},
		"given, raw":           {more: map[string]any{"nonce": "n"}, check: oidc.Check{Nonce: "n", Rule: oidc.LooseIfGiven}},
		"given, hashed":        {more: map[string]any{"nonce": hashed("n")}, check: oidc.Check{Nonce: "n", Rule: oidc.LooseIfGiven}},
		"given, no nonce":      {check: oidc.Check{Nonce: "n", Rule: oidc.LooseIfGiven}, bad: true},
		"hashed, neither":      {check: oidc.Check{Rule: oidc.HashedNonce}},
		"hashed, other":        {more: map[string]any{"nonce": hashed("m")}, check: oidc.Check{Nonce: "n", Rule: oidc.HashedNonce}, bad: true},
		"hashed, token only":   {more: map[string]any{"nonce": "n"}, check: oidc.Check{Rule: oidc.HashedNonce}, bad: true},
		"hashed, check only":   {check: oidc.Check{Nonce: "n", Rule: oidc.HashedNonce}, bad: true},
		"given, token only":    {more: map[string]any{"nonce": "n"}, check: oidc.Check{Rule: oidc.LooseIfGiven}},
		"given, other":         {more: map[string]any{"nonce": "m"}, check: oidc.Check{Nonce: "n", Rule: oidc.LooseIfGiven}, bad: true},
		"skipped, token only":  {more: map[string]any{"nonce": "n"}, check: oidc.Check{Rule: oidc.HashedNonce}, client: &skipping},
		"skipped, other nonce": {more: map[string]any{"nonce": "m"}, check: oidc.Check{Nonce: "n"}, client: &skipping},

		"at_hash":                  {more: map[string]any{"at_hash": atHash}, check: oidc.Check{AccessToken: "access"}},
		"at_hash of another token": {more: map[string]any{"at_hash": atHash}, check: oidc.Check{AccessToken: "other"}, bad: true},
		"at_hash, no token":        {more: map[string]any{"at_hash": atHash}},
		"no at_hash":               {check: oidc.Check{AccessToken: "access"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg, by := client, s
			if tc.client != nil {
				reg = *tc.client
			}
			if tc.signer != nil {
				by = tc.signer
			}
			tc.check.Raw = by.Sign(t, connectortest.Claims(issuer, "client", "user-1", tc.more))
			got, err := c.Verify(t.Context(), source, reg, tc.check)
			if tc.bad {
				if !errors.Is(err, connector.ErrIDToken) || strings.Contains(err.Error(), tc.check.Raw) {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if err != nil || got.Subject != "user-1" || got.Issuer != issuer {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// TestAlgorithms: asymmetric algorithms verify; a token that is not signed, or
// signed with what everybody knows, does not.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	for _, a := range []jose.SignatureAlgorithm{jose.RS256, jose.RS512, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA} {
		t.Run(string(a), func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			s := connectortest.NewSigner(t, "k", a)
			d.JSON(keysURL, connectortest.KeySet(s.JWK(nil)))
			raw := s.Sign(t, connectortest.Claims(issuer, "client", "u", nil))
			c := oidc.New(d.Client(), now)
			if _, err := c.Verify(t.Context(), source, client, oidc.Check{Raw: raw}); err != nil {
				t.Error(err)
			}
			narrow := source
			narrow.Algorithms = []string{"none", "HS256", "XX"}
			if a != jose.RS256 {
				narrow.Algorithms = append(narrow.Algorithms, "RS256")
			}
			if _, err := c.Verify(t.Context(), narrow, client, oidc.Check{Raw: raw}); !errors.Is(err, connector.ErrIDToken) {
				t.Errorf("an algorithm that the issuer does not use: %v", err)
			}
		})
	}

	d := connectortest.New(t)
	s := connectortest.NewSigner(t, "k", jose.RS256)
	// A key set with the public key as a symmetric one, too.
	der, err := x509.MarshalPKIXPublicKey(s.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	d.JSON(keysURL, connectortest.KeySet(
		map[string]any{"kty": "oct", "kid": "hs", "k": base64.RawURLEncoding.EncodeToString(public), "alg": "HS256"}, s.JWK(nil)))
	c := oidc.New(d.Client(), now)
	claims, _ := json.Marshal(connectortest.Claims(issuer, "client", "u", nil))
	encode := base64.RawURLEncoding.EncodeToString
	hs := func(kid string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: public, KeyID: kid}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := signed.CompactSerialize()
		return raw
	}
	valid := s.Sign(t, connectortest.Claims(issuer, "client", "u", nil))
	parts := strings.Split(valid, ".")
	for name, raw := range map[string]string{
		"none":               encode([]byte(`{"alg":"none"}`)) + "." + encode(claims) + ".",
		"None":               encode([]byte(`{"alg":"None","kid":"k"}`)) + "." + encode(claims) + ".",
		"HS256, public key":  hs("k"),
		"HS256, oct key":     hs("hs"),
		"no signature":       parts[0] + "." + parts[1] + ".",
		"changed claims":     parts[0] + "." + encode([]byte(`{"iss":"https://id.example","aud":"client","sub":"admin","exp":9999999999}`)) + "." + parts[2],
		"JSON serialization": `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
		"no JWT":             "x", "empty": "", "dots": "..", "four parts": valid + ".x",
		"own key in the header": encode([]byte(`{"alg":"RS256","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}`)) + "." + parts[1] + "." + parts[2],
		"too long":              valid + strings.Repeat("A", 100<<10),
	} {
		if got, err := c.Verify(t.Context(), source, client, oidc.Check{Raw: raw}); !errors.Is(err, connector.ErrIDToken) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := c.Verify(t.Context(), source, client, oidc.Check{Raw: valid}); err != nil {
		t.Error(err)
	}
}

// TestKeySets: keys that cannot be used are left out, and do not break others.
func TestKeySets(t *testing.T) {
	t.Parallel()
	s := connectortest.NewSigner(t, "1", jose.ES256)
	raw := s.Sign(t, connectortest.Claims(issuer, "client", "u", nil))
	good := s.JWK(nil)
	for name, c := range map[string]struct {
		answer string
		want   error // nil for valid
	}{
		"only the key":      {connectortest.KeySet(good), nil},
		"without kid":       {connectortest.KeySet(s.JWK(map[string]any{"kid": ""})), connector.ErrIDToken},
		"unknown kinds":     {connectortest.KeySet(map[string]any{"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "1"}, map[string]any{"kty": "AKP", "alg": "ML-DSA-44", "kid": "1"}, map[string]any{}, good), nil},
		"broken ones":       {connectortest.KeySet(map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, map[string]any{"kty": "RSA", "n": "!", "e": 5}, good), nil},
		"for encryption":    {connectortest.KeySet(s.JWK(map[string]any{"use": "enc"})), connector.ErrUnavailable},
		"another algorithm": {connectortest.KeySet(s.JWK(map[string]any{"alg": "ES384"})), connector.ErrIDToken},
		"only unknown":      {connectortest.KeySet(map[string]any{"kty": "AKP", "kid": "1"}), connector.ErrUnavailable},
		"none":              {`{"keys":[]}`, connector.ErrUnavailable},
		"no list":           {`{"keys":{}}`, connector.ErrUnavailable},
		"HTML":              {`<html>`, connector.ErrUnavailable},
		"weak":              {connectortest.KeySet(map[string]any{"kty": "RSA", "kid": "1", "n": base64.RawURLEncoding.EncodeToString(make([]byte, 64)), "e": "AQAB"}), connector.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			d.JSON(keysURL, c.answer)
			_, err := oidc.New(d.Client(), now).Verify(t.Context(), source, client, oidc.Check{Raw: raw})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestRotation: a key that is not known yet is fetched once it is used.
func TestRotation(t *testing.T) {
	t.Parallel()
	d, at := connectortest.New(t), newClock()
	c := oidc.New(d.Client(), at.now)
	first, second, third := connectortest.NewSigner(t, "1", jose.ES256), connectortest.NewSigner(t, "2", jose.ES256), connectortest.NewSigner(t, "3", jose.ES256)
	verify := func(s *connectortest.Signer) error {
		raw := s.Sign(t, connectortest.Claims(issuer, "client", "u", map[string]any{"exp": at.now().Add(time.Hour).Unix()}))
		_, err := c.Verify(t.Context(), source, client, oidc.Check{Raw: raw})
		return err
	}
	expect := func(step string, err error, want error, requests int) {
		t.Helper()
		if n := len(d.Requests(keysURL)); n != requests || want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v after %d requests, want %v after %d", step, err, n, want, requests)
		}
	}
	d.JSON(keysURL, connectortest.KeySet(first.JWK(nil)))
	expect("first", verify(first), nil, 1)
	expect("again", verify(first), nil, 1)
	at.advance(10 * time.Minute)
	d.JSON(keysURL, connectortest.KeySet(first.JWK(nil), second.JWK(nil)))
	expect("rotated", verify(second), nil, 2)
	expect("the old one", verify(first), nil, 2)
	d.JSON(keysURL, connectortest.KeySet(second.JWK(nil), third.JWK(nil)))
	expect("too soon", verify(third), connector.ErrIDToken, 2)
	at.advance(5 * time.Second)
	expect("later", verify(third), nil, 3)
	expect("removed", verify(first), connector.ErrIDToken, 3)

	// The provider is down: its keys stay, for a day.
	d.Answer(keysURL, 503, "text/plain", "")
	at.advance(2 * time.Hour)
	expect("down", verify(third), nil, 4)
	expect("down, at once", verify(third), nil, 4)
	at.advance(5 * time.Second)
	expect("down, later", verify(third), nil, 5)
	at.advance(23 * time.Hour)
	expect("down for a day", verify(third), connector.ErrUnavailable, 6)
	expect("down, at once", verify(third), connector.ErrUnavailable, 6)
	d.JSON(keysURL, connectortest.KeySet(third.JWK(nil)))
	at.advance(5 * time.Second)
	expect("up again", verify(third), nil, 7)
}

// TestKeyFlood: tokens with random key ids make one request, however many they
// are, and however many projects they are for if the issuer is constant.
func TestKeyFlood(t *testing.T) {
	t.Parallel()
	d, at := connectortest.New(t), newClock()
	c := oidc.New(d.Client(), at.now)
	s := connectortest.NewSigner(t, "1", jose.ES256)
	d.JSON(keysURL, connectortest.KeySet(s.JWK(nil)))
	shared := source
	shared.Constant = true
	good := s.Sign(t, connectortest.Claims(issuer, "client", "u", nil))
	if _, err := c.Verify(t.Context(), shared, client, oidc.Check{Raw: good}); err != nil {
		t.Fatal(err)
	}
	at.advance(time.Minute)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			forged := connectortest.NewSigner(t, fmt.Sprint("forged", i), jose.ES256)
			reg := client
			reg.Project = fmt.Sprint("p", i%5)
			raw := forged.Sign(t, connectortest.Claims(issuer, "client", "u", nil))
			if _, err := c.Verify(t.Context(), shared, reg, oidc.Check{Raw: raw}); !errors.Is(err, connector.ErrIDToken) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(d.Requests(keysURL)); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	if _, err := c.Verify(t.Context(), shared, client, oidc.Check{Raw: good}); err != nil {
		t.Errorf("during the flood: %v", err)
	}
}

// TestConcurrent: callers that need the same keys share one request.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	d := connectortest.New(t)
	c := oidc.New(d.Client(), now)
	s := connectortest.NewSigner(t, "1", jose.ES256)
	raw := s.Sign(t, connectortest.Claims(issuer, "client", "u", nil))
	set := connectortest.KeySet(s.JWK(nil))
	d.Handle(keysURL, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(set)) })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Verify(t.Context(), source, client, oidc.Check{Raw: raw}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(d.Requests(keysURL)); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestProjectsShareNothing: what is at an address that a project chose is kept
// for that project alone, even if another one chose the same address.
func TestProjectsShareNothing(t *testing.T) {
	t.Parallel()
	d := connectortest.New(t)
	c := oidc.New(d.Client(), now)
	a, b := connectortest.NewSigner(t, "1", jose.ES256), connectortest.NewSigner(t, "1", jose.ES256)
	first, second := client, client
	first.Project, second.Project = "first", "second"
	verify := func(reg connector.Client, s *connectortest.Signer) error {
		_, err := c.Verify(t.Context(), source, reg, oidc.Check{Raw: s.Sign(t, connectortest.Claims(issuer, "client", "u", nil))})
		return err
	}
	d.JSON(keysURL, connectortest.KeySet(a.JWK(nil)))
	if err := verify(first, a); err != nil {
		t.Fatal(err)
	}
	d.JSON(keysURL, connectortest.KeySet(b.JWK(nil)))
	if err := verify(second, b); err != nil {
		t.Errorf("the second project does not get its own keys: %v", err)
	}
	if err := verify(second, a); !errors.Is(err, connector.ErrIDToken) {
		t.Errorf("the second project uses the first one's keys: %v", err)
	}
	if err := verify(first, a); err != nil {
		t.Errorf("the first project lost its keys: %v", err)
	}

	document := func(auth string) string {
		return fmt.Sprintf(`{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":"https://id.example/token","jwks_uri":%q}`, issuer, auth, keysURL)
	}
	d.JSON(oidc.DiscoveryURL(issuer), document("https://id.example/one"))
	one, err := c.Discover(t.Context(), "first", issuer, "")
	d.JSON(oidc.DiscoveryURL(issuer), document("https://id.example/two"))
	two, err2 := c.Discover(t.Context(), "second", issuer, "")
	if again, err3 := c.Discover(t.Context(), "first", issuer, ""); err != nil || err2 != nil || err3 != nil ||
		one.AuthURL != "https://id.example/one" || two.AuthURL != "https://id.example/two" || again.AuthURL != one.AuthURL {
		t.Errorf("%+v %v, %+v %v, %v", one, err, two, err2, err3)
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	valid := map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token",
		"jwks_uri": keysURL, "userinfo_endpoint": issuer + "/me", "unknown": []int{1},
	}
	for name, c := range map[string]struct {
		change map[string]any
		want   error
	}{
		"valid":                    {nil, nil},
		"no userinfo":              {map[string]any{"userinfo_endpoint": ""}, nil},
		"another issuer":           {map[string]any{"issuer": "https://evil.example"}, connector.ErrMisconfigured},
		"a slash more":             {map[string]any{"issuer": issuer + "/"}, connector.ErrMisconfigured},
		"no issuer":                {map[string]any{"issuer": ""}, connector.ErrMisconfigured},
		"no authorization":         {map[string]any{"authorization_endpoint": ""}, connector.ErrMisconfigured},
		"a script":                 {map[string]any{"authorization_endpoint": "javascript:alert(1)//x"}, connector.ErrMisconfigured},
		"not encrypted":            {map[string]any{"token_endpoint": "http://id.example/token"}, connector.ErrMisconfigured},
		"no keys":                  {map[string]any{"jwks_uri": "/keys"}, connector.ErrMisconfigured},
		"userinfo of a file":       {map[string]any{"userinfo_endpoint": "file:///etc/passwd"}, connector.ErrMisconfigured},
		"wrong types":              {map[string]any{"issuer": 5}, connector.ErrUnavailable},
		"password in the endpoint": {map[string]any{"token_endpoint": "https://a:b@id.example/token"}, connector.ErrMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := map[string]any{}
			for k, v := range valid {
				document[k] = v
			}
			for k, v := range c.change {
				document[k] = v
			}
			raw, _ := json.Marshal(document)
			d := connectortest.New(t)
			d.JSON(oidc.DiscoveryURL(issuer), string(raw))
			got, err := oidc.New(d.Client(), now).Discover(t.Context(), "p", issuer, "")
			if c.want != nil && !errors.Is(err, c.want) || c.want == nil && (err != nil || got.TokenURL != issuer+"/token") {
				t.Errorf("%+v, %v, want %v", got, err, c.want)
			}
		})
	}
	for name, answer := range connectortest.Broken() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := connectortest.New(t)
			d.Handle(oidc.DiscoveryURL(issuer), answer)
			_, err := oidc.New(d.Client(), now).Discover(t.Context(), "p", issuer, "")
			if !errors.Is(err, connector.ErrUnavailable) && !errors.Is(err, connector.ErrMisconfigured) {
				t.Error(err)
			}
		})
	}
}

// TestDiscoveryCache: a document is read once an hour, and while the provider is
// down the last one is used.
func TestDiscoveryCache(t *testing.T) {
	t.Parallel()
	d, at := connectortest.New(t), newClock()
	c := oidc.New(d.Client(), at.now)
	address := "https://elsewhere.example/doc"
	d.JSON(address, `{"issuer":"https://id.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/k"}`)
	for step, s := range []struct {
		after    time.Duration
		requests int
	}{{0, 1}, {59 * time.Minute, 1}, {2 * time.Minute, 2}} {
		at.advance(s.after)
		if _, err := c.Discover(t.Context(), "p", issuer, address); err != nil || len(d.Requests(address)) != s.requests {
			t.Errorf("%d: %v, %d requests", step, err, len(d.Requests(address)))
		}
	}
	d.Answer(address, 500, "text/html", "<h1>")
	at.advance(2 * time.Hour)
	if _, err := c.Discover(t.Context(), "p", issuer, address); err != nil {
		t.Error(err)
	}
	for range 3 {
		if _, err := c.Discover(t.Context(), "p", "https://other.example", address); !errors.Is(err, connector.ErrMisconfigured) {
			t.Errorf("the document serves another issuer: %v", err)
		}
	}
	if n := len(d.Requests(address)); n != 3 {
		t.Errorf("%d requests", n)
	}

	// A document that was wrong is read again soon.
	at.advance(30 * time.Second)
	d.JSON(address, `{"issuer":"https://other.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/k"}`)
	if _, err := c.Discover(t.Context(), "p", "https://other.example", address); err != nil {
		t.Error(err)
	}
}

func FuzzUnverifiedIssuer(f *testing.F) {
	f.Add("a.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ.b")
	f.Add("..")
	f.Add("a.e30.b")
	f.Fuzz(func(_ *testing.T, raw string) { oidc.UnverifiedIssuer(raw) })
}

// TestHugeDocuments: a project's provider cannot fill the memory with what it
// answers.
func TestHugeDocuments(t *testing.T) {
	t.Parallel()
	d := connectortest.New(t)
	s := connectortest.NewSigner(t, "1", jose.ES256)
	many := []map[string]any{s.JWK(map[string]any{"kid": strings.Repeat("x", 300)})}
	for i := range 40 {
		many = append(many, s.JWK(map[string]any{"kid": fmt.Sprint("k", i)}))
	}
	d.JSON(keysURL, connectortest.KeySet(append(many, s.JWK(nil))...))
	c := oidc.New(d.Client(), now)
	raw := s.Sign(t, connectortest.Claims(issuer, "client", "u", nil))
	if _, err := c.Verify(t.Context(), source, client, oidc.Check{Raw: raw}); !errors.Is(err, connector.ErrIDToken) {
		t.Errorf("the 41st key is used: %v", err)
	}

	long := strings.Repeat("x", 100<<10)
	document, _ := json.Marshal(map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token", "jwks_uri": keysURL,
		"userinfo_endpoint": "https://id.example/" + long, "token_endpoint_auth_methods_supported": []string{long, "client_secret_post"},
		"id_token_signing_alg_values_supported": []string{long, "ES256"},
	})
	d.JSON(oidc.DiscoveryURL(issuer), string(document))
	got, err := c.Discover(t.Context(), "p", issuer, "")
	if kept := fmt.Sprintf("%+v", got); err != nil || len(kept) > 1000 || got.UserinfoURL != "" || len(got.Algorithms) != 1 || len(got.AuthMethods) != 1 {
		t.Errorf("%v: %d bytes: %.500s", err, len(kept), kept)
	}
	d.JSON(oidc.DiscoveryURL("https://other.example"), `{"issuer":"https://other.example","authorization_endpoint":"https://o.example/a","token_endpoint":"https://o.example/t","jwks_uri":"https://o.example/k","id_token_signing_alg_values_supported":["HS256","none"]}`)
	other, err := c.Discover(t.Context(), "p", "https://other.example", "")
	if err != nil {
		t.Fatal(err)
	}
	unsupported := oidc.Issuer{URL: issuer, KeysURL: keysURL, Algorithms: other.Algorithms}
	if _, err := c.Verify(t.Context(), unsupported, client, oidc.Check{Raw: raw}); !errors.Is(err, connector.ErrIDToken) {
		t.Errorf("an issuer without a supported algorithm: %v", err)
	}
}

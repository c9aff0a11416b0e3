package oidc

import (
	"context"
	"crypto"
	"encoding/json"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/reevehq/reeve/internal/connector"
)

// Trust is whose access tokens are accepted, and by which keys.
type Trust struct {
	// Issuer must be the token's; empty for any, where the keys are Reeve's only hold.
	Issuer string
	// KeysURL is the issuer's key set; Keys is one that is given instead.
	KeysURL string
	Keys    []json.RawMessage
}

// VerifyAccess checks an access token of an issuer that a project trusts, and
// returns its claims: signature by an asymmetric key, issuer, expiry, time of
// issue. Whom it was issued for is the caller's to check. It returns
// connector.ErrIDToken or ErrUnavailable.
func (c *Client) VerifyAccess(ctx context.Context, project string, t Trust, raw string) (map[string]any, error) {
	i := Issuer{URL: t.Issuer, KeysURL: t.KeysURL}
	keys, err := c.trustedKeys(ctx, project, t, i, raw)
	if err != nil {
		return nil, err
	}
	now := c.now()
	config := &oidc.Config{
		SkipClientIDCheck: true, SkipIssuerCheck: t.Issuer == "", SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return now.Add(-skew) },
	}
	token, err := oidc.NewVerifier(t.Issuer, &oidc.StaticKeySet{PublicKeys: keys}, config).Verify(ctx, raw)
	if err != nil {
		return nil, connector.ErrIDToken.Because(err)
	}
	if token.IssuedAt.After(now.Add(maxAhead)) {
		return nil, invalid("it was issued in the future")
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, invalid("its claims cannot be read")
	}
	return claims, nil
}

func (c *Client) trustedKeys(ctx context.Context, project string, t Trust, i Issuer, raw string) ([]crypto.PublicKey, error) {
	if t.Keys == nil {
		return c.keysFor(ctx, i, project, raw, algorithms)
	}
	set, err := parseKeys(t.Keys)
	if err != nil {
		return nil, connector.ErrMisconfigured.Because(err)
	}
	header, err := headerOf(raw, algorithms)
	if err != nil {
		return nil, err
	}
	keys := set.matching(i, header.KeyID, header.Algorithm)
	if len(keys) == 0 {
		return nil, invalid("it is signed with an unknown key")
	}
	return keys, nil
}

// headerOf returns the header of a token that claims an allowed algorithm.
func headerOf(raw string, allowed []string) (jose.Header, error) {
	if len(raw) > maxToken {
		return jose.Header{}, invalid("it is too long")
	}
	accept := make([]jose.SignatureAlgorithm, len(allowed))
	for n, a := range allowed {
		accept[n] = jose.SignatureAlgorithm(a)
	}
	parsed, err := jose.ParseSignedCompact(raw, accept)
	if err != nil || len(parsed.Signatures) != 1 {
		return jose.Header{}, invalid("it is no JWT that is signed with a supported algorithm")
	}
	return parsed.Signatures[0].Header, nil
}

// PublicKeys returns the keys of a set that can verify tokens, as JSON of their
// public halves; an error if there is none.
func PublicKeys(raw []json.RawMessage) ([]json.RawMessage, error) {
	set, err := parseKeys(raw)
	if err != nil {
		return nil, err
	}
	return set.public()
}

func (s keySet) public() ([]json.RawMessage, error) {
	out := make([]json.RawMessage, len(s))
	for i, k := range s {
		raw, err := json.Marshal(jose.JSONWebKey{Key: k.key, KeyID: k.id, Algorithm: k.algorithm, Use: "sig"})
		if err != nil {
			return nil, err
		}
		out[i] = raw
	}
	return out, nil
}

// KeysAt fetches the key set at an address that a project chose: the keys that can
// verify tokens, as JSON. connector.ErrUnavailable.
func (c *Client) KeysAt(ctx context.Context, project, address string) ([]json.RawMessage, error) {
	set, err := c.keys.get(ctx, key{project, address}, nil)
	if err != nil {
		return nil, connector.ErrUnavailable.Because(err)
	}
	return set.public()
}

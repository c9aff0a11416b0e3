package oidc

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/reevehq/reeve/internal/connector"
	"github.com/reevehq/reeve/internal/fault"
)

const (
	maxURL   = 2048
	maxToken = 64 << 10 // bytes of an ID token
	skew     = time.Minute
	maxAhead = 5 * time.Minute // of iat
)

// algorithms are those that a provider may sign with. All are asymmetric.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// Issuer is whose ID tokens are accepted.
type Issuer struct {
	URL     string
	KeysURL string
	// Algorithms is what the issuer signs with; empty for any that Reeve supports.
	Algorithms []string
	// KeyIssuer is for key sets whose keys name their issuer, as Azure's do: the
	// name of keys that belong to all issuers of the set. Other keys must be URL's.
	KeyIssuer string
	// Constant says that KeysURL is a constant of this program and not a project's
	// choice, so that all projects share its keys.
	Constant bool
}

// Check is an ID token and what must be true of it.
type Check struct {
	Raw         string
	AccessToken string // checked against at_hash where both exist
	Nonce       string
	Rule        NonceRule
}

// NonceRule is which nonce a token must have.
type NonceRule int

// The rules.
const (
	// ExactNonce requires the nonce of Check, if that has one.
	ExactNonce NonceRule = iota
	// ExactIfPresent is ExactNonce for providers that do not return a nonce.
	ExactIfPresent
	// HashedNonce requires the SHA-256 of the nonce, in hex; neither the token nor
	// Check has a nonce, or both. So the reference checks native sign-in: whoever
	// finds a token cannot read the nonce in it.
	HashedNonce
	// LooseIfGiven requires the nonce or its SHA-256, if Check has one.
	LooseIfGiven
)

// Token is a verified ID token.
type Token struct {
	Subject  string
	Issuer   string
	verified *oidc.IDToken
}

// Claims decodes the token's claims.
func (t *Token) Claims(into any) error {
	if err := t.verified.Claims(into); err != nil {
		return invalid("its claims cannot be read")
	}
	return nil
}

// Verify checks an ID token for a client: signature, issuer, audience, expiry,
// time of issue, nonce and at_hash (OpenID Connect Core, section 3.1.3.7). It
// returns connector.ErrIDToken or ErrUnavailable.
func (c *Client) Verify(ctx context.Context, i Issuer, reg connector.Client, check Check) (*Token, error) {
	allowed := i.allowed()
	keys, err := c.keysFor(ctx, i, reg.Project, check.Raw, allowed)
	if err != nil {
		return nil, err
	}
	now := c.now()
	config := &oidc.Config{
		SkipClientIDCheck: true, // checkAudience accepts several
		// Without algorithms, go-oidc would accept RS256.
		SupportedSigningAlgs: allowed,
		Now:                  func() time.Time { return now.Add(-skew) },
	}
	t, err := oidc.NewVerifier(i.URL, &oidc.StaticKeySet{PublicKeys: keys}, config).Verify(ctx, check.Raw)
	if err != nil {
		return nil, connector.ErrIDToken.Because(err)
	}
	if err := checkClaims(t, reg, now); err != nil {
		return nil, err
	}
	if !reg.SkipNonceCheck && !check.Rule.accepts(t.Nonce, check.Nonce) {
		if (t.Nonce == "") != (check.Nonce == "") {
			return nil, connector.ErrIDToken.Saying("Passed nonce and nonce in id_token should either both exist or not.")
		}
		return nil, connector.ErrIDToken.Saying("Nonces mismatch")
	}
	if check.AccessToken != "" && t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(check.AccessToken); err != nil {
			return nil, invalid("it was not issued with this access token")
		}
	}
	return &Token{Subject: t.Subject, Issuer: t.Issuer, verified: t}, nil
}

// allowed are the algorithms that both the issuer and Reeve support.
func (i Issuer) allowed() []string {
	if len(i.Algorithms) == 0 {
		return algorithms
	}
	var out []string
	for _, a := range algorithms {
		if slices.Contains(i.Algorithms, a) {
			out = append(out, a)
		}
	}
	return out
}

// keysFor returns the issuer's keys that may have signed a token. A key id that
// is not known makes it fetch the issuer's keys again, as often as the cache
// allows.
func (c *Client) keysFor(ctx context.Context, i Issuer, project, raw string, allowed []string) ([]crypto.PublicKey, error) {
	header, err := headerOf(raw, allowed)
	if err != nil {
		return nil, err
	}
	if i.Constant {
		project = ""
	}
	set, err := c.keys.get(ctx, key{project, i.KeysURL}, func(s keySet) bool { return len(s.matching(i, header.KeyID, header.Algorithm)) > 0 })
	if err != nil {
		return nil, connector.ErrUnavailable.Because(fault.From(err).Err)
	}
	keys := set.matching(i, header.KeyID, header.Algorithm)
	if len(keys) == 0 {
		return nil, invalid("it is signed with an unknown key")
	}
	return keys, nil
}

func checkClaims(t *oidc.IDToken, reg connector.Client, now time.Time) error {
	var claims struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := t.Claims(&claims); err != nil {
		return invalid("its claims cannot be read")
	}
	mine := func(id string) bool { return id != "" && (id == reg.ID || slices.Contains(reg.MoreIDs, id)) }
	switch {
	case t.Subject == "":
		return invalid("it has no subject")
	case !slices.ContainsFunc(t.Audience, mine):
		return connector.ErrIDToken.Saying("Unacceptable audience in id_token").Because(
			fmt.Errorf("its audience %.200q has none of the project's client ids", t.Audience))
	// With one audience, azp may be another client of the same owner: Google's
	// tokens for a server carry the app's id there.
	case len(t.Audience) > 1 && !mine(claims.AuthorizedParty):
		return invalid("it has several audiences, and was not issued to the project's client")
	case t.IssuedAt.After(now.Add(maxAhead)):
		return invalid("it was issued in the future")
	}
	return nil
}

// accepts compares in constant time.
func (r NonceRule) accepts(token, expected string) bool {
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	switch r {
	case ExactIfPresent:
		return token == "" || expected == "" || same(token, expected)
	case HashedNonce, LooseIfGiven:
		if expected == "" {
			return token == "" || r == LooseIfGiven
		}
		sum := sha256.Sum256([]byte(expected))
		return same(token, hex.EncodeToString(sum[:])) || r == LooseIfGiven && same(token, expected)
	default:
		return expected == "" || same(token, expected)
	}
}

func invalid(format string, args ...any) error {
	return connector.ErrIDToken.Because(fmt.Errorf(format, args...))
}

func misconfigured(format string, args ...any) error {
	return connector.ErrMisconfigured.Because(fmt.Errorf(format, args...))
}

// UnverifiedIssuer reads the issuer of a token whose signature nobody checked,
// to choose the issuer that Verify then requires; "" if it cannot be read.
func UnverifiedIssuer(raw string) string {
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, ok := strings.Cut(rest, ".")
	if !ok || len(raw) > maxToken {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return ""
	}
	return claims.Issuer
}

// Package token issues and verifies a project's tokens: signed access tokens
// (JWT, RFC 7519), refresh tokens, one-time tokens, and the JWKS (RFC 7517)
// that others verify with. Its only state is a cache of verified access tokens.
// It uses no database.
package token

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/tenants"
)

// Claims are the claims of an access token, in the order of the wire's
// documentation.
type Claims struct {
	Issuer       string          `json:"iss"`
	Subject      string          `json:"sub"`
	Audience     string          `json:"aud"`
	ExpiresAt    int64           `json:"exp"` // seconds since 1970
	IssuedAt     int64           `json:"iat"`
	Email        string          `json:"email"`
	Phone        string          `json:"phone"`
	AppMetadata  json.RawMessage `json:"app_metadata,omitempty"`
	UserMetadata json.RawMessage `json:"user_metadata,omitempty"`
	Role         string          `json:"role"`
	AAL          auth.AAL        `json:"aal"`
	AMR          []auth.AMR      `json:"amr,omitempty"`
	SessionID    string          `json:"session_id"`
	IsAnonymous  bool            `json:"is_anonymous"`
	// What the project's MFA policy demands, for policies of the database and for the
	// app. A hook cannot change them.
	MFARequired   string `json:"mfa_required,omitempty"`    // OwesEnroll, OwesVerify or ""
	MFAGraceUntil int64  `json:"mfa_grace_until,omitempty"` // seconds since 1970; 0 for no grace
	NotBefore     int64  `json:"nbf,omitempty"`             // never in Reeve's own; imported keys may have signed one

	// Custom, if set, is the JSON object that is signed instead of the members
	// above: the claims as a hook of the project has changed them.
	Custom json.RawMessage `json:"-"`
}

// custom are claims whose JSON is Claims.Custom.
type custom struct{ *Claims }

// MarshalJSON implements json.Marshaler.
func (c custom) MarshalJSON() ([]byte, error) { return c.Custom, nil }

// The methods below make Claims a jwt.Claims.

// GetExpirationTime returns exp.
func (c *Claims) GetExpirationTime() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(c.ExpiresAt, 0)), nil
}

// GetIssuedAt returns iat.
func (c *Claims) GetIssuedAt() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(c.IssuedAt, 0)), nil
}

// GetNotBefore returns nbf, nil where there is none.
func (c *Claims) GetNotBefore() (*jwt.NumericDate, error) {
	if c.NotBefore == 0 {
		return nil, nil
	}
	return jwt.NewNumericDate(time.Unix(c.NotBefore, 0)), nil
}

// GetIssuer returns iss.
func (c *Claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject returns sub.
func (c *Claims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience returns aud.
func (c *Claims) GetAudience() (jwt.ClaimStrings, error) { return jwt.ClaimStrings{c.Audience}, nil }

// Access is a signed access token.
type Access struct {
	Token     string
	ExpiresAt time.Time
	ExpiresIn time.Duration
}

// Issuer builds and signs access tokens.
type Issuer struct{ Now func() time.Time }

// Claims are the claims of an access token for the principal. They expire with
// the session, if that ends before the project's jwt_exp.
func (i Issuer) Claims(t *tenants.Tenant, p *auth.Principal) *Claims {
	now := i.Now()
	ttl := t.Config.AccessTokenTTL()
	if p.Session.NotAfter != nil && p.Session.NotAfter.Before(now.Add(ttl)) {
		ttl = max(p.Session.NotAfter.Sub(now), time.Second)
	}
	c := &Claims{
		Issuer: t.Issuer(), Subject: p.User.ID.String(), Audience: p.User.Aud,
		ExpiresAt: now.Add(ttl).Unix(), IssuedAt: now.Unix(),
		Email: p.User.Email, Phone: p.User.Phone,
		Role: p.User.Role, AAL: p.Session.AAL,
		SessionID: p.Session.ID.String(), IsAnonymous: p.User.IsAnonymous,
	}
	owed := Owes(&t.Config, p, now)
	if c.MFARequired = owed.What; !owed.Until.IsZero() {
		c.MFAGraceUntil = owed.Until.Unix()
	}
	if t.Config.HasClaim("amr") {
		c.AMR = amrOf(p)
	}
	if t.Config.HasClaim("app_metadata") {
		c.AppMetadata = orEmpty(p.User.AppMetadata)
	}
	if t.Config.HasClaim("user_metadata") {
		c.UserMetadata = orEmpty(p.User.UserMetadata)
	}
	return c
}

// Sign signs claims with the project's key in use.
func (i Issuer) Sign(t *tenants.Tenant, c *Claims) (Access, error) {
	key, err := inUse(t)
	if err != nil {
		return Access{}, err
	}
	var claims jwt.Claims = c
	if c.Custom != nil {
		claims = custom{c}
	}
	signed, err := sign(key, claims)
	if err != nil {
		return Access{}, err
	}
	ttl := time.Duration(c.ExpiresAt-c.IssuedAt) * time.Second
	return Access{Token: signed, ExpiresAt: time.Unix(c.ExpiresAt, 0), ExpiresIn: ttl}, nil
}

func inUse(t *tenants.Tenant) (*tenants.SigningKey, error) {
	for i := range t.SigningKeys {
		if t.SigningKeys[i].Status == tenants.KeyInUse {
			return &t.SigningKeys[i], nil
		}
	}
	return nil, fmt.Errorf("project %s has no signing key in use", t.Ref)
}

func sign(key *tenants.SigningKey, claims jwt.Claims) (string, error) {
	method := jwt.GetSigningMethod(key.Algorithm)
	if method == nil {
		return "", fmt.Errorf("sign access token: no method %q", key.Algorithm)
	}
	unsigned := jwt.NewWithClaims(method, claims)
	unsigned.Header["kid"] = key.ID
	signed, err := unsigned.SignedString(key.Private)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return signed, nil
}

func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

// received are the claims of an incoming token. An app may hold a project's key
// too, and may write the audience as a list (RFC 7519, section 4.1.3).
type received struct {
	Claims
	Audience jwt.ClaimStrings `json:"aud"`
}

// GetAudience returns aud.
func (c *received) GetAudience() (jwt.ClaimStrings, error) { return c.Audience, nil }

// maxToken bounds the length of a token before parsing. A token with two times
// auth.MaxMetadata in base64 is shorter.
const maxToken = 60 << 10

// Identified is the user and session of a verified access token.
type Identified struct {
	UserID    uuid.UUID
	SessionID uuid.UUID // uuid.Nil for a token without a session
	Role      string
	AAL       auth.AAL
	ExpiresAt time.Time
}

// Verifier verifies access tokens. It caches valid ones by project, version of
// its snapshot (so that a revoked key takes effect at once) and hash of the
// token.
type Verifier struct {
	Now   func() time.Time
	Ours  func(issuer string) bool // whether an issuer is a project of this installation
	cache *lru.Cache[cacheKey, Identified]
}

type cacheKey struct {
	ref     tenants.Ref
	version int64
	token   [sha256.Size]byte
}

// NewVerifier returns a Verifier that caches up to size tokens. ours reports
// whether an issuer belongs to a project of this installation.
func NewVerifier(size int, now func() time.Time, ours func(issuer string) bool) (*Verifier, error) {
	cache, err := lru.New[cacheKey, Identified](size)
	if err != nil {
		return nil, fmt.Errorf("token cache: %w", err)
	}
	return &Verifier{Now: now, Ours: ours, cache: cache}, nil
}

// Verify verifies a token of the project: signature by a key that is not
// revoked, the key's own algorithm, audience, issuer, expiry, and the ids in
// it. A token without session_id, as apps that hold the project's key sign
// them, has no session. A token whose issuer is another project of this
// installation is auth.ErrElsewhere; any other failure is auth.ErrBadJWT.
func (v *Verifier) Verify(t *tenants.Tenant, raw string) (Identified, error) {
	// The base64 decoder ignores line ends, so one token would have many forms.
	if len(raw) > maxToken || strings.ContainsAny(raw, "\r\n") {
		return Identified{}, badJWT(jwt.ErrTokenMalformed)
	}
	key := cacheKey{ref: t.Ref, version: t.Version, token: sha256.Sum256([]byte(raw))}
	if id, ok := v.cache.Get(key); ok {
		if !v.Now().Before(id.ExpiresAt) {
			return Identified{}, badJWT(jwt.ErrTokenExpired)
		}
		return id, nil
	}
	id, err := v.verify(t, raw, 0)
	if err != nil {
		if v.elsewhere(t, raw) {
			return Identified{}, auth.ErrElsewhere.Because(err)
		}
		return Identified{}, badJWT(err)
	}
	v.cache.Add(key, id)
	return id, nil
}

// VerifyEnded is Verify for a token that expired at most grace ago. It proves who
// had the session, and allows nothing. Failures are auth.ErrBadJWT.
func (v *Verifier) VerifyEnded(t *tenants.Tenant, raw string, grace time.Duration) (Identified, error) {
	if len(raw) > maxToken || strings.ContainsAny(raw, "\r\n") {
		return Identified{}, badJWT(jwt.ErrTokenMalformed)
	}
	id, err := v.verify(t, raw, grace)
	if err != nil {
		return Identified{}, badJWT(err)
	}
	return id, nil
}

// elsewhere reports whether a refused token names another project of this
// installation: then host, path or key disagree with the token.
func (v *Verifier) elsewhere(t *tenants.Tenant, raw string) bool {
	var claims received
	if _, _, err := jwt.NewParser().ParseUnverified(raw, &claims); err != nil {
		return false
	}
	return claims.Issuer != t.Issuer() && v.Ours(claims.Issuer)
}

func (v *Verifier) verify(t *tenants.Tenant, raw string, leeway time.Duration) (Identified, error) {
	if strings.Count(raw, ".") != 2 {
		return Identified{}, errParts
	}
	var claims received
	var used *tenants.SigningKey
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"ES256", "RS256", "EdDSA", "HS256"}),
		jwt.WithTimeFunc(v.Now), jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway), jwt.WithAudience(auth.Audience), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(raw, &claims, func(tok *jwt.Token) (any, error) {
		key, err := verifyingKey(t, tok)
		used = key
		if err != nil {
			return nil, err
		}
		return key.Public, nil
	})
	if err != nil {
		return Identified{}, err
	}
	if err := v.issuer(t, used, claims.Issuer); err != nil {
		return Identified{}, err
	}
	user, err := uuid.Parse(claims.Subject)
	if err != nil {
		return Identified{}, fmt.Errorf("%w: %w", errSubject, err)
	}
	session, err := uuid.Parse(claims.SessionID)
	if err != nil && claims.SessionID != "" {
		return Identified{}, fmt.Errorf("%w: %w", errSession, err)
	}
	return Identified{
		UserID: user, SessionID: session, Role: claims.Role, AAL: claims.AAL,
		ExpiresAt: time.Unix(claims.ExpiresAt, 0),
	}, nil
}

// verifyingKey returns the key that a token names. The algorithm must be the
// key's own, so a public key can never be used as an HMAC secret. A token
// without kid can only be signed by an imported HS256 secret.
func verifyingKey(t *tenants.Tenant, tok *jwt.Token) (*tenants.SigningKey, error) {
	if _, ok := tok.Header["crit"]; ok {
		return nil, errors.New("no extension is understood") // RFC 7515 section 4.1.11
	}
	kid, _ := tok.Header["kid"].(string)
	for i := range t.SigningKeys {
		key := &t.SigningKeys[i]
		if !key.Verifies() || key.Algorithm != tok.Method.Alg() {
			continue
		}
		if key.ID == kid || (kid == "" && key.Imported && key.Algorithm == "HS256") {
			return key, nil
		}
	}
	return nil, fmt.Errorf("%w: %q for %s", errNoKey, kid, tok.Method.Alg())
}

// issuer accepts the project's own issuer and, for imported keys, also an
// issuer outside this installation.
func (v *Verifier) issuer(t *tenants.Tenant, key *tenants.SigningKey, iss string) error {
	if iss == t.Issuer() || (key.Imported && !v.Ours(iss)) {
		return nil
	}
	return fmt.Errorf("%w: %q is not this project", jwt.ErrTokenInvalidIssuer, iss)
}

// amrOf is the session's amr. An entry of an enterprise connection names it, as in the
// reference.
func amrOf(p *auth.Principal) []auth.AMR {
	for n, entry := range p.Session.AMR {
		if !entry.Method.ByConnection() {
			continue
		}
		for _, i := range p.User.Identities {
			if id, ok := strings.CutPrefix(i.Provider, auth.SSOPrefix); ok {
				named := slices.Clone(p.Session.AMR)
				named[n].Provider = id
				return named
			}
		}
	}
	return p.Session.AMR
}

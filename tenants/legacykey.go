package tenants

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// maxLegacyKey bounds the length of a legacy key in bytes; real ones have about
// 220.
const maxLegacyKey = 4096

// legacyTTL is the lifetime of a new legacy key: that of the reference.
const legacyTTL = 10 * 365 * 24 * time.Hour

// errNotLegacyKey is the reason why a token is not a legacy key of a project.
// It is a cause and is never shown.
var errNotLegacyKey = errors.New("not a legacy key of the project")

// legacyClaims are the claims that tell a legacy API key from other tokens.
type legacyClaims struct {
	Role      Role   `json:"role"`
	Ref       string `json:"ref,omitempty"`
	SessionID any    `json:"session_id,omitempty"`
	jwt.RegisteredClaims
}

// isKey reports whether the claims are those of a legacy key and not of a user.
// A user's token has a session and a UUID as its subject, whatever role a hook
// set. A service key may have a subject too, but not a UUID.
func (c *legacyClaims) isKey() bool {
	if _, ok := c.Role.acts(); !ok || c.SessionID != nil {
		return false
	}
	return uuid.Validate(c.Subject) != nil
}

// peekLegacyKey reads a token's claims without verifying anything. ok is false
// if the token cannot be a legacy key.
func peekLegacyKey(token string) (*legacyClaims, bool) {
	if token == "" || len(token) > maxLegacyKey {
		return nil, false
	}
	var claims legacyClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		return nil, false
	}
	return &claims, claims.isKey()
}

// legacyRole verifies a legacy key: signed by one of the project's signing keys
// that is not revoked, under that key's own algorithm, not expired, and not made
// for another project. It returns ErrUnknownKey or ErrExpiredKey.
func (t *Tenant) legacyRole(token string, now time.Time) (Role, error) {
	if len(token) > maxLegacyKey {
		return "", ErrUnknownKey
	}
	var claims legacyClaims
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256", "ES256", "RS256", "EdDSA"}),
		jwt.WithTimeFunc(func() time.Time { return now }),
	).ParseWithClaims(token, &claims, t.legacyVerifiers)
	if err == nil && !claims.isKey() {
		err = errNotLegacyKey
	}
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return "", ErrExpiredKey
	case err != nil:
		return "", ErrUnknownKey.Because(err)
	case !t.LegacyKeys:
		// Reported only to the holder of a genuine key.
		return "", ErrUnknownKey.Saying("Legacy API keys are switched off for this project")
	}
	role, _ := claims.Role.acts()
	return role, nil
}

// legacyVerifiers returns the keys that a token may be verified with. The key
// determines the algorithm, not the token, so a public key never serves as an
// HMAC secret. Without a kid only HS256 keys are tried, because older keys were
// signed that way.
func (t *Tenant) legacyVerifiers(token *jwt.Token) (any, error) {
	if _, ok := token.Header["crit"]; ok {
		return nil, errNotLegacyKey // RFC 7515 section 4.1.11: we understand no extension
	}
	kid, named := token.Header["kid"]
	id, isText := kid.(string)
	if named && !isText {
		return nil, errNotLegacyKey
	}
	var set jwt.VerificationKeySet
	for i := range t.SigningKeys {
		k := &t.SigningKeys[i]
		if !k.Verifies() || k.Algorithm != token.Method.Alg() || !t.mayName(token, k) {
			continue
		}
		if named && k.ID == id || !named && k.Algorithm == "HS256" {
			set.Keys = append(set.Keys, k.Public)
		}
	}
	if len(set.Keys) == 0 {
		return nil, errNotLegacyKey
	}
	return set, nil
}

// mayName reports whether a key may sign for the project that a legacy key
// names. Imported keys signed legacy keys on another system, with the project's
// name there.
func (t *Tenant) mayName(token *jwt.Token, k *SigningKey) bool {
	claims, ok := token.Claims.(*legacyClaims)
	return ok && (claims.Ref == "" || claims.Ref == string(t.Ref) || k.Imported)
}

// ErrNoLegacySecret is returned where no key of the project can sign legacy keys.
var ErrNoLegacySecret = fault.New(fault.Conflict, "legacy_secret_missing", "The project has no secret that legacy API keys are signed with")

// NewLegacyKey signs a legacy key for the role. It lives ten years. The same
// issuedAt yields the same text as long as the signing keys do not change. It
// returns ErrNoLegacySecret.
func (t *Tenant) NewLegacyKey(role Role, issuedAt time.Time) (string, error) {
	if role != RoleAnon && role != RoleService {
		return "", ErrUnknownKey.Saying("role: must be anon or service_role")
	}
	key := t.legacySecret()
	if key == nil {
		return "", ErrNoLegacySecret
	}
	token := jwt.NewWithClaims(jwt.GetSigningMethod(key.Algorithm), &legacyClaims{
		Role: role, Ref: string(t.Ref),
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    "reeve",
			IssuedAt:  jwt.NewNumericDate(issuedAt),
			ExpiresAt: jwt.NewNumericDate(issuedAt.Add(legacyTTL)),
		},
	})
	token.Header["kid"] = key.ID
	return token.SignedString(key.Private)
}

// legacySecret is the key that legacy keys are signed with: HS256, as older
// clients expect. The project's own legacy secret is preferred to imported
// keys, of which the oldest is taken.
func (t *Tenant) legacySecret() *SigningKey {
	for _, good := range []func(*SigningKey) bool{
		func(k *SigningKey) bool { return k.Legacy },
		func(k *SigningKey) bool { return k.Imported && k.Algorithm == "HS256" },
	} {
		for i := range t.SigningKeys {
			if k := &t.SigningKeys[i]; k.Verifies() && good(k) {
				return k
			}
		}
	}
	return nil
}

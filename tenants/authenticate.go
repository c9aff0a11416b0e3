package tenants

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// Role is what an API key acts as.
type Role string

// The roles of API keys.
const (
	RoleAnon    Role = "anon"
	RoleService Role = "service_role"
)

// acts maps a role claim to the role that the key acts as. supabase_admin is the
// reference's other name for an administrator.
func (r Role) acts() (Role, bool) {
	switch r {
	case RoleAnon, RoleService:
		return r, true
	case "supabase_admin":
		return RoleService, true
	}
	return "", false
}

// Credentials are a request's verified API key, and the user's token that is
// not verified yet.
type Credentials struct {
	Role      Role
	Key       *APIKey // nil for a legacy key
	UserToken string  // the user's access token from Authorization, not verified
}

// Admin reports whether the request acts as service_role itself. A secret key
// beside a user's token acts for that user, as in the reference.
func (c Credentials) Admin() bool { return c.Role == RoleService && c.UserToken == "" }

// Authenticate verifies a request's API key for the project. apikey is the
// header apikey, or the query parameter of that name; authorization is the
// header of that name. The key may be in either. If both have one, they must be
// equal, except that a legacy key in Authorization decides the role, as in the
// reference. Any other bearer token is returned as the user's.
//
// It returns ErrNoKey, ErrUnknownKey, ErrExpiredKey or ErrSecretKeyInBrowser.
func (t *Tenant) Authenticate(hasher KeyHasher, now time.Time, apikey, authorization string, browser bool) (Credentials, error) {
	bearer := bearerToken(authorization)
	key := PresentedKey(apikey, authorization)
	if key == "" {
		return Credentials{}, ErrNoKey
	}
	creds, err := t.judge(hasher, now, key, browser)
	if err != nil || bearer == "" || same(bearer, key) {
		return creds, err
	}
	if LooksLikeKey(bearer) {
		return Credentials{}, ErrUnknownKey.Saying("apikey and Authorization carry different API keys")
	}
	// Without legacy keys every other bearer token is a user's. Parsing it
	// would cost as much as the rest of this function.
	if !t.LegacyKeys {
		creds.UserToken = bearer
		return creds, nil
	}
	if _, ok := peekLegacyKey(bearer); !ok {
		creds.UserToken = bearer
		return creds, nil
	}
	if creds.Role, err = t.legacyRole(bearer, now); err != nil {
		return Credentials{}, err
	}
	return creds, nil
}

// judge verifies one key of either kind.
func (t *Tenant) judge(hasher KeyHasher, now time.Time, key string, browser bool) (Credentials, error) {
	if !LooksLikeKey(key) {
		role, err := t.legacyRole(key, now)
		return Credentials{Role: role}, err
	}
	k, err := t.apiKey(hasher, key)
	switch {
	case err != nil:
		return Credentials{}, err
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return Credentials{}, ErrExpiredKey
	case k.Type == KeySecret && browser:
		return Credentials{}, ErrSecretKeyInBrowser
	case k.Type == KeySecret:
		return Credentials{Role: RoleService, Key: &k}, nil
	default:
		return Credentials{Role: RoleAnon, Key: &k}, nil
	}
}

// apiKey finds a key of the new kind among the project's. The lookup is by
// HMAC, so its timing reveals nothing about the keys that exist.
func (t *Tenant) apiKey(hasher KeyHasher, key string) (APIKey, error) {
	typ, ok := ParseKey(key)
	if !ok {
		return APIKey{}, ErrUnknownKey
	}
	k, ok := t.APIKeys[hasher.Hash(key)]
	if !ok || k.Type != typ {
		return APIKey{}, ErrUnknownKey
	}
	return k, nil
}

// PresentedKey returns the API key that a request carries, "" if none: apikey,
// or else the bearer token if it is a key. It verifies nothing.
func PresentedKey(apikey, authorization string) string {
	if apikey != "" {
		return apikey
	}
	bearer := bearerToken(authorization)
	if LooksLikeKey(bearer) {
		return bearer
	}
	if _, ok := peekLegacyKey(bearer); ok {
		return bearer
	}
	return ""
}

// bearerToken returns the token of an Authorization header of the Bearer scheme
// (RFC 6750), "" for any other scheme.
func bearerToken(authorization string) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// LooksLikeBrowser reports whether a request comes from a web page, which
// cannot change the Sec- headers. Node, Deno, Bun and Python are not browsers;
// Node's fetch sends Sec-Fetch-Mode, so that header proves nothing.
func LooksLikeBrowser(h http.Header) bool {
	const mozilla = "Mozilla/"
	ua := h.Get("User-Agent")
	return len(ua) >= len(mozilla) && strings.EqualFold(ua[:len(mozilla)], mozilla) ||
		h.Get("Sec-Fetch-Site") != "" || h.Get("Sec-CH-UA") != ""
}

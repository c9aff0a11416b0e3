package setting

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tokens is the life of access and refresh tokens.
type Tokens struct {
	JWTExp                    int // seconds
	RefreshTokenRotation      bool
	RefreshTokenReuseInterval int // seconds
	OptionalClaims            string
}

func tokens() Group {
	return Group{Title: "Tokens", Settings: []Setting{
		{
			Name: "jwt_exp", Kind: Integer, Default: 3600, Min: 1, Max: maxTTL,
			Field:  func(c *Config) any { return &c.JWTExp },
			Effect: "Seconds for which an access token is valid.",
		},
		{
			Name: "jwt_optional_claims", Kind: Text, Default: strings.Join(optionalClaims, ","), MaxLength: 200, Format: optional(claimList),
			Field: func(c *Config) any { return &c.OptionalClaims },
			Effect: "Which of `amr`, `app_metadata` and `user_metadata` access tokens have, separated by commas. What users write into `user_metadata` " +
				"can make tokens too large for headers; clients have it from `/user` too.",
		},
		{
			Name: "refresh_token_rotation_enabled", Kind: Bool, Default: true,
			Field:  func(c *Config) any { return &c.RefreshTokenRotation },
			Effect: "Every refresh gives a new refresh token, and a used one that comes again ends the session. See [sessions](auth.md#sessions).",
		},
		{
			Name: "security_refresh_token_reuse_interval", Kind: Integer, Default: 10, Min: 0, Max: maxInt32,
			Field:  func(c *Config) any { return &c.RefreshTokenReuseInterval },
			Effect: "Seconds for which a used refresh token may come again.",
		},
	}}
}

// AccessTokenTTL is how long an access token is good for.
func (c *Config) AccessTokenTTL() time.Duration { return time.Duration(c.JWTExp) * time.Second }

// optionalClaims are the claims that may be left out of access tokens.
var optionalClaims = []string{"amr", "app_metadata", "user_metadata"}

func claimList(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		if !slices.Contains(optionalClaims, strings.TrimSpace(name)) {
			return fmt.Errorf("must be of %s, separated by commas", strings.Join(optionalClaims, ", "))
		}
	}
	return nil
}

// HasClaim reports whether access tokens have an optional claim.
func (c *Config) HasClaim(name string) bool {
	for has := range strings.SplitSeq(c.OptionalClaims, ",") {
		if strings.TrimSpace(has) == name {
			return true
		}
	}
	return false
}

package setting

import "time"

// Tokens is the life of access and refresh tokens.
type Tokens struct {
	JWTExp                    int // seconds
	RefreshTokenRotation      bool
	RefreshTokenReuseInterval int // seconds
}

func tokens() Group {
	return Group{Title: "Tokens", Settings: []Setting{
		{
			Name: "jwt_exp", Kind: Integer, Default: 3600, Min: 1, Max: maxTTL,
			Field:  func(c *Config) any { return &c.JWTExp },
			Effect: "Seconds for which an access token is valid.",
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

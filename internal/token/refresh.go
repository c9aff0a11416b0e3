package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// A refresh token is not stored. It names its session and has a counter within
// the session, authenticated by a MAC with the project's key:
//
//	base64url( 1 | session id (16) | counter (8, big endian) | HMAC-SHA256 (20) )
//
// The session's row holds the counter of the newest token. So a copy of the
// database yields no refresh token, a guessed one never reaches the database,
// and the newest one can be issued again to a client that lost it. The
// reference's refresh tokens of version 2 have counters too.
const (
	refreshVersion = 1
	refreshMAC     = 20
	refreshBody    = 1 + 16 + 8
)

// Refresh returns the refresh token with a counter of a session.
func Refresh(key []byte, session uuid.UUID, counter int64) string {
	body := make([]byte, refreshBody, refreshBody+sha256.Size)
	body[0] = refreshVersion
	copy(body[1:], session[:])
	binary.BigEndian.PutUint64(body[17:], uint64(counter))
	return base64.RawURLEncoding.EncodeToString(append(body, refreshSum(key, body)...))
}

// ParseRefresh parses a refresh token of the project that key belongs to;
// auth.ErrRefreshNotFound for any other text.
func ParseRefresh(key []byte, token string) (session uuid.UUID, counter int64, err error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(refreshBody+refreshMAC) {
		return uuid.Nil, 0, auth.ErrRefreshNotFound
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	// The decoder ignores line ends, so the length of the text varies.
	if err != nil || len(raw) != refreshBody+refreshMAC || raw[0] != refreshVersion {
		return uuid.Nil, 0, auth.ErrRefreshNotFound
	}
	body := raw[:refreshBody]
	if !hmac.Equal(raw[refreshBody:], refreshSum(key, body)) {
		return uuid.Nil, 0, auth.ErrRefreshNotFound
	}
	return uuid.UUID(raw[1:17]), int64(binary.BigEndian.Uint64(raw[17:])), nil
}

func refreshSum(key, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("refresh token\x00"))
	mac.Write(body)
	return mac.Sum(nil)[:refreshMAC]
}

package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// A refresh token is not stored anywhere. It says which session it belongs to
// and the how-manieth of the session it is, under a MAC with the project's key:
//
//	base64url( 1 | session id (16) | counter (8, big endian) | HMAC-SHA256 (20) )
//
// The session's row holds the counter of the newest one. So a copy of the
// database yields no refresh token, a guessed one never reaches the database,
// and the newest one can be told again to a client that lost it. The reference
// counts the same way in its refresh tokens of version 2.
const (
	refreshVersion = 1
	refreshMAC     = 20
	refreshBody    = 1 + 16 + 8
)

// Refresh makes the refresh token number counter of a session.
func Refresh(key []byte, session uuid.UUID, counter int64) string {
	body := make([]byte, refreshBody, refreshBody+sha256.Size)
	body[0] = refreshVersion
	copy(body[1:], session[:])
	binary.BigEndian.PutUint64(body[17:], uint64(counter))
	return base64.RawURLEncoding.EncodeToString(append(body, refreshSum(key, body)...))
}

// ParseRefresh reads a refresh token of the project that key belongs to;
// auth.ErrRefreshNotFound for anything else.
func ParseRefresh(key []byte, token string) (session uuid.UUID, counter int64, err error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(refreshBody+refreshMAC) {
		return uuid.Nil, 0, auth.ErrRefreshNotFound
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	// The decoder passes over line ends, so the length of the text does not fix it.
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

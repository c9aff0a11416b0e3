package controldb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrNoAccessToken is returned for a text that is not a valid access token.
var ErrNoAccessToken = fault.New(fault.NotFound, "access_token_not_found", "Access token not found")

// accessTokenForm is the form that the tools of the ecosystem expect.
var accessTokenForm = regexp.MustCompile(`^sbp_[0-9a-f]{40}$`)

// AccessToken is a row of access_tokens: a user's key to the Management API.
type AccessToken struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	Name       string
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil = never
	LastUsedAt *time.Time // exact to a minute
}

type accessTokenRow struct {
	ID         uuid.UUID `gorm:"primaryKey"`
	UserID     uuid.UUID
	Name       string
	Hash       []byte
	CreatedAt  time.Time `gorm:"default:now()"`
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
}

func (accessTokenRow) TableName() string { return "access_tokens" }

func (r accessTokenRow) accessToken() AccessToken {
	return AccessToken{
		ID: r.ID, UserID: r.UserID, Name: r.Name,
		CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt,
	}
}

// CreateAccessToken generates a personal access token (sbp_ and 40 hex digits,
// 160 bits) that never expires. Only this call returns its text; its HMAC is
// stored.
func (db *DB) CreateAccessToken(ctx context.Context, user uuid.UUID, name string) (string, error) {
	return db.CreateAccessTokenUntil(ctx, user, name, nil)
}

// CreateAccessTokenUntil is CreateAccessToken for a token that expires.
func (db *DB) CreateAccessTokenUntil(ctx context.Context, user uuid.UUID, name string, expires *time.Time) (string, error) {
	raw := make([]byte, 20)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	text := "sbp_" + hex.EncodeToString(raw)
	hash := db.Hasher().Hash(text)
	row := accessTokenRow{ID: uuid.New(), UserID: user, Name: name, Hash: hash[:], ExpiresAt: expires}
	if err := db.with(ctx).Create(&row).Error; err != nil {
		return "", Fault(fmt.Errorf("create access token: %w", err))
	}
	return text, nil
}

// AccessTokenByText finds the token with this text. ErrNoAccessToken when it is
// malformed, unknown or expired. It records the use, at most once a minute.
func (db *DB) AccessTokenByText(ctx context.Context, text string) (AccessToken, error) {
	if !accessTokenForm.MatchString(text) {
		return AccessToken{}, ErrNoAccessToken
	}
	hash := db.Hasher().Hash(text)
	var row accessTokenRow
	if err := db.with(ctx).Where("hash = ?", hash[:]).Take(&row).Error; err != nil {
		return AccessToken{}, orFault(err, ErrNoAccessToken)
	}
	now := db.now()
	if row.ExpiresAt != nil && !now.Before(*row.ExpiresAt) {
		return AccessToken{}, ErrNoAccessToken
	}
	if row.LastUsedAt == nil || now.Sub(*row.LastUsedAt) > time.Minute {
		// A failure to record the use refuses nobody.
		err := db.with(ctx).Model(&accessTokenRow{}).
			Where("id = ? AND (last_used_at IS NULL OR last_used_at < ?)", row.ID, now).
			Update("last_used_at", now).Error
		if err != nil {
			db.log.WarnContext(ctx, "last use of an access token is not noted", "token", row.ID, "error", err)
		}
	}
	return row.accessToken(), nil
}

// AccessTokens lists every user's tokens, expired ones too, the oldest first.
func (db *DB) AccessTokens(ctx context.Context) ([]AccessToken, error) {
	var rows []accessTokenRow
	err := db.with(ctx).Order("created_at, id").Find(&rows).Error
	out := make([]AccessToken, len(rows))
	for i, row := range rows {
		out[i] = row.accessToken()
	}
	return out, Fault(err)
}

// DeleteAccessToken removes a token, which is refused from then on.
// ErrNoAccessToken.
func (db *DB) DeleteAccessToken(ctx context.Context, id uuid.UUID) error {
	return changed(db.with(ctx).Where("id = ?", id).Delete(&accessTokenRow{}), ErrNoAccessToken)
}

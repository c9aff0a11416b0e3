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
	"github.com/reevehq/reeve/tenants"
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
	Scope      TokenScope
	// SecondFactor says that it was made by somebody who had proved a second factor, or
	// by the installation's operator.
	SecondFactor bool
}

type accessTokenRow struct {
	ID         uuid.UUID `gorm:"primaryKey"`
	UserID     uuid.UUID
	Name       string
	Hash       []byte
	CreatedAt  time.Time `gorm:"default:now()"`
	ExpiresAt  *time.Time
	LastUsedAt *time.Time

	Organizations []uuid.UUID   `gorm:"serializer:json"`
	Projects      []tenants.Ref `gorm:"serializer:json"`
	Permissions   []string      `gorm:"serializer:json"`

	SecondFactor bool
}

func (accessTokenRow) TableName() string { return "access_tokens" }

func (r accessTokenRow) accessToken() AccessToken {
	return AccessToken{
		ID: r.ID, UserID: r.UserID, Name: r.Name,
		CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt,
		Scope: TokenScope{r.Organizations, r.Projects, r.Permissions}, SecondFactor: r.SecondFactor,
	}
}

// CreateAccessToken generates a personal access token (sbp_ and 40 hex digits,
// 160 bits) that never expires. Only this call returns its text; its HMAC is
// stored. It is the operator's, who needs no second factor to make one.
func (db *DB) CreateAccessToken(ctx context.Context, user uuid.UUID, name string) (string, error) {
	return db.CreateAccessTokenUntil(ctx, user, name, nil)
}

// CreateAccessTokenUntil is CreateAccessToken for a token that expires.
func (db *DB) CreateAccessTokenUntil(ctx context.Context, user uuid.UUID, name string, expires *time.Time) (text string, err error) {
	err = db.Tx(ctx, func(tx *Tx) error {
		_, text, err = tx.CreateAccessToken(ctx, db.Hasher(), AccessToken{UserID: user, Name: name, ExpiresAt: expires, SecondFactor: true})
		return err
	})
	return text, err
}

// newAccessToken is a text of 160 random bits.
func newAccessToken() string {
	raw := make([]byte, 20)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	return "sbp_" + hex.EncodeToString(raw)
}

// CreateAccessToken generates a token for the user, with the name, end and scope
// of t. Only this call returns its text.
func (tx *Tx) CreateAccessToken(ctx context.Context, hasher tenants.KeyHasher, t AccessToken) (AccessToken, string, error) {
	text := newAccessToken()
	hash := hasher.Hash(text)
	row := accessTokenRow{
		ID: uuid.New(), UserID: t.UserID, Name: t.Name, Hash: hash[:], ExpiresAt: t.ExpiresAt,
		Organizations: t.Scope.Organizations, Projects: t.Scope.Projects, Permissions: t.Scope.Permissions,
		SecondFactor: t.SecondFactor,
	}
	if err := tx.with(ctx).Create(&row).Error; err != nil {
		return AccessToken{}, "", Fault(fmt.Errorf("create access token: %w", err))
	}
	return row.accessToken(), text, nil
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

// CheckTokenLimit locks the user's access tokens and returns tooMany unless they
// are fewer than most.
func (tx *Tx) CheckTokenLimit(ctx context.Context, user uuid.UUID, most int, tooMany *fault.Error) error {
	if err := tx.with(ctx).Exec("SELECT pg_advisory_xact_lock(hashtextextended('access tokens of ' || ?::text, 0))", user).Error; err != nil {
		return Fault(err)
	}
	var have int64
	if err := tx.with(ctx).Model(&accessTokenRow{}).Where("user_id = ?", user).Count(&have).Error; err != nil {
		return Fault(err)
	}
	if have >= int64(most) {
		return tooMany
	}
	return nil
}

// AccessTokensOf lists a user's tokens, expired ones too, the oldest first.
func (r reader) AccessTokensOf(ctx context.Context, user uuid.UUID) ([]AccessToken, error) {
	var rows []accessTokenRow
	err := r.with(ctx).Where("user_id = ?", user).Order("created_at, id").Find(&rows).Error
	out := make([]AccessToken, len(rows))
	for i, row := range rows {
		out[i] = row.accessToken()
	}
	return out, Fault(err)
}

// DeleteAccessTokenOf is DeleteAccessToken for a token of the user only.
func (tx *Tx) DeleteAccessTokenOf(ctx context.Context, user, id uuid.UUID) error {
	return changed(tx.with(ctx).Where("id = ? AND user_id = ?", id, user).Delete(&accessTokenRow{}), ErrNoAccessToken)
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

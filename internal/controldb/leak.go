package controldb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Leaked are the keys and tokens that some texts are.
type Leaked struct {
	Keys          []APIKey
	AccessTokens  map[tenants.KeyHash]AccessToken
	ServiceTokens map[tenants.KeyHash]ServiceToken
}

// Leaked finds the keys and tokens with these hashes, expired ones too, of projects
// that are not deleted.
func (r reader) Leaked(ctx context.Context, hashes []tenants.KeyHash) (out Leaked, err error) {
	raw := make([][]byte, len(hashes))
	for i := range hashes {
		raw[i] = hashes[i][:]
	}
	var keys []apiKeyRow
	err = r.with(ctx).Where("hash IN ? AND ref IN (SELECT ref FROM projects WHERE deleted_at IS NULL)", raw).Find(&keys).Error
	if err != nil {
		return out, Fault(err)
	}
	var tokens []accessTokenRow
	if err := r.with(ctx).Where("hash IN ?", raw).Find(&tokens).Error; err != nil {
		return out, Fault(err)
	}
	var services []serviceTokenRow
	if err := r.with(ctx).Where("hash IN ?", raw).Find(&services).Error; err != nil {
		return out, Fault(err)
	}
	for _, k := range keys {
		out.Keys = append(out.Keys, k.apiKey())
	}
	out.AccessTokens, out.ServiceTokens = map[tenants.KeyHash]AccessToken{}, map[tenants.KeyHash]ServiceToken{}
	for _, t := range tokens {
		out.AccessTokens[tenants.KeyHash(t.Hash)] = t.accessToken()
	}
	for _, t := range services {
		out.ServiceTokens[tenants.KeyHash(t.Hash)] = t.serviceToken()
	}
	return out, nil
}

// LeakNotice is a row of leak_notices: who is to be told of a leaked key or token.
type LeakNotice struct {
	ID             uuid.UUID
	At             time.Time
	Subject        string     // names the key or token
	OrganizationID *uuid.UUID // its owners and administrators are told
	UserID         *uuid.UUID // or this user
	Kind           string
	Name           string
	Project        string // its name; "" for none
	Revoked        bool
	SentAt         *time.Time
	Attempts       int        // that failed
	RetryAt        *time.Time // not before this time; nil for at once
}

// TableName implements gorm's Tabler.
func (LeakNotice) TableName() string { return "leak_notices" }

const (
	// leakPeriod is for how long a subject that stays valid is not noted again.
	leakPeriod = 24 * time.Hour
	// leakPatience is for how long a notice is tried to be handed over.
	leakPatience = 7 * 24 * time.Hour
	// The pause after a failed attempt doubles, from shortestRetry to longestRetry.
	shortestRetry = 30 * time.Second
	longestRetry  = time.Hour
)

// NoteLeak notes a leak, unless the subject was noted with the same outcome within a
// day: false.
func (tx *Tx) NoteLeak(ctx context.Context, n LeakNotice) (bool, error) {
	if err := tx.with(ctx).Exec("SELECT pg_advisory_xact_lock(hashtextextended('leak of ' || ?::text, 0))", n.Subject).Error; err != nil {
		return false, Fault(err)
	}
	var noted int64
	err := tx.with(ctx).Model(&LeakNotice{}).Where("subject = ? AND revoked = ? AND at > ?", n.Subject, n.Revoked, n.At.Add(-leakPeriod)).Count(&noted).Error
	if err != nil || noted > 0 {
		return false, Fault(err)
	}
	return true, Fault(tx.with(ctx).Create(&n).Error)
}

// UnsentLeakNotices returns the notices whose mails are not handed over and that are
// due, those with the fewest attempts first and of them the oldest.
func (r reader) UnsentLeakNotices(ctx context.Context, now time.Time, most int) (out []LeakNotice, err error) {
	err = r.with(ctx).Where("sent_at IS NULL AND at > ? AND (retry_at IS NULL OR retry_at <= ?)", now.Add(-leakPatience), now).
		Order("attempts, at").Limit(most).Find(&out).Error
	return out, Fault(err)
}

// LeakNoticeFailed notes a failed attempt, after which the notice waits.
func (db *DB) LeakNoticeFailed(ctx context.Context, n LeakNotice, now time.Time) error {
	wait := min(shortestRetry<<min(n.Attempts, 10), longestRetry)
	return Fault(db.with(ctx).Exec("UPDATE leak_notices SET attempts = attempts + 1, retry_at = ? WHERE id = ?", now.Add(wait), n.ID).Error)
}

// LeakNoticeSent notes that the mails of a notice were handed over. Those sent a day
// ago are of no use any more and go, and those that nobody could send for a week.
func (db *DB) LeakNoticeSent(ctx context.Context, id uuid.UUID, now time.Time) error {
	err := db.with(ctx).Exec("DELETE FROM leak_notices WHERE sent_at < ? AND at < ? OR at < ?",
		now.Add(-leakPeriod), now.Add(-leakPeriod), now.Add(-leakPatience)).Error
	if err != nil {
		return Fault(err)
	}
	return Fault(db.with(ctx).Exec("UPDATE leak_notices SET sent_at = ? WHERE id = ?", now, id).Error)
}

// AppendAudit appends an entry to its organization's chain.
func (tx *Tx) AppendAudit(ctx context.Context, db *DB, e AuditEntry) error {
	return tx.endAudit(ctx, db, e)
}

// RevokeAccessToken removes a token of any user; ErrNoAccessToken.
func (tx *Tx) RevokeAccessToken(ctx context.Context, id uuid.UUID) error {
	return changed(tx.with(ctx).Where("id = ?", id).Delete(&accessTokenRow{}), ErrNoAccessToken)
}

package controldb

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrSetupLink refuses a setup link that is unknown, used, expired or no longer
// needed.
var ErrSetupLink = fault.New(fault.Forbidden, "setup_link_invalid",
	"The setup link is not valid: it was used, has expired, or somebody has set the installation up already")

// maxSetupLinks bounds the links that are good at a time: each start of a replica
// makes one.
const maxSetupLinks = 20

// CreateSetupLink returns the code of a new one-time link, which is stored by
// digest. The oldest links beyond a bound, and expired ones, end.
func (db *DB) CreateSetupLink(ctx context.Context, now, expires time.Time) (string, error) {
	code := rand.Text() // 130 bits
	hash := db.Hasher().Hash(code)
	return code, db.Tx(ctx, func(tx *Tx) error {
		err := tx.with(ctx).Exec("INSERT INTO setup_links (created_at, expires_at, hash) VALUES (?, ?, ?)", now, expires, hash[:]).Error
		if err != nil {
			return Fault(err)
		}
		return Fault(tx.with(ctx).Exec(`DELETE FROM setup_links WHERE expires_at <= ?
			OR hash NOT IN (SELECT hash FROM setup_links ORDER BY created_at DESC LIMIT ?)`, now, maxSetupLinks).Error)
	})
}

// CheckSetupLink returns nil if a code's link is good at this time; ErrSetupLink.
// It compares digests under the pepper, so its time says nothing about codes.
func (db *DB) CheckSetupLink(ctx context.Context, code string, now time.Time) error {
	return db.checkSetupLink(ctx, db, code, now)
}

func (r reader) checkSetupLink(ctx context.Context, db *DB, code string, now time.Time) error {
	hash := db.Hasher().Hash(code)
	var good bool
	err := r.with(ctx).Raw("SELECT EXISTS (SELECT FROM setup_links WHERE hash = ? AND expires_at > ?)", hash[:], now).Scan(&good).Error
	switch {
	case err != nil:
		return Fault(err)
	case !good:
		return ErrSetupLink
	}
	return nil
}

// UseSetupLink uses a link up, and all others: they end with the transaction,
// which no other use of a link overlaps. ErrSetupLink.
func (tx *Tx) UseSetupLink(ctx context.Context, db *DB, code string, now time.Time) error {
	if err := tx.lockOperators(ctx); err != nil {
		return err
	}
	if err := tx.checkSetupLink(ctx, db, code, now); err != nil {
		return err
	}
	return Fault(tx.with(ctx).Exec("DELETE FROM setup_links").Error)
}

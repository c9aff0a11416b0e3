package controldb

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/tenants"
)

const pepperPlace = "settings/pepper"

// Hasher hashes API keys and access tokens with the installation's pepper. It
// panics before Migrate: a hash without pepper must never be stored.
func (db *DB) Hasher() tenants.KeyHasher {
	p := db.pepper.Load()
	if p == nil {
		panic("controldb: Hasher before Migrate")
	}
	return tenants.KeyHasher{Pepper: *p}
}

// Installation identifies this control database: 32 hex digits that never
// change and have no meaning. Provisioning marks its databases and roles with
// it.
func (db *DB) Installation() string {
	mac := hmac.New(sha256.New, db.Hasher().Pepper)
	mac.Write([]byte("installation"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// loadPepper reads the pepper, and generates a missing one. Of replicas that do
// so at the same time the first one's is kept. A database without tables is not
// changed.
func (db *DB) loadPepper(ctx context.Context) error {
	draw := make([]byte, 32)
	_, _ = rand.Read(draw)
	sealed, err := db.keyring.Seal(pepperPlace, draw)
	if err != nil {
		return err
	}
	// Read first, so that a start needs no write.
	const read = `SELECT sealed FROM settings WHERE name = 'pepper'`
	err = db.pool.QueryRow(ctx, read).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		const insert = `INSERT INTO settings (name, sealed) VALUES ('pepper', $1) ON CONFLICT (name) DO NOTHING`
		if _, err = db.pool.Exec(ctx, insert, sealed); err == nil {
			err = db.pool.QueryRow(ctx, read).Scan(&sealed)
		}
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42P01" { // undefined_table
		return nil
	}
	if err != nil {
		return Fault(fmt.Errorf("read pepper: %w", err))
	}
	pepper, err := db.keyring.Open(pepperPlace, sealed)
	if err != nil {
		return fmt.Errorf("the master key does not belong to this control database: %w", err)
	}
	db.pepper.Store(&pepper)
	return nil
}

package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// knownSessions bounds the sessions, and as many ended ones, that DevicesOf reads.
const knownSessions = 100

// Devices are what a user signed in from.
type Devices struct {
	Noted   []string // by NoteDevice
	Clients []Client // of sessions, and of those that ended in the last weeks
}

// Client is the client of a session, as it said of itself.
type Client struct{ UserAgent, IP string }

// ReadDevices reads the devices of a user into d, together with the next statement
// whose result is needed.
func (tx *Tx) ReadDevices(ctx context.Context, user uuid.UUID, d *Devices) error {
	clients := func(rows pgx.Rows) error {
		for rows.Next() {
			var c Client
			if err := rows.Scan(&c.UserAgent, &c.IP); err != nil {
				return fmt.Errorf("read the clients of sessions: %w", err)
			}
			d.Clients = append(d.Clients, c)
		}
		return nil
	}
	err := tx.q.Read(ctx, "read the clients of sessions", clients, `SELECT coalesce(s.user_agent, ''), coalesce(pg_catalog.host(s.ip), '')
		FROM auth.sessions s WHERE s.user_id = $1 ORDER BY s.created_at DESC NULLS LAST, s.id LIMIT $2`, user, knownSessions)
	if err != nil {
		return err
	}
	err = tx.q.Read(ctx, "read the clients of ended sessions", clients, `SELECT e.user_agent, e.ip FROM reeve.session_ends($1, $2, $3) e`,
		unnamed, tx.capability, user, knownSessions)
	if err != nil {
		return err
	}
	return tx.q.Read(ctx, "read devices", func(rows pgx.Rows) error {
		for rows.Next() {
			var device string
			if err := rows.Scan(&device); err != nil {
				return fmt.Errorf("read devices: %w", err)
			}
			d.Noted = append(d.Noted, device)
		}
		return nil
	}, `SELECT d.device FROM reeve.device_list($1, $2) d (device)`, unnamed, tx.capability, user)
}

// NoteDevice notes a device of a user. The thirty seen last are kept.
func (tx *Tx) NoteDevice(ctx context.Context, user uuid.UUID, device string, at time.Time) error {
	return tx.q.Later(ctx, "note device", `SELECT reeve.device_seen($1, $2, $3, $4)`, unnamed, tx.capability, user, device, at)
}

// Report is a link by which the user of a session ends it.
type Report struct {
	Hash      string // of the link's token
	Session   uuid.UUID
	User      uuid.UUID
	CreatedAt time.Time
	ExpiresAt time.Time
}

// PutReport stores a link. It is false, and nothing is stored, if the user has had max
// since a time.
func (tx *Tx) PutReport(ctx context.Context, r *Report, since time.Time, max int) (stored bool, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.session_report_add($1, $2, $3, $4, $5, $6, $7, $8)`,
		unnamed, tx.capability, r.Hash, r.Session, r.User, r.CreatedAt, r.ExpiresAt, since, max).Scan(&stored)
	if err != nil {
		return false, fmt.Errorf("store the link that ends a session: %w", err)
	}
	return stored, nil
}

// FindReport returns what a link is for. use uses it up: of several requests, one gets
// it. auth.ErrLinkExpired for a link that is unknown, used or expired.
func (tx *Tx) FindReport(ctx context.Context, hash string, now time.Time, use bool) (Report, error) {
	r := Report{Hash: hash}
	err := tx.q.QueryRow(ctx, `SELECT r.session_id, r.user_id FROM reeve.session_report_find($1, $2, $3, $4) r`,
		unnamed, tx.capability, hash, now, use).Scan(&r.Session, &r.User)
	if err != nil {
		return r, notFound(fmt.Errorf("find the link that ends a session: %w", err), auth.ErrLinkExpired)
	}
	return r, nil
}

// TidyDevices forgets up to max devices that were not seen since a time, and links that
// have expired, and returns how many.
func (tx *Tx) TidyDevices(ctx context.Context, before, now time.Time, max int) (removed int64, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.device_tidy($1, $2, $3, $4)`, unnamed, tx.capability, before, now, max).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("tidy devices: %w", err)
	}
	return removed, nil
}

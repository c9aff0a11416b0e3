package tenantdb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// maxClient bounds a client in bytes.
const maxClient = 560

// clientOf describes a client as reeve.session_rotation keeps it. An address has no
// spaces.
func clientOf(ip, userAgent string) string {
	client := ip + " " + userAgent
	if len(client) > maxClient {
		client = strings.ToValidUTF8(client[:maxClient], "")
	}
	return client
}

// postgresEpoch is when Postgres' timestamps begin.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// rotationMAC tells a row of reeve.session_rotation from one that SQL of the project's
// developer wrote. The statement of a refresh must not carry the capability; whoever sees
// the MAC can repeat that row only, which changes nothing.
func rotationMAC(capability string, session uuid.UUID, at time.Time, client string) []byte {
	message := append([]byte("session_rotated"), session[:]...)
	message = binary.BigEndian.AppendUint64(message, uint64(at.UnixMicro()-postgresEpoch.UnixMicro()))
	message = append(message, client...)
	key, digest := sha256.Sum256([]byte(capability)), sha256.Sum256(message)
	mac := sha256.Sum256(append(key[:], digest[:]...))
	return mac[:]
}

// PutRotation records a refresh that AdvanceSession made.
func (tx *Tx) PutRotation(ctx context.Context, r *auth.Rotation) error {
	client := clientOf(r.IP, r.UserAgent)
	return tx.q.Later(ctx, "record refresh", `INSERT INTO reeve.session_rotation (session_id, at, client, mac) VALUES ($1, $2, $3, $4)`,
		r.SessionID, r.At, client, rotationMAC(tx.capability, r.SessionID, r.At, client))
}

// TidyRotations removes up to max refreshes that were stored before a time, and returns
// how many.
func (tx *Tx) TidyRotations(ctx context.Context, before time.Time, max int) (removed int64, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.session_rotation_tidy($1, $2, $3)`, unnamed, tx.capability, before, max).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("tidy refreshes: %w", err)
	}
	return removed, nil
}

// RotationsOf returns ordinary refreshes of sessions, the newest first: at most the last
// 50 of each session, and max in all.
func (tx *Tx) RotationsOf(ctx context.Context, sessions []uuid.UUID, max int) ([]auth.Rotation, error) {
	rows, err := tx.q.Query(ctx, `SELECT r.session_id, r.at, r.client FROM reeve.session_rotations($1, $2, $3) r`,
		unnamed, tx.capability, sessions, max)
	if err != nil {
		return nil, fmt.Errorf("list rotations: %w", err)
	}
	defer rows.Close()
	list := []auth.Rotation{}
	for rows.Next() {
		var r auth.Rotation
		var client string
		if err := rows.Scan(&r.SessionID, &r.At, &client); err != nil {
			return nil, fmt.Errorf("list rotations: %w", err)
		}
		r.IP, r.UserAgent, _ = strings.Cut(client, " ")
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list rotations: %w", err)
	}
	return list, nil
}

package controldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/reevehq/reeve/internal/fault"
)

// forUpdate locks the rows that a query reads.
var forUpdate = clause.Locking{Strength: "UPDATE"}

// idempotencyTTL is how long an answer is kept, in Postgres' words.
const idempotencyTTL = "24 hours"

// ErrReservationLost is returned to a create that took so long that another
// request has taken over its Idempotency-Key.
var ErrReservationLost = fault.New(fault.Conflict, "idempotency_under_way",
	"Another request with this Idempotency-Key took over")

// Reservation is an Idempotency-Key held by a request in progress.
type Reservation struct {
	Actor uuid.UUID
	Key   string
	at    time.Time // identifies the key's request; times come from the database's clock alone
}

// IdempotentRequest is the stored first request with a key.
type IdempotentRequest struct {
	RequestHash []byte
	Status      int // 0 while there is no answer
	Response    []byte
	Age         time.Duration
}

type idempotencyRow struct {
	Actor       uuid.UUID `gorm:"primaryKey"`
	Key         string    `gorm:"primaryKey"`
	RequestHash []byte
	Status      *int
	Response    []byte
	CreatedAt   time.Time
	Age         float64 `gorm:"->"` // seconds
}

func (idempotencyRow) TableName() string { return "idempotency_keys" }

// ReserveIdempotencyKey reserves a key for a request. If an earlier request has
// it, that request is returned with its reservation.
func (db *DB) ReserveIdempotencyKey(ctx context.Context, actor uuid.UUID, key string, hash []byte) (Reservation, *IdempotentRequest, error) {
	res := Reservation{Actor: actor, Key: key}
	// A key can expire or be released between insert and select; then it is
	// tried once more.
	for range 5 {
		err := db.with(ctx).Exec(`DELETE FROM idempotency_keys
			WHERE actor = ? AND key = ? AND created_at < clock_timestamp() - interval '`+idempotencyTTL+`'`, actor, key).Error
		if err != nil {
			return res, nil, Fault(err)
		}
		err = db.with(ctx).Raw(`INSERT INTO idempotency_keys (actor, key, request_hash, created_at)
			VALUES (?, ?, ?, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING created_at`, actor, key, hash).Row().Scan(&res.at)
		if err == nil {
			return res, nil, nil
		}
		if !noRows(err) {
			return res, nil, Fault(err)
		}
		var row idempotencyRow
		err = db.with(ctx).Select("*, extract(epoch FROM clock_timestamp() - created_at)::float8 AS age").
			Where("actor = ? AND key = ?", actor, key).Take(&row).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			continue
		}
		if err != nil {
			return res, nil, Fault(err)
		}
		res.at = row.CreatedAt
		earlier := &IdempotentRequest{
			RequestHash: row.RequestHash, Response: row.Response,
			Age: time.Duration(row.Age * float64(time.Second)),
		}
		if row.Status != nil {
			earlier.Status = *row.Status
		}
		return res, earlier, nil
	}
	return res, nil, ErrReservationLost
}

// TakeOverReservation gives a reservation without an answer to another request;
// nil when it got an answer, or was taken over, in the meantime.
func (db *DB) TakeOverReservation(ctx context.Context, res Reservation) (*Reservation, error) {
	err := db.with(ctx).Raw(`UPDATE idempotency_keys SET created_at = clock_timestamp()
		WHERE actor = ? AND key = ? AND created_at = ? AND status IS NULL RETURNING created_at`,
		res.Actor, res.Key, res.at).Row().Scan(&res.at)
	if noRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Fault(err)
	}
	return &res, nil
}

// CompleteReservation stores the answer, or a newer one; ErrReservationLost when
// another request took over.
func (tx *Tx) CompleteReservation(ctx context.Context, res Reservation, status int, sealed []byte) error {
	return changed(tx.with(ctx).Model(&idempotencyRow{}).
		Where("actor = ? AND key = ? AND created_at = ?", res.Actor, res.Key, res.at).
		Updates(map[string]any{"status": status, "response": sealed}), ErrReservationLost)
}

// ReopenReservation removes the answer of a reservation.
func (db *DB) ReopenReservation(ctx context.Context, res Reservation) error {
	return changed(db.with(ctx).Model(&idempotencyRow{}).
		Where("actor = ? AND key = ? AND created_at = ?", res.Actor, res.Key, res.at).
		Updates(map[string]any{"status": nil, "response": nil}), ErrReservationLost)
}

// ReleaseReservation deletes a reservation without an answer.
func (db *DB) ReleaseReservation(ctx context.Context, res Reservation) error {
	return Fault(db.with(ctx).
		Where("actor = ? AND key = ? AND created_at = ? AND status IS NULL", res.Actor, res.Key, res.at).
		Delete(&idempotencyRow{}).Error)
}

// DeleteOldIdempotencyKeys removes rows older than a day and returns how many.
func (db *DB) DeleteOldIdempotencyKeys(ctx context.Context) (int64, error) {
	res := db.with(ctx).Exec(`DELETE FROM idempotency_keys
		WHERE created_at < clock_timestamp() - interval '` + idempotencyTTL + `'`)
	return res.RowsAffected, Fault(res.Error)
}

func noRows(err error) bool {
	return errors.Is(err, sql.ErrNoRows) || errors.Is(err, gorm.ErrRecordNotFound)
}

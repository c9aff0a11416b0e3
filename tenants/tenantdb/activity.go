package tenantdb

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Activity is an entry of the ledger of active users.
type Activity struct {
	UserID    uuid.UUID
	At        time.Time // the first sign-in or refresh in the period
	Kind      string    // a billing.Kind
	Method    string    // how the user came
	SessionID uuid.UUID
	// ReturnedAt is the first time in the period that is 24 hours after the user's first
	// entry, or later; nil for none. CountActive finds it.
	ReturnedAt *time.Time
}

// CountActive enters a user as active in the billing period that begins on this day
// (UTC). Repeating it changes nothing, but for the first time a day after the user's
// first entry.
func (tx *Tx) CountActive(ctx context.Context, period time.Time, a Activity) error {
	return tx.q.Later(ctx, "count activity", `SELECT reeve.activity_count($1, $2, $3, $4, $5, $6, $7)`,
		unnamed, tx.capability, period, a.UserID, a.At, a.Kind, a.Method, a.SessionID)
}

// ActiveDay is how many users a day has.
type ActiveDay struct {
	Period   time.Time // its first day
	Day      time.Time
	Kind     string
	Method   string
	Users    int64 // counted on this day
	Returned int64 // who came back on this day, a day or more after they came first
}

// ActiveDays counts the ledger's entries since a day, by period, day, kind and method.
func (tx *Tx) ActiveDays(ctx context.Context, since time.Time) ([]ActiveDay, error) {
	rows, err := tx.q.Query(ctx, `SELECT d.period, d.day, d.kind, d.method, d.users, d.returned FROM reeve.activity_days($1, $2) d`,
		unnamed, tx.capability, since)
	if err != nil {
		return nil, fmt.Errorf("count days of activity: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ActiveDay])
	if err != nil {
		return nil, fmt.Errorf("count days of activity: %w", err)
	}
	return list, nil
}

// Activities returns up to max entries of a period, in the order of their times, those
// from a time on without the first skip ones; of one day unless it is nil.
func (tx *Tx) Activities(ctx context.Context, period time.Time, day *time.Time, from time.Time, skip, max int) ([]Activity, error) {
	rows, err := tx.q.Query(ctx, `SELECT e.user_id, e.first_at, e.kind, e.method, coalesce(e.session_id, '00000000-0000-0000-0000-000000000000'), e.returned_at
		FROM reeve.activity_entries($1, $2, $3, $4, $5, $6) e`, unnamed, tx.capability, period, day, from, skip, max)
	if err != nil {
		return nil, fmt.Errorf("list activity: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Activity])
	if err != nil {
		return nil, fmt.Errorf("list activity: %w", err)
	}
	return list, nil
}

// TidyActivity removes up to max entries of periods that began before a day, and returns
// how many.
func (tx *Tx) TidyActivity(ctx context.Context, before time.Time, max int) (removed int64, err error) {
	err = tx.q.QueryRow(ctx, `SELECT reeve.activity_tidy($1, $2, $3)`, unnamed, tx.capability, before, max).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("tidy activity: %w", err)
	}
	return removed, nil
}

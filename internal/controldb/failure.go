package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/ratelimit"
)

var _ ratelimit.Keeper = (*DB)(nil)

// KeepFailures implements ratelimit.Keeper. Failures in projects that do not exist
// are ignored.
func (db *DB) KeepFailures(ctx context.Context, list []ratelimit.Failures) error {
	raw, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("encode failures: %w", err)
	}
	// In one order, so that two processes wait for each other at most once. The times
	// of a list differ, so that KeptFailures can go on after any of them.
	_, err = db.pool.Exec(ctx, `INSERT INTO failures AS f (ref, rule, identifier, count, rate, burst, at, spent_at)
		SELECT e.ref, e.rule, e.identifier, least(e.count, e.burst), e.rate, e.burst, e.at, e.at + make_interval(secs => least(e.count, e.burst) / e.rate)
		FROM (SELECT r.*, now.at + row_number() OVER (ORDER BY ref, rule, identifier) * interval '1 microsecond' AS at
			FROM jsonb_to_recordset($1::jsonb) AS r(ref text, rule text, identifier text, count double precision, rate double precision, burst integer)
			CROSS JOIN clock_timestamp() AS now(at)) AS e
		JOIN projects p ON p.ref = e.ref AND p.deleted_at IS NULL
		ORDER BY e.ref, e.rule, e.identifier
		ON CONFLICT (ref, rule, identifier) DO UPDATE SET (count, rate, burst, at, spent_at) = (
			SELECT n.count, excluded.rate, excluded.burst, excluded.at, excluded.at + make_interval(secs => n.count / excluded.rate)
			FROM (SELECT least(excluded.burst,
				excluded.count + greatest(0, f.count - excluded.rate * extract(epoch FROM excluded.at - f.at))) AS count) AS n)`, string(raw))
	return Fault(err)
}

// KeptFailures implements ratelimit.Keeper.
func (db *DB) KeptFailures(ctx context.Context, since time.Time, max int) (list []ratelimit.Failures, last time.Time, err error) {
	rows, _ := db.pool.Query(ctx, `SELECT ref, rule, identifier, greatest(0, count - rate * extract(epoch FROM clock_timestamp() - at)), rate, burst, at
		FROM failures WHERE at > $1 AND spent_at > clock_timestamp() ORDER BY at LIMIT $2`, since, max)
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f ratelimit.Failures, err error) {
		return f, row.Scan(&f.Ref, &f.Rule, &f.Identifier, &f.Count, &f.Rate, &f.Burst, &last)
	})
	return list, last, Fault(err)
}

// DeleteOldFailures deletes those that are forgotten.
func (db *DB) DeleteOldFailures(ctx context.Context) error {
	_, err := db.pool.Exec(ctx, `DELETE FROM failures WHERE spent_at < clock_timestamp()`)
	return Fault(err)
}

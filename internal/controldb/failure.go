package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/ratelimit"
)

var _ ratelimit.Keeper = (*DB)(nil)

// The bounds of the table: a project whose users are guessed at cannot fill it, nor
// make it lose the rows of others.
const (
	maxFailuresOf = 10_000    // of a project, each time that failures are kept
	maxFailures   = 1_000_000 // of all, each time that old ones are deleted
)

// KeepFailures implements ratelimit.Keeper. Failures in projects that do not exist
// are ignored.
func (db *DB) KeepFailures(ctx context.Context, list []ratelimit.Failures) error {
	raw, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("encode failures: %w", err)
	}
	// In one order, so that two processes wait for each other at most once. The times
	// of a list differ, so that KeptFailures can go on after any of them.
	// One transaction, because what fails as a whole is written again.
	tx, err := db.pool.Begin(ctx)
	if err != nil {
		return Fault(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	_, err = tx.Exec(ctx, `INSERT INTO failures AS f (ref, rule, identifier, count, rate, burst, at, spent_at)
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
	if err != nil {
		return Fault(err)
	}
	refs := map[string]bool{}
	for i := range list {
		refs[string(list[i].Ref)] = true
	}
	if err := trimFailures(ctx, tx, slices.Collect(maps.Keys(refs)), maxFailuresOf); err != nil {
		return err
	}
	return Fault(tx.Commit(ctx))
}

// trimFailures leaves max failures of each of the projects: those that are forgotten
// last, so that a flood of identifiers that are guessed at once does not displace
// those that are guessed at often.
//
// It waits for no other process: rows that one is writing stay for the next time.
func trimFailures(ctx context.Context, db interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, refs []string, max int,
) error {
	_, err := db.Exec(ctx, `DELETE FROM failures f USING (
			SELECT l.ctid FROM failures l JOIN (
				SELECT p.ref, x.rule, x.identifier FROM unnest($1::text[]) AS p (ref) CROSS JOIN LATERAL (
					SELECT rule, identifier FROM failures WHERE ref = p.ref ORDER BY spent_at DESC OFFSET $2) AS x) AS x
			USING (ref, rule, identifier)
			FOR UPDATE OF l SKIP LOCKED) AS gone
		WHERE f.ctid = gone.ctid`, refs, max)
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

// DeleteOldFailures deletes those that are forgotten, and, where all projects
// together have too many, some of the projects that have the most.
func (db *DB) DeleteOldFailures(ctx context.Context) error {
	return db.deleteOldFailures(ctx, maxFailures)
}

func (db *DB) deleteOldFailures(ctx context.Context, max int) error {
	if _, err := db.pool.Exec(ctx, `DELETE FROM failures WHERE spent_at < clock_timestamp()`); err != nil {
		return Fault(err)
	}
	// In ascending order of their numbers the projects keep all that they have, as long
	// as as much is left for each of those that follow; these keep an equal share.
	rows, _ := db.pool.Query(ctx, `WITH p AS (
			SELECT ref, count(*) AS n FROM failures GROUP BY ref
		), ordered AS (
			SELECT ref, n, $1 - (sum(n) OVER w - n) AS left_over, count(*) OVER () - row_number() OVER w + 1 AS following
			FROM p WINDOW w AS (ORDER BY n, ref)
		), share AS (
			SELECT floor(left_over / following)::bigint AS share FROM ordered WHERE n * following > left_over ORDER BY n, ref LIMIT 1
		)
		SELECT p.ref, share FROM p, share WHERE n > share`, max)
	var ref string
	var share int64
	shares := map[string]int64{}
	if _, err := pgx.ForEachRow(rows, []any{&ref, &share}, func() error {
		shares[ref] = share
		return nil
	}); err != nil {
		return Fault(err)
	}
	for ref, share := range shares {
		if err := trimFailures(ctx, db.pool, []string{ref}, int(share)); err != nil {
			return err
		}
	}
	return nil
}

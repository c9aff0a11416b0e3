package controldb

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
)

// AddUsage implements usage.Store, in one transaction. A batch that Postgres does
// not accept is dropped.
func (db *DB) AddUsage(ctx context.Context, b usage.Batch) error {
	err := pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		if err := addCounts(ctx, tx, b); err != nil {
			return err
		}
		return mergeActive(ctx, tx, "hour", b.Active)
	})
	if badData(err) {
		slog.WarnContext(ctx, "usage cannot be stored", "error", err)
		return nil
	}
	return Fault(err)
}

// addCounts adds the counts unless the batch was added before.
func addCounts(ctx context.Context, tx pgx.Tx, b usage.Batch) error {
	if len(b.Counts) == 0 {
		return nil
	}
	raw, err := json.Marshal(b.Counts)
	if err != nil {
		return fmt.Errorf("encode usage: %w", err)
	}
	// Rows are locked in the order of the key, so that processes do not deadlock.
	_, err = tx.Exec(ctx, `WITH turn AS (
			INSERT INTO usage_writers AS w (id, batch) VALUES ($2, $3)
			ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = now() WHERE w.batch < excluded.batch
			RETURNING id
		)
		INSERT INTO usage_counts AS u (ref, span, at, metric, label, count)
		SELECT e.ref, 'hour', e.at, e.metric, e.label, sum(e.count)
		  FROM turn, jsonb_to_recordset($1::jsonb) AS e(ref text, at timestamptz, metric text, label text, count bigint)
		  JOIN projects p ON p.ref = e.ref AND p.deleted_at IS NULL
		 GROUP BY e.ref, e.at, e.metric, e.label ORDER BY e.ref, e.at, e.metric, e.label
		ON CONFLICT (ref, span, at, metric, label) DO UPDATE SET count = u.count + excluded.count`, string(raw), b.Writer, b.Number)
	return err
}

// mergeActive merges sketches into those of their hours, or days.
func mergeActive(ctx context.Context, tx pgx.Tx, span string, all []usage.Active) error {
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b usage.Active) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), a.Hour.Compare(b.Hour))
	})
	refs, hours := make([]string, len(all)), make([]time.Time, len(all))
	for i, a := range all {
		refs[i], hours[i] = a.Project, a.Hour
	}
	// The update locks rows that exist, so that no other process merges meanwhile.
	rows, _ := tx.Query(ctx, `INSERT INTO usage_active AS u (ref, span, at)
		SELECT e.ref, $3, e.at FROM unnest($1::text[], $2::timestamptz[]) AS e(ref, at)
		  JOIN projects p ON p.ref = e.ref AND p.deleted_at IS NULL ORDER BY e.ref, e.at
		ON CONFLICT (ref, span, at) DO UPDATE SET users = u.users
		RETURNING ref, at, sketch`, refs, hours, span)
	stored := map[string][]byte{}
	var ref string
	var at time.Time
	var sketch []byte
	place := func(ref string, at time.Time) string { return ref + " " + at.UTC().Format(time.RFC3339) }
	if _, err := pgx.ForEachRow(rows, []any{&ref, &at, &sketch}, func() error {
		stored[place(ref, at)] = slices.Clone(sketch)
		return nil
	}); err != nil {
		return err
	}
	changes := &pgx.Batch{}
	for _, a := range all {
		before, ok := stored[place(a.Project, a.Hour)]
		if !ok { // the project is deleted
			continue
		}
		merged, err := usage.ParseSketch(before)
		if err != nil {
			return fmt.Errorf("usage of %s: %w", a.Project, err)
		}
		if merged.Merge(a.Users) {
			changes.Queue(`UPDATE usage_active SET sketch = $4, users = $5 WHERE ref = $1 AND span = $2 AND at = $3`,
				a.Project, span, a.Hour, merged.Bytes(), merged.Users())
		}
	}
	return tx.SendBatch(ctx, changes).Close()
}

// How long usage is kept, and how many days are rolled up again, for counts that
// were written late. Days before these are rolled up if no run has done so yet.
const (
	hourlyKept = 35 * 24 * time.Hour
	dailyKept  = 400 * 24 * time.Hour
	rolledDays = 3
)

// RollUpUsage replaces the sums of the last days by those of their hours, and
// deletes what is too old or of deleted projects. It is idempotent.
func (db *DB) RollUpUsage(ctx context.Context, now time.Time) error {
	today := now.UTC().Truncate(24 * time.Hour)
	first, err := db.firstToRoll(ctx, today)
	if err != nil {
		return err
	}
	for day := first; day.Before(today); day = day.AddDate(0, 0, 1) { // the oldest first: see firstToRoll
		if err := db.rollUpDay(ctx, day); err != nil {
			return err
		}
	}
	for _, table := range []string{"usage_counts", "usage_active"} {
		if _, err := db.pool.Exec(ctx, "DELETE FROM "+table+` WHERE span = 'hour' AND at < $1 OR span = 'day' AND at < $2
			OR ref IN (SELECT ref FROM projects WHERE deleted_at IS NOT NULL)`, today.Add(-hourlyKept), today.Add(-dailyKept)); err != nil {
			return Fault(err)
		}
	}
	if _, err := db.pool.Exec(ctx, "DELETE FROM project_users WHERE ref IN (SELECT ref FROM projects WHERE deleted_at IS NOT NULL)"); err != nil {
		return Fault(err)
	}
	_, err = db.pool.Exec(ctx, "DELETE FROM usage_writers WHERE at < now() - interval '1 day'")
	return Fault(err)
}

// firstToRoll returns the first day to roll up: as many days before the last one that
// was as are rolled up again, because nothing may have run since for longer; without
// any, the first that has hours.
func (db *DB) firstToRoll(ctx context.Context, today time.Time) (time.Time, error) {
	var last, hours *time.Time
	err := db.pool.QueryRow(ctx, `SELECT (SELECT max(at) FROM usage_counts WHERE span = 'day' AND at < $1),
		least((SELECT min(at) FROM usage_counts WHERE span = 'hour'), (SELECT min(at) FROM usage_active WHERE span = 'hour'))`, today).Scan(&last, &hours)
	first := today.AddDate(0, 0, -rolledDays)
	if hours == nil {
		return first, Fault(err)
	}
	if hours.Before(first) && last == nil {
		first = hours.UTC().Truncate(24 * time.Hour)
	}
	if last != nil {
		if from := last.UTC().AddDate(0, 0, 1-rolledDays); from.Before(first) {
			first = from
		}
		if hours.After(first) { // the days before have none left
			first = hours.UTC().Truncate(24 * time.Hour)
		}
	}
	return first, Fault(err)
}

func (db *DB) rollUpDay(ctx context.Context, day time.Time) error {
	next := day.AddDate(0, 0, 1)
	return Fault(pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO usage_counts AS u (ref, span, at, metric, label, count)
			SELECT ref, 'day', $1, metric, label, sum(count) FROM usage_counts
			 WHERE span = 'hour' AND at >= $1 AND at < $2 GROUP BY ref, metric, label ORDER BY ref, metric, label
			ON CONFLICT (ref, span, at, metric, label) DO UPDATE SET count = excluded.count
			 WHERE u.count <> excluded.count`, day, next); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, `SELECT ref, sketch FROM usage_active WHERE span = 'hour' AND at >= $1 AND at < $2`, day, next)
		var ref string
		var raw []byte
		merged := map[string]*usage.Sketch{}
		if _, err := pgx.ForEachRow(rows, []any{&ref, &raw}, func() error {
			s, err := usage.ParseSketch(raw)
			if merged[ref] == nil {
				merged[ref] = &usage.Sketch{}
			}
			merged[ref].Merge(s)
			return err
		}); err != nil {
			return err
		}
		var days []usage.Active
		for ref, s := range merged {
			days = append(days, usage.Active{Project: ref, Hour: day, Users: *s})
		}
		return mergeActive(ctx, tx, "day", days)
	}))
}

// UsagePoint is the usage of an hour or a day.
type UsagePoint struct {
	At     time.Time
	Counts map[usage.Metric]map[string]int64 // by label
	Users  int64                             // estimate
}

// Usage returns the usage of projects together from an hour or day on until
// another, in ascending order and without empty ones. A user of two projects
// counts twice. The latest days are summed from their hours.
func (db *DB) Usage(ctx context.Context, refs []tenants.Ref, from, until time.Time, daily bool, now time.Time) ([]UsagePoint, error) {
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = string(r)
	}
	span, recent := "hour", until
	if daily {
		span = "day"
		recent = now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-rolledDays)
	}
	points := map[time.Time]*UsagePoint{}
	point := func(at time.Time) *UsagePoint {
		if daily {
			at = at.UTC().Truncate(24 * time.Hour)
		}
		at = at.UTC()
		if points[at] == nil {
			points[at] = &UsagePoint{At: at, Counts: map[usage.Metric]map[string]int64{}}
		}
		return points[at]
	}
	const selected = ` WHERE ref = ANY($1) AND at >= $2 AND at < $3 AND span = CASE WHEN at < $4 THEN $5 ELSE 'hour' END`
	var at time.Time
	var metric usage.Metric
	var label, ref string
	var n int64
	var raw []byte
	rows, _ := db.pool.Query(ctx, `SELECT at, metric, label, sum(count)::bigint FROM usage_counts`+selected+` GROUP BY 1, 2, 3`, names, from, until, recent, span)
	if _, err := pgx.ForEachRow(rows, []any{&at, &metric, &label, &n}, func() error {
		p := point(at)
		if p.Counts[metric] == nil {
			p.Counts[metric] = map[string]int64{}
		}
		p.Counts[metric][label] += n
		return nil
	}); err != nil {
		return nil, Fault(err)
	}
	type place struct {
		at  time.Time
		ref string
	}
	merged := map[place]*usage.Sketch{}
	rows, _ = db.pool.Query(ctx, `SELECT ref, at, users, CASE WHEN at >= $4 THEN sketch END FROM usage_active`+selected, names, from, until, recent, span)
	if _, err := pgx.ForEachRow(rows, []any{&ref, &at, &n, &raw}, func() error {
		p := point(at)
		if raw == nil {
			p.Users += n
			return nil
		}
		s, err := usage.ParseSketch(raw)
		k := place{p.At, ref}
		if merged[k] == nil {
			merged[k] = &usage.Sketch{}
		}
		merged[k].Merge(s)
		return err
	}); err != nil {
		return nil, Fault(err)
	}
	for k, s := range merged {
		points[k.at].Users += s.Users()
	}
	out := make([]UsagePoint, 0, len(points))
	for _, p := range points {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b UsagePoint) int { return a.At.Compare(b.At) })
	return out, nil
}

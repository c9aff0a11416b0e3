package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/tenants"
)

// HookCall is a call of a project's hook.
type HookCall struct {
	ID        uuid.UUID     `json:"id"`
	Ref       tenants.Ref   `json:"ref"`
	Point     string        `json:"point"`
	At        time.Time     `json:"at"`
	Duration  time.Duration `json:"-"`
	Outcome   string        `json:"outcome"`
	Mode      string        `json:"mode"`
	Error     string        `json:"error"`
	Status    int           `json:"status"`
	RequestID string        `json:"request_id"`
}

// KeptHookCalls is how many calls of a hook are kept.
const KeptHookCalls = 100

// AddHookCalls writes calls, and deletes older ones of the same hooks. Those of
// projects that do not exist are ignored.
func (db *DB) AddHookCalls(ctx context.Context, calls []HookCall) error {
	type row struct {
		HookCall
		Micros int64 `json:"us"`
	}
	rows := make([]row, len(calls))
	for i, c := range calls {
		rows[i] = row{c, c.Duration.Microseconds()}
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode calls of hooks: %w", err)
	}
	_, err = db.pool.Exec(ctx, `WITH e AS (
			SELECT e.* FROM jsonb_to_recordset($1::jsonb) AS e(id uuid, ref text, point text, at timestamptz, us bigint, outcome text,
				mode text, error text, status integer, request_id text)
			JOIN projects p ON p.ref = e.ref AND p.deleted_at IS NULL
		), added AS (
			INSERT INTO hook_calls (id, ref, point, at, duration, outcome, mode, error, status, request_id)
			SELECT id, ref, point, at, us * interval '1 microsecond', outcome, mode, error, status, request_id FROM e ORDER BY at
			ON CONFLICT (id) DO NOTHING
		)
		DELETE FROM hook_calls c USING (SELECT DISTINCT ref, point FROM e) t
		WHERE c.ref = t.ref AND c.point = t.point AND c.seq <= (
			SELECT o.seq FROM hook_calls o WHERE o.ref = t.ref AND o.point = t.point ORDER BY o.seq DESC OFFSET $2 LIMIT 1)`,
		string(raw), KeptHookCalls)
	return Fault(err)
}

// HookCalls returns the last calls of a project's hook, or of all with point "", the
// newest first.
func (db *DB) HookCalls(ctx context.Context, ref tenants.Ref, point string, limit int) ([]HookCall, error) {
	rows, _ := db.pool.Query(ctx, `SELECT id, ref, point, at, duration, outcome, mode, error, status, request_id FROM hook_calls
		WHERE ref = $1 AND ($2 = '' OR point = $2) ORDER BY seq DESC LIMIT $3`, string(ref), point, limit)
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c HookCall, err error) {
		err = r.Scan(&c.ID, &c.Ref, &c.Point, &c.At, &c.Duration, &c.Outcome, &c.Mode, &c.Error, &c.Status, &c.RequestID)
		return c, err
	})
	return out, Fault(err)
}

// HookStats is the kept calls of a hook, counted.
type HookStats struct {
	Calls, Failed, Refused int
	Median, Slowest        time.Duration
	LastAt                 time.Time // of the last call
	LastError              string    // of the last call that failed
}

// HookStats returns the stats of a project's hooks that have calls since a time, by
// point.
func (db *DB) HookStats(ctx context.Context, ref tenants.Ref, since time.Time) (map[string]HookStats, error) {
	rows, _ := db.pool.Query(ctx, `SELECT point, count(*), count(*) FILTER (WHERE outcome NOT IN ('ok', 'refused')),
			count(*) FILTER (WHERE outcome = 'refused'), percentile_cont(0.5) WITHIN GROUP (ORDER BY duration), max(duration), max(at),
			coalesce((array_agg(error ORDER BY seq DESC) FILTER (WHERE outcome NOT IN ('ok', 'refused')))[1], '')
		FROM hook_calls WHERE ref = $1 AND at >= $2 GROUP BY point`, string(ref), since)
	out := map[string]HookStats{}
	var point string
	var s HookStats
	_, err := pgx.ForEachRow(rows, []any{&point, &s.Calls, &s.Failed, &s.Refused, &s.Median, &s.Slowest, &s.LastAt, &s.LastError}, func() error {
		out[point] = s
		return nil
	})
	return out, Fault(err)
}

// DeleteOldHookCalls deletes the calls that are older than keep, and those of deleted
// projects, and returns how many.
func (db *DB) DeleteOldHookCalls(ctx context.Context, keep time.Duration) (int64, error) {
	tag, err := db.pool.Exec(ctx, `DELETE FROM hook_calls WHERE at < now() - $1::interval
		OR ref IN (SELECT ref FROM projects WHERE deleted_at IS NOT NULL)`, keep)
	return tag.RowsAffected(), Fault(err)
}

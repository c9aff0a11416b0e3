package controldb

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/keyusage"
	"github.com/reevehq/reeve/tenants"
)

// keepKeyUses is how long the days of a key are kept, and who used it last.
const keepKeyUses = 30 * 24 * time.Hour

// AddKeyUses implements keyusage.Store, in one transaction. A batch that Postgres
// does not accept is dropped.
func (db *DB) AddKeyUses(ctx context.Context, b keyusage.Batch) error {
	raw, err := json.Marshal(b.Uses)
	if err != nil {
		return fmt.Errorf("encode uses of keys: %w", err)
	}
	// Rows are locked in the order of the keys, so that processes do not deadlock.
	const known = ` e JOIN projects p ON p.ref = e.ref AND p.deleted_at IS NULL
		WHERE e.key IN ('anon', 'service_role') OR EXISTS (SELECT FROM api_keys k WHERE k.ref = e.ref AND k.id = nullif(nullif(e.key, 'anon'), 'service_role')::uuid)`
	const uses = `jsonb_to_recordset($1::jsonb) AS e(ref text, key text, day date, count bigint, at timestamptz, ip text, agent text, sdk text, version text)`
	err = pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		added, err := tx.Exec(ctx, `INSERT INTO usage_writers AS w (id, batch) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = now() WHERE w.batch < excluded.batch`, b.Writer, b.Number)
		if err != nil || added.RowsAffected() == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO api_key_days AS d (ref, key, day, count)
			SELECT e.ref, e.key, e.day, e.count FROM (SELECT ref, key, day, sum(count) AS count FROM `+uses+` GROUP BY ref, key, day)`+known+`
			 ORDER BY e.ref, e.key, e.day
			ON CONFLICT (ref, key, day) DO UPDATE SET count = d.count + excluded.count`, string(raw))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO api_key_uses AS u (ref, key, at, ip, agent, sdk, version)
			SELECT e.ref, e.key, e.at, e.ip, e.agent, e.sdk, e.version
			  FROM (SELECT DISTINCT ON (ref, key) * FROM `+uses+` ORDER BY ref, key, at DESC)`+known+`
			 ORDER BY e.ref, e.key
			ON CONFLICT (ref, key) DO UPDATE SET at = excluded.at, ip = excluded.ip, agent = excluded.agent, sdk = excluded.sdk, version = excluded.version
			 WHERE u.at <= excluded.at`, string(raw))
		return err
	})
	if badData(err) {
		slog.WarnContext(ctx, "uses of keys cannot be stored", "error", err)
		return nil
	}
	return Fault(err)
}

// KeyUse is the use of a key: who used it last, and how often it was used on the
// days on which it was.
type KeyUse struct {
	Key                     string // id, or the role of a legacy key
	At                      time.Time
	IP, Agent, SDK, Version string // "" where unknown, or too old
	Days                    []KeyDay
}

// KeyDay is the number of uses on a day (UTC).
type KeyDay struct {
	Day   time.Time
	Count int64
}

// KeyUses returns the use of a project's keys that were ever used, by key, with the
// days from one on, in ascending order.
func (r reader) KeyUses(ctx context.Context, ref tenants.Ref, from time.Time) (map[string]KeyUse, error) {
	var last []struct {
		Key                     string
		At                      time.Time
		IP, Agent, SDK, Version string
	}
	err := r.with(ctx).Raw(`SELECT key, at, ip, agent, sdk, version FROM api_key_uses WHERE ref = ?`, string(ref)).Scan(&last).Error
	if err != nil {
		return nil, Fault(err)
	}
	out := make(map[string]KeyUse, len(last))
	for _, l := range last {
		out[l.Key] = KeyUse{Key: l.Key, At: l.At, IP: l.IP, Agent: l.Agent, SDK: l.SDK, Version: l.Version}
	}
	var days []struct {
		Key   string
		Day   time.Time
		Count int64
	}
	err = r.with(ctx).Raw(`SELECT key, day, count FROM api_key_days WHERE ref = ? AND day >= ? ORDER BY key, day`,
		string(ref), from.UTC().Format(time.DateOnly)).Scan(&days).Error
	for _, d := range days {
		u := out[d.Key]
		u.Key, u.Days = d.Key, append(u.Days, KeyDay{d.Day, d.Count})
		out[d.Key] = u
	}
	return out, Fault(err)
}

// DeleteOldKeyUses deletes the days that are too old, erases who used a key longer
// ago, and deletes everything of keys and projects that do not exist. It is
// idempotent.
func (db *DB) DeleteOldKeyUses(ctx context.Context, now time.Time) error {
	before := now.UTC().Add(-keepKeyUses)
	const gone = ` ref IN (SELECT ref FROM projects WHERE deleted_at IS NOT NULL)
		OR key NOT IN ('anon', 'service_role') AND NOT EXISTS (
			SELECT FROM api_keys k WHERE k.ref = u.ref AND k.id = nullif(nullif(u.key, 'anon'), 'service_role')::uuid)`
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{`DELETE FROM api_key_days u WHERE day < $1::date OR` + gone, []any{before}},
		{`DELETE FROM api_key_uses u WHERE` + gone, nil},
		{`UPDATE api_key_uses SET ip = '', agent = '', sdk = '', version = ''
			WHERE at < $1 AND (ip, agent, sdk, version) <> ('', '', '', '')`, []any{before}},
	} {
		if _, err := db.pool.Exec(ctx, step.sql, step.args...); err != nil {
			return Fault(err)
		}
	}
	return nil
}

// forgetKey deletes the use of a key.
func (tx *Tx) forgetKey(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	for _, table := range []string{"api_key_days", "api_key_uses"} { // as AddKeyUses locks them
		if err := tx.with(ctx).Exec("DELETE FROM "+table+" WHERE ref = ? AND key = ?", string(ref), id.String()).Error; err != nil {
			return Fault(err)
		}
	}
	return nil
}

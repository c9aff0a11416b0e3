package controldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// AppendLog implements projectlog.Store: repeatable, and usually one statement.
// Records of projects that do not exist are ignored. A record that Postgres does
// not accept is dropped; the others are written.
func (db *DB) AppendLog(ctx context.Context, records []projectlog.Record) error {
	err := db.appendLog(ctx, records)
	if !badData(err) {
		return err
	}
	if len(records) == 1 {
		slog.WarnContext(ctx, "an entry of a project's log cannot be stored", "project", records[0].Project, "code", records[0].Code, "error", err)
		return nil
	}
	half := len(records) / 2
	return errors.Join(db.AppendLog(ctx, records[:half]), db.AppendLog(ctx, records[half:]))
}

// badData reports whether Postgres refused the values of a statement: data
// exception and integrity constraint violation.
func badData(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23"))
}

func (db *DB) appendLog(ctx context.Context, records []projectlog.Record) error {
	raw, err := json.Marshal(records)
	if err != nil {
		return fmt.Errorf("encode log: %w", err)
	}
	_, err = db.pool.Exec(ctx, `INSERT INTO project_logs
		(id, ref, at, level, code, message, request_ids, user_id, route, client_ip, detail, count, subject)
		SELECT e.id, e.ref, e.at, e.level, e.code, e.message, coalesce(e.request_ids, '{}'), e.user_id, e.route, e.client_ip, e.detail, e.count, coalesce(e.subject, '')
		FROM jsonb_to_recordset($1::jsonb) AS e(id uuid, ref text, at timestamptz, level text, code text, message text,
			request_ids text[], user_id uuid, route text, client_ip text, detail jsonb, count integer, subject text)
		JOIN projects p ON p.ref = e.ref AND p.deleted_at IS NULL
		ORDER BY e.at
		ON CONFLICT (id) DO NOTHING`, string(raw))
	return Fault(err)
}

// LogQuery selects records of a project's log. Zero fields select everything.
type LogQuery struct {
	Levels       []projectlog.Level
	Code         string
	RequestID    string
	UserID       uuid.UUID
	Since, Until time.Time // Until is exclusive
	Text         string    // in message or detail, in any case
	ID           uuid.UUID // of the only record
	// Before and After are ids of records: older, or newer, ones are selected. A
	// record that does not exist any more counts as older than all others.
	Before, After uuid.UUID
	Limit         int
	// OldestFirst returns the oldest of the selected records, in their order.
	OldestFirst bool
}

// ProjectLog returns the newest selected records of a project, the newest first.
func (db *DB) ProjectLog(ctx context.Context, ref tenants.Ref, q LogQuery) ([]projectlog.Record, error) {
	where, args := q.where(ref)
	order := "DESC"
	if q.OldestFirst {
		order = ""
	}
	rows, _ := db.pool.Query(ctx, `SELECT id, ref, at, level, code, message, request_ids, user_id, route, client_ip, detail, count
		FROM project_logs WHERE `+where+` ORDER BY seq `+order+` LIMIT @limit`, args)
	out, err := pgx.CollectRows(rows, scanLogRecord)
	return out, Fault(err)
}

func (q LogQuery) where(ref tenants.Ref) (string, pgx.NamedArgs) {
	args := pgx.NamedArgs{"ref": string(ref), "limit": q.Limit}
	conditions := []string{"ref = @ref"}
	add := func(given bool, condition, name string, value any) {
		if given {
			conditions = append(conditions, condition)
			args[name] = value
		}
	}
	const seqOf = "coalesce((SELECT o.seq FROM project_logs o WHERE o.ref = @ref AND o.id = @%s), 0)"
	add(len(q.Levels) > 0, "level = ANY(@levels)", "levels", q.Levels)
	add(q.Code != "", "code = @code", "code", q.Code)
	add(q.RequestID != "", "@request = ANY(request_ids)", "request", q.RequestID)
	add(q.UserID != uuid.Nil, "user_id = @user", "user", q.UserID)
	add(!q.Since.IsZero(), "at >= @since", "since", q.Since)
	add(!q.Until.IsZero(), "at < @until", "until", q.Until)
	add(q.Text != "", "strpos(lower(message || ' ' || detail::text), lower(@text)) > 0", "text", q.Text)
	add(q.ID != uuid.Nil, "id = @id", "id", q.ID)
	add(q.Before != uuid.Nil, "seq < "+fmt.Sprintf(seqOf, "before"), "before", q.Before)
	add(q.After != uuid.Nil, "seq > "+fmt.Sprintf(seqOf, "after"), "after", q.After)
	return strings.Join(conditions, " AND "), args
}

// TrimLog implements projectlog.Store. Users who type wrong passwords write no more than
// half of a log, so that they do not push out what is wrong with the project.
func (db *DB) TrimLog(ctx context.Context, project string, most int) error {
	_, err := db.pool.Exec(ctx, `DELETE FROM project_logs WHERE ref = $1 AND (seq <=
		(SELECT seq FROM project_logs WHERE ref = $1 ORDER BY seq DESC OFFSET $2 LIMIT 1)
		OR level = 'info' AND subject <> '' AND seq <=
		(SELECT seq FROM project_logs WHERE ref = $1 AND level = 'info' AND subject <> '' ORDER BY seq DESC OFFSET $3 LIMIT 1))`,
		project, most, most/2)
	return Fault(err)
}

// DeleteOldLogs deletes the records that are older than keep, and those of deleted
// projects, and returns how many.
func (db *DB) DeleteOldLogs(ctx context.Context, keep time.Duration) (int64, error) {
	tag, err := db.pool.Exec(ctx, `DELETE FROM project_logs WHERE at < now() - $1::interval
		OR ref IN (SELECT ref FROM projects WHERE deleted_at IS NOT NULL)`, keep)
	return tag.RowsAffected(), Fault(err)
}

// LogSummary is the newest of the records with a code, and what it stands for.
type LogSummary struct {
	projectlog.Record           // Count is that of all
	Since             time.Time // the first one's
}

// maxSummaries bounds the codes of a summary.
const maxSummaries = 50

// LogSummary summarizes the warnings and errors of a project's last hours by code,
// the newest first. Failures of a mail server count only from when it last worked.
func (db *DB) LogSummary(ctx context.Context, ref tenants.Ref, within time.Duration) ([]LogSummary, error) {
	rows, _ := db.pool.Query(ctx, `WITH recent AS (
			SELECT * FROM project_logs WHERE ref = $1 AND at > now() - $2::interval
		), counted AS (
			SELECT DISTINCT ON (code) code, level, message, detail, at, seq,
			       sum(count) OVER same AS count, min(at) OVER same AS since
			  FROM recent
			 WHERE level <> 'info' AND NOT (code IN ('mail_server_failed', 'mail_server_missing')
			       AND seq < coalesce((SELECT max(seq) FROM recent WHERE code = 'mail_server_works'), 0))
			WINDOW same AS (PARTITION BY code)
			 ORDER BY code, seq DESC
		)
		SELECT code, level, message, detail, at, count, since FROM counted ORDER BY seq DESC LIMIT $3`, string(ref), within, maxSummaries)
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s LogSummary, err error) {
		err = row.Scan(&s.Code, &s.Level, &s.Message, &s.Detail, &s.At, &s.Count, &s.Since)
		s.At, s.Since = s.At.UTC(), s.Since.UTC()
		return s, err
	})
	return out, Fault(err)
}

// RuleRefusals is how often a rate limit refused requests of a project.
type RuleRefusals struct {
	Rule      string
	Hour, Day int64     // in the last hour, and in the last 24
	LastAt    time.Time // of the last refusal
	Clients   []ClientRefusals
}

// ClientRefusals is how often requests of a client were refused in the last 24 hours.
type ClientRefusals struct {
	IP    string
	Count int64
}

// maxRefusedClients bounds the clients of a rule.
const maxRefusedClients = 5

// RateLimitRefusals returns the refusals of rate limits that are in a project's log, the
// most first. The log is bounded, so a flood may have pushed older ones out.
func (db *DB) RateLimitRefusals(ctx context.Context, ref tenants.Ref, now time.Time) ([]RuleRefusals, error) {
	rows, _ := db.pool.Query(ctx, `WITH refused AS MATERIALIZED (
			SELECT coalesce(detail ->> 'rule', code) AS rule, client_ip, at, count FROM project_logs
			 WHERE ref = $1 AND at > $2::timestamptz - interval '24 hours' AND at <= $2
			   AND (detail ? 'rule' OR code IN ('over_request_rate_limit', 'over_email_send_rate_limit', 'over_sms_send_rate_limit'))
		), clients AS (
			SELECT rule, client_ip, sum(count) AS n, row_number() OVER (PARTITION BY rule ORDER BY sum(count) DESC, client_ip) AS nth
			  FROM refused WHERE client_ip <> '' GROUP BY rule, client_ip
		)
		SELECT r.rule, coalesce(sum(r.count) FILTER (WHERE r.at > $2::timestamptz - interval '1 hour'), 0)::bigint, sum(r.count)::bigint, max(r.at),
		       ARRAY(SELECT c.client_ip FROM clients c WHERE c.rule = r.rule AND c.nth <= $3 ORDER BY c.nth),
		       ARRAY(SELECT c.n::bigint FROM clients c WHERE c.rule = r.rule AND c.nth <= $3 ORDER BY c.nth)
		  FROM refused r GROUP BY r.rule ORDER BY 3 DESC, 1 LIMIT 100`, string(ref), now, maxRefusedClients)
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r RuleRefusals, err error) {
		var ips []string
		var counts []int64
		err = row.Scan(&r.Rule, &r.Hour, &r.Day, &r.LastAt, &ips, &counts)
		r.LastAt = r.LastAt.UTC()
		for i, ip := range ips {
			r.Clients = append(r.Clients, ClientRefusals{IP: ip, Count: counts[i]})
		}
		return r, err
	})
	return out, Fault(err)
}

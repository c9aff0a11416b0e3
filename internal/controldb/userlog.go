package controldb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

// UserLogQuery selects the records of a project's log about a user: those that name
// the user, and those that name one of the subjects, which stand for their addresses.
type UserLogQuery struct {
	User     uuid.UUID
	Subjects []string
	// Until selects records before a time, or, if UntilIncluded, at it too; zero for no
	// bound. With After, records at that time whose id is greater are selected too.
	Until         time.Time
	UntilIncluded bool
	After         uuid.UUID
	Limit         int
}

// A project's log is bounded, so its records are read by their project alone. A record
// that names a user is about no other, whatever address it names.
const ofUser = `ref = @ref AND (user_id = @user OR user_id IS NULL AND subject <> '' AND subject = ANY(@subjects))`

// ProjectLogOfUser returns the newest of the selected records, the newest first.
func (db *DB) ProjectLogOfUser(ctx context.Context, ref tenants.Ref, q UserLogQuery) ([]projectlog.Record, error) {
	args := pgx.NamedArgs{"ref": string(ref), "user": q.User, "subjects": q.Subjects, "until": q.Until, "after": q.After, "limit": q.Limit}
	where := ofUser
	switch {
	case q.Until.IsZero():
	case q.UntilIncluded:
		where += ` AND at <= @until`
	case q.After != uuid.Nil:
		where += ` AND (at < @until OR at = @until AND id > @after)`
	default:
		where += ` AND at < @until`
	}
	rows, _ := db.pool.Query(ctx, `SELECT id, ref, at, level, code, message, request_ids, user_id, route, client_ip, detail, count
		FROM project_logs WHERE `+where+` ORDER BY at DESC, id LIMIT @limit`, args)
	out, err := pgx.CollectRows(rows, scanLogRecord)
	return out, Fault(err)
}

// LastRefusal returns the newest record about a user that says that a try to sign in
// was refused, nil for none, and how many such tries its code stands for within a time.
func (db *DB) LastRefusal(ctx context.Context, ref tenants.Ref, q UserLogQuery, within time.Duration) (*projectlog.Record, int, error) {
	args := pgx.NamedArgs{"ref": string(ref), "user": q.User, "subjects": q.Subjects, "within": within}
	rows, _ := db.pool.Query(ctx, `SELECT id, ref, at, level, code, message, request_ids, user_id, route, client_ip, detail, count
		FROM project_logs WHERE `+ofUser+` AND route LIKE 'POST /auth/v1/%' ORDER BY seq DESC LIMIT 1`, args)
	last, err := pgx.CollectRows(rows, scanLogRecord)
	if err != nil || len(last) == 0 {
		return nil, 0, Fault(err)
	}
	args["code"] = last[0].Code
	var count int
	err = db.pool.QueryRow(ctx, `SELECT coalesce(sum(count), 0)::integer FROM project_logs WHERE `+ofUser+`
		AND code = @code AND at > now() - @within::interval`, args).Scan(&count)
	return &last[0], count, Fault(err)
}

// scanLogRecord scans a record of a project's log.
func scanLogRecord(row pgx.CollectableRow) (r projectlog.Record, err error) {
	err = row.Scan(&r.ID, &r.Project, &r.At, &r.Level, &r.Code, &r.Message, &r.RequestIDs, &r.UserID, &r.Route, &r.ClientIP, &r.Detail, &r.Count)
	r.At = r.At.UTC()
	return r, err
}

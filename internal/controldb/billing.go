package controldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/tenants"
)

// billable is the condition on a project p whose users are billed: neither the
// installation's own project, nor a branch, nor one with a time to live.
const billable = `NOT p.platform AND p.branch_of IS NULL AND p.expires_at IS NULL`

// BillingDay is how many users became active on a day, as counted in a project's ledger.
type BillingDay struct {
	Ref      tenants.Ref
	Period   time.Time // its first day
	Day      time.Time
	Kind     billing.Kind
	Method   string
	Users    int64
	Returned int64 // who came back, see tenantdb.ActiveDay
}

// Rollup says how far a project's ledger was counted.
type Rollup struct {
	Through time.Time // before this day all is counted; zero for never
	turn    int64
}

// ErrRollupOvertaken means that another count of the same ledger ended in between.
var ErrRollupOvertaken = errors.New("another count of the ledger was faster")

// BillingRollup returns how far a project's ledger was counted.
func (db *DB) BillingRollup(ctx context.Context, ref tenants.Ref) (r Rollup, err error) {
	var through *time.Time
	err = db.pool.QueryRow(ctx, `SELECT through, turn FROM billing_rollups WHERE ref = $1`, string(ref)).Scan(&through, &r.turn)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, nil
	}
	if through != nil {
		r.Through = *through
	}
	return r, Fault(err)
}

// SetBillingDays replaces the days of a project from one on, and sets how far its ledger
// is counted. before is what BillingRollup returned before the ledger was read;
// ErrRollupOvertaken if it is no longer so, and then nothing has changed. Repeating it
// changes nothing.
func (db *DB) SetBillingDays(ctx context.Context, ref tenants.Ref, before Rollup, from, through time.Time, days []BillingDay) error {
	err := pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO billing_rollups AS r (ref, through, turn) VALUES ($1, $2, 1)
			ON CONFLICT (ref) DO UPDATE SET through = greatest(r.through, excluded.through), turn = r.turn + 1, at = now() WHERE r.turn = $3`,
			string(ref), through, before.turn)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrRollupOvertaken
		}
		if _, err := tx.Exec(ctx, `DELETE FROM billing_days WHERE ref = $1 AND day >= $2`, string(ref), from); err != nil {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"billing_days"}, []string{"ref", "period", "day", "kind", "method", "users", "returned"},
			pgx.CopyFromSlice(len(days), func(i int) ([]any, error) {
				d := days[i]
				return []any{string(ref), d.Period, d.Day, string(d.Kind), d.Method, d.Users, d.Returned}, nil
			}))
		return err
	})
	if errors.Is(err, ErrRollupOvertaken) {
		return err
	}
	return Fault(err)
}

// BillingDays lists the days of an organization's billed projects in a period, deleted
// projects included, by project, day, kind and method.
func (db *DB) BillingDays(ctx context.Context, organization uuid.UUID, period time.Time) ([]BillingDay, error) {
	return db.billingDays(ctx, `p.organization_id = $1 AND d.period = $2 AND `+billable, organization, period)
}

// BillingDaysOf lists all days of a project since one.
func (db *DB) BillingDaysOf(ctx context.Context, ref tenants.Ref, since time.Time) ([]BillingDay, error) {
	return db.billingDays(ctx, `d.ref = $1 AND d.day >= $2`, string(ref), since)
}

func (db *DB) billingDays(ctx context.Context, where string, args ...any) ([]BillingDay, error) {
	rows, err := db.pool.Query(ctx, `SELECT d.ref, d.period, d.day, d.kind, d.method, d.users, d.returned
		FROM billing_days d JOIN projects p USING (ref) WHERE `+where+` ORDER BY d.ref, d.period, d.day, d.kind, d.method`, args...)
	if err != nil {
		return nil, Fault(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BillingDay])
	return list, Fault(err)
}

// Billed reports whether a project exists whose users are billed.
func (db *DB) Billed(ctx context.Context, ref tenants.Ref) (billed bool, err error) {
	err = db.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM projects p WHERE p.ref = $1 AND `+billable+`)`, string(ref)).Scan(&billed)
	return billed, Fault(err)
}

// BilledProject is a project whose users are billed.
type BilledProject struct {
	Ref       tenants.Ref
	Name      string
	Deleted   bool
	CountedAt *time.Time // when its ledger was counted last
}

// BilledProjects lists those of an organization, deleted ones too, by name.
func (db *DB) BilledProjects(ctx context.Context, organization uuid.UUID) ([]BilledProject, error) {
	rows, err := db.pool.Query(ctx, `SELECT p.ref, p.name, p.deleted_at IS NOT NULL, r.at FROM projects p LEFT JOIN billing_rollups r USING (ref)
		WHERE p.organization_id = $1 AND `+billable+` ORDER BY p.name, p.ref`, organization)
	if err != nil {
		return nil, Fault(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BilledProject])
	return list, Fault(err)
}

// ActiveBilledRefs lists the projects in operation whose users are billed, after one.
func (db *DB) ActiveBilledRefs(ctx context.Context, after tenants.Ref, max int) ([]tenants.Ref, error) {
	rows, err := db.pool.Query(ctx, `SELECT p.ref FROM projects p WHERE p.ref > $1 AND p.status = 'active' AND p.deleted_at IS NULL AND `+billable+`
		ORDER BY p.ref LIMIT $2`, string(after), max)
	if err != nil {
		return nil, Fault(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[tenants.Ref])
	return list, Fault(err)
}

// BillingEvent is an entry of the billing log: what happened to a bill and needs an
// explanation.
type BillingEvent struct {
	ID           int64
	At           time.Time
	Organization *uuid.UUID
	Ref          tenants.Ref
	Code         string
	Detail       map[string]any
}

// AddBillingEvent adds an entry; its id and time are generated. Without an organization
// it is that of the project.
func (db *DB) AddBillingEvent(ctx context.Context, e BillingEvent) error {
	if e.Detail == nil {
		e.Detail = map[string]any{}
	}
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return fmt.Errorf("encode an entry of the billing log: %w", err)
	}
	_, err = db.pool.Exec(ctx, `INSERT INTO billing_log (organization_id, ref, code, detail)
		VALUES (coalesce($1, (SELECT organization_id FROM projects WHERE ref = $2)), nullif($2, ''), $3, $4)`, e.Organization, string(e.Ref), e.Code, string(detail))
	return Fault(err)
}

// BillingEvents lists entries of an organization, the newest first, those before an id;
// 0 for all.
func (db *DB) BillingEvents(ctx context.Context, organization uuid.UUID, before int64, max int) ([]BillingEvent, error) {
	rows, err := db.pool.Query(ctx, `SELECT id, at, organization_id, coalesce(ref, ''), code, detail FROM billing_log
		WHERE organization_id = $1 AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3`, organization, before, max)
	if err != nil {
		return nil, Fault(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BillingEvent])
	return list, Fault(err)
}

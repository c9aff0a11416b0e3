package controldb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/guard"
	"github.com/reevehq/reeve/tenants"
)

// SaveShutOut implements guard.Store: one statement, repeatable.
func (db *DB) SaveShutOut(ctx context.Context, ref tenants.Ref, s guard.ShutOut) error {
	var until *time.Time
	if !s.Until.IsZero() {
		until = &s.Until
	}
	_, err := db.pool.Exec(ctx, `INSERT INTO shut_outs AS s (ref, offences, offended_at, until, all_roles, cause)
		SELECT p.ref, $2, $3, $4, $5, $6 FROM projects p WHERE p.ref = $1 AND p.deleted_at IS NULL
		ON CONFLICT (ref) DO UPDATE SET
			offences = EXCLUDED.offences, offended_at = EXCLUDED.offended_at, until = greatest(s.until, EXCLUDED.until),
			all_roles = EXCLUDED.all_roles OR (s.all_roles AND s.until > EXCLUDED.offended_at), cause = EXCLUDED.cause
		WHERE EXCLUDED.offended_at > s.offended_at`,
		string(ref), s.Offences, s.OffendedAt, until, s.AllRoles, s.Cause)
	return Fault(err)
}

// ShutOuts implements guard.Store.
func (db *DB) ShutOuts(ctx context.Context, after time.Time) (map[tenants.Ref]guard.ShutOut, error) {
	return db.shutOuts(ctx, "greatest(offended_at, until) > $1", after)
}

// ShutOut returns the last offences of a project against its server, if any.
func (db *DB) ShutOut(ctx context.Context, ref tenants.Ref) (s guard.ShutOut, found bool, err error) {
	all, err := db.shutOuts(ctx, "ref = $1", string(ref))
	s, found = all[ref]
	return s, found, err
}

func (db *DB) shutOuts(ctx context.Context, where string, arg any) (map[tenants.Ref]guard.ShutOut, error) {
	rows, _ := db.pool.Query(ctx, "SELECT ref, offences, offended_at, until, all_roles, cause FROM shut_outs WHERE "+where, arg)
	out := map[tenants.Ref]guard.ShutOut{}
	var ref tenants.Ref
	var until *time.Time
	var s guard.ShutOut
	_, err := pgx.ForEachRow(rows, []any{&ref, &s.Offences, &s.OffendedAt, &until, &s.AllRoles, &s.Cause}, func() error {
		s.OffendedAt, s.Until = s.OffendedAt.UTC(), time.Time{}
		if until != nil {
			s.Until = until.UTC()
		}
		out[ref] = s
		return nil
	})
	return out, Fault(err)
}

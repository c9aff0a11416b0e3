package tenantdb_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const putSession = `INSERT INTO auth.sessions (id, user_id, created_at, refreshed_at, not_after)
	VALUES ($1, '` + aUser + `', $2, $3::timestamptz AT TIME ZONE 'utc', $4)`

// A session ends when its time comes, and not a second earlier, with the cause.
func TestEndExpired(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	withParents(t, f.A)
	now, limits := f.Clock.Now(), tenantdb.SessionLimits{Timebox: 10 * time.Hour, Inactivity: 2 * time.Hour}
	before := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		created, refreshed, notAfter any
		limits                       tenantdb.SessionLimits
		cause                        auth.EndCause // "" goes on
	}{
		"no limits":            {created: before(1000 * time.Hour)},
		"at its end":           {created: now, notAfter: now, cause: auth.EndExpired},
		"before its end":       {created: now, notAfter: now.Add(time.Second)},
		"old":                  {created: before(10 * time.Hour), refreshed: now, limits: limits, cause: auth.EndTimebox},
		"not yet old":          {created: before(10*time.Hour - time.Second), refreshed: now, limits: limits},
		"not refreshed":        {created: before(9 * time.Hour), refreshed: before(2 * time.Hour), limits: limits, cause: auth.EndInactivity},
		"refreshed":            {created: before(9 * time.Hour), refreshed: before(2*time.Hour - time.Second), limits: limits},
		"never refreshed":      {created: before(2 * time.Hour), limits: limits, cause: auth.EndInactivity},
		"young, not refreshed": {created: before(time.Hour), limits: limits},
	} {
		id := uuid.New()
		f.A.Exec(t, putSession, id, c.created, c.refreshed, c.notAfter)
		ended, err := f.A.DB.EndExpired(ctx, now, c.limits)
		if err != nil || ended > 0 != (c.cause != "") {
			t.Errorf("%s: %d ended, %v", name, ended, err)
		}
		err = f.A.DB.Do(ctx, func(tx *tenantdb.Tx) error {
			s, err := tx.SessionEnd(ctx, id)
			if s.Cause != c.cause {
				t.Errorf("%s: cause %q, want %q", name, s.Cause, c.cause)
			}
			return err
		})
		if (err == nil) != (c.cause != "") {
			t.Errorf("%s: %v", name, err)
		}
		f.A.Exec(t, `DELETE FROM auth.sessions WHERE id = $1`, id)
	}
}

// A session without the second factor that its user has ends so long after its begin.
func TestEndLowAAL(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	withParents(t, f.A)
	f.A.Exec(t, `DELETE FROM auth.mfa_factors`)
	now, limits := f.Clock.Now(), tenantdb.SessionLimits{LowAAL: time.Hour}
	for name, c := range map[string]struct {
		age    time.Duration
		aal    string
		status string // of the factor; "" for none
		ends   bool
	}{
		"low":               {time.Hour, "'aal1'", "verified", true},
		"of no level":       {time.Hour, "NULL", "verified", true},
		"not yet":           {time.Hour - time.Second, "'aal1'", "verified", false},
		"high":              {time.Hour, "'aal2'", "verified", false},
		"without a factor":  {time.Hour, "'aal1'", "", false},
		"before it is used": {time.Hour, "'aal1'", "unverified", false},
	} {
		id := uuid.New()
		f.A.Exec(t, putSession, id, now.Add(-c.age), now, nil)
		f.A.Exec(t, `UPDATE auth.sessions SET aal = `+c.aal)
		if c.status != "" {
			f.A.Exec(t, `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
				VALUES ($1, '`+aUser+`', 'totp', $2::text::auth.factor_status, now(), now())`, id, c.status)
		}
		ended, err := f.A.DB.EndExpired(ctx, now, limits)
		if err != nil || ended > 0 != c.ends {
			t.Errorf("%s: %d ended, %v", name, ended, err)
		}
		if got := f.A.Count(t, `SELECT count(*) FROM reeve.ended_session WHERE session_id = $1 AND cause = 'low_aal'`, id); got > 0 != c.ends {
			t.Errorf("%s: %d explained", name, got)
		}
		if ended, err = f.A.DB.EndExpired(ctx, now, tenantdb.SessionLimits{}); ended > 0 || err != nil {
			t.Errorf("%s: %d ended without a limit, %v", name, ended, err)
		}
		f.A.Exec(t, `DELETE FROM auth.sessions`)
		f.A.Exec(t, `DELETE FROM auth.mfa_factors`)
	}
}

// What SQL deletes is ended for an unknown reason, whichever way it went. Neither the
// developer nor the auth role, with which their triggers run, can give a reason or
// change one.
func TestEndedBySQL(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	withParents(t, f.A)
	const ends = `SELECT coalesce(string_agg(coalesce(cause, 'unknown'), ' '), '') FROM reeve.ended_session`
	put := func(id string) {
		f.A.Exec(t, putSession, id, f.Clock.Now(), nil, nil)
	}
	put("44444444-4444-4444-4444-444444444444")
	put("55555555-5555-5555-5555-555555555555")
	f.A.ExecAsOwner(t, `DELETE FROM auth.sessions WHERE id = '44444444-4444-4444-4444-444444444444'`)
	f.A.ExecAsOwner(t, `DELETE FROM auth.users`)
	if got := flowtest.One[string](t, f.A, ends); got != "unknown unknown" {
		t.Errorf("ends: %q", got)
	}
	tenant := f.A.Tenant()
	for _, role := range []string{tenant.Ref.OwnerRole(), tenant.Ref.AuthRole(), "authenticated", "anon", "service_role"} {
		for _, sql := range []string{
			`SELECT * FROM reeve.ended_session`, `UPDATE reeve.ended_session SET cause = 'admin'`, `DELETE FROM reeve.ended_session`,
			`INSERT INTO reeve.session_limits (timebox) VALUES ('1 second')`,
			`SELECT reeve.session_explain('guess', '` + aUser + `', 'admin', now(), false)`,
			`SELECT reeve.session_limit('guess', '1 second', NULL)`, `SELECT reeve.session_tidy('guess', now(), 10)`,
			`CREATE TABLE pg_temp.own (id uuid, user_id uuid, created_at timestamptz, refreshed_at timestamp, user_agent text, ip inet);
			 CREATE TRIGGER t AFTER DELETE ON pg_temp.own REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION reeve.session_deleted()`,
		} {
			if err := f.A.TryAs(t, role, sql); err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "wrong capability") {
				t.Errorf("%s: %s: %v", role, sql, err)
			}
		}
	}
}

// A column whose type the auth role changed is not read with the admin's rights.
func TestEndedOddTypes(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	withParents(t, f.A)
	f.A.Exec(t, putSession, uuid.New(), f.Clock.Now(), nil, nil)
	f.A.Exec(t, `SET ROLE `+f.A.Tenant().Ref.AuthRole()+`; ALTER TABLE auth.sessions ALTER COLUMN user_agent TYPE varchar(10)`)
	f.A.ExecAsOwner(t, `DELETE FROM auth.sessions`)
	if n := f.A.Count(t, `SELECT count(*) FROM reeve.ended_session`); n != 0 {
		t.Errorf("%d ends were read from a column of another type", n)
	}
}

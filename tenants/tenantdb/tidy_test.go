package tenantdb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The parents of the rows below.
const (
	aUser     = "11111111-1111-1111-1111-111111111111"
	aProvider = "22222222-2222-2222-2222-222222222222"
	aFactor   = "33333333-3333-3333-3333-333333333333"
)

func withParents(t *testing.T, p *flowtest.Project) {
	t.Helper()
	p.Exec(t, `INSERT INTO auth.users (id) VALUES ('`+aUser+`');
		INSERT INTO auth.sso_providers (id) VALUES ('`+aProvider+`');
		INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
		VALUES ('`+aFactor+`', '`+aUser+`', 'totp', 'verified', 'epoch', 'epoch')`)
}

const putFlow = `INSERT INTO auth.flow_state (id, provider_type, authentication_method, auth_code, auth_code_issued_at, created_at)
	VALUES ($1, 'email', 'otp', $1::uuid::text, now(), $2)`

// A row is removed a minute after it has become useless, and not before.
func TestTidy(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	withParents(t, f.A)
	now, day := f.Clock.Now(), 24*time.Hour
	for name, c := range map[string]struct {
		table, insert string // of a row with this id ($1) and time ($2)
		after         time.Duration
	}{
		"flow state": {table: "flow_state", after: day, insert: putFlow},
		"relay state": {table: "saml_relay_states", after: day, insert: `INSERT INTO auth.saml_relay_states (id, sso_provider_id, request_id, created_at)
			VALUES ($1, '` + aProvider + `', 'x', $2)`},
		"challenge": {table: "mfa_challenges", after: day, insert: `INSERT INTO auth.mfa_challenges (id, factor_id, ip_address, created_at)
			VALUES ($1, '` + aFactor + `', '192.0.2.1', $2)`},
		"unverified factor": {table: "mfa_factors", after: day, insert: `INSERT INTO auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
			VALUES ($1, '` + aUser + `', 'totp', 'unverified', $2, $2)`},
		"one-time token": {table: "one_time_tokens", after: 8 * day, insert: `WITH u AS (INSERT INTO auth.users (id) VALUES ($1) RETURNING id)
			INSERT INTO auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at)
			SELECT id, id, 'recovery_token', 'x', '', $2::timestamptz AT TIME ZONE 'utc' FROM u`},
	} {
		old, young := uuid.New(), uuid.New()
		f.A.Exec(t, c.insert, old, now.Add(-c.after-time.Minute))
		f.A.Exec(t, c.insert, young, now.Add(-c.after+time.Minute))
		if n, err := f.A.DB.Tidy(ctx, now); err != nil || n != 1 {
			t.Errorf("%s: %d rows removed, %v, want one", name, n, err)
		}
		if n := f.A.Count(t, `SELECT count(*) FROM auth.`+c.table+` WHERE id = $1`, young); n != 1 {
			t.Errorf("%s: removed before its time", name)
		}
		f.A.Exec(t, `DELETE FROM auth.`+c.table+` WHERE id = $1`, young)
	}
}

// Without limits sessions never end; the audit log, verified factors and
// waiting messages never do.
func TestTidyKeeps(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	withParents(t, f.A)
	f.A.Exec(t, `INSERT INTO auth.sessions (id, user_id, created_at) VALUES (gen_random_uuid(), '`+aUser+`', 'epoch');
		INSERT INTO auth.audit_log_entries (id, created_at) VALUES (gen_random_uuid(), 'epoch');
		INSERT INTO reeve.outbox (id, kind, payload, created_at, next_attempt_at) VALUES (gen_random_uuid(), 'x', 'x', 'epoch', 'epoch')`)
	f.B.Exec(t, putFlow, uuid.New(), time.Time{})
	if n, err := f.A.DB.Tidy(ctx, f.Clock.Now()); err != nil || n != 0 {
		t.Errorf("%d rows removed, %v", n, err)
	}
	if n := f.B.Count(t, `SELECT count(*) FROM auth.flow_state`); n != 1 {
		t.Error("removed from the other project")
	}
}

// One call is bounded, and includes the outbox.
func TestTidyBatch(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.Exec(t, `INSERT INTO auth.flow_state (id, provider_type, authentication_method, created_at)
		SELECT gen_random_uuid(), 'email', 'otp', 'epoch' FROM generate_series(1, $1 + 1)`, tenantdb.TidyBatch)
	f.A.Exec(t, `INSERT INTO reeve.outbox (id, kind, dead_at) VALUES (gen_random_uuid(), 'x', now() - interval '31 days'), (gen_random_uuid(), 'x', now() - interval '29 days')`)
	for _, want := range []int64{tenantdb.TidyBatch + 1, 1, 0} {
		if n, err := f.A.DB.Tidy(ctx, f.Clock.Now()); err != nil || n != want {
			t.Errorf("%d rows removed, %v, want %d", n, err, want)
		}
	}
}

// A locked row is skipped, not waited for.
func TestTidyPassesOver(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	used := uuid.New()
	f.A.Exec(t, putFlow, used, time.Time{})
	f.A.Exec(t, putFlow, uuid.New(), time.Time{})
	tidy := func(want int64) {
		t.Helper()
		if n, err := f.A.DB.Tidy(ctx, f.Clock.Now()); err != nil || n != want {
			t.Errorf("%d rows removed, %v, want %d", n, err, want)
		}
	}
	if err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		err := tx.IssueCode(ctx, used, used.String(), f.Clock.Now())
		tidy(1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	tidy(1)
}

// When a trigger of the developer's fails, the other tables are still tidied.
func TestTidyTrigger(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.ExecAsOwner(t, `CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
		CREATE TRIGGER trap BEFORE DELETE ON auth.flow_state FOR EACH ROW EXECUTE FUNCTION public.trap()`)
	withParents(t, f.A)
	f.A.Exec(t, putFlow, uuid.New(), time.Time{})
	f.A.Exec(t, `INSERT INTO auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at)
		VALUES (gen_random_uuid(), '`+aUser+`', 'recovery_token', 'x', '', 'epoch')`)
	n, err := f.A.DB.Tidy(ctx, f.Clock.Now())
	if !errors.Is(err, auth.ErrTriggerFailed) || n != 1 {
		t.Errorf("%d rows removed, %v", n, err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.flow_state`); n != 1 {
		t.Errorf("%d flow states", n)
	}
}

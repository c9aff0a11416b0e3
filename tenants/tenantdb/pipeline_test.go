package tenantdb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// A statement that waits for the commit, and fails, takes the transaction with it,
// and the error is that of the statement.
func TestTxLaterFails(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.Exec(t, `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no entries'; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON auth.audit_log_entries FOR EACH ROW EXECUTE FUNCTION public.refuse()`)
	note := func(tx *tenantdb.Tx) error {
		_, err := tx.Audit(ctx, tenantdb.Audit{Action: "login"}, f.Clock.Now(), "")
		return err
	}
	create := func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, user(f, "ann@example.com")) }
	for name, steps := range map[string][]func(*tenantdb.Tx) error{
		"alone":                        {note},
		"before the commit":            {create, note},
		"before another":               {note, create},
		"with its failure swallowed":   {note, func(tx *tenantdb.Tx) error { _ = create(tx); return nil }},
		"swallowed, and one that runs": {note, func(tx *tenantdb.Tx) error { _ = create(tx); return tx.Ping(ctx) }},
	} {
		w := watch(f.A, nil)
		err := w.Tx(ctx, func(tx *tenantdb.Tx) error {
			for _, step := range steps {
				if err := step(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if name[0] != 'w' && name[0] != 's' && !errors.Is(err, auth.ErrTriggerFailed) {
			t.Errorf("%s: %v", name, err)
		}
		w.wantReturned(t, 1)
		if w.last.PgConn().TxStatus() != 'I' {
			t.Errorf("%s: the connection is still in a transaction", name)
		}
		if n := f.A.Count(t, countUsers); n != 0 {
			t.Errorf("%s: %d users", name, n)
		}
	}
}

// An earlier statement's failure is not taken for that of the statement that it was
// sent with: a unique violation of the developer's is not a taken address.
func TestTxLaterFailureIsItsOwn(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.Exec(t, `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			RAISE unique_violation USING SCHEMA = 'auth', TABLE = 'users', CONSTRAINT = 'users_email_partial_key'; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON auth.audit_log_entries FOR EACH ROW EXECUTE FUNCTION public.refuse()`)
	var within error
	err := watch(f.A, nil).Tx(ctx, func(tx *tenantdb.Tx) error {
		if _, err := tx.Audit(ctx, tenantdb.Audit{Action: "login"}, f.Clock.Now(), ""); err != nil {
			return err
		}
		within = tx.CreateUser(ctx, user(f, "ann@example.com"))
		return within
	})
	if within == nil || fault.From(within).Kind == fault.Unprocessable || errors.Is(err, auth.ErrEmailExists) {
		t.Errorf("within: %v, in the end: %v", within, err)
	}
}

// What a read that waits for the commit finds decides whether there is one.
func TestTxReadBeforeCommit(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		return errors.Join(tx.CreateUser(ctx, user(f, "ann@example.com")), tx.DeleteFlowState(ctx, uuid.New()))
	})
	if !errors.Is(err, auth.ErrFlowNotFound) {
		t.Error(err)
	}
	if n := f.A.Count(t, countUsers); n != 0 {
		t.Errorf("%d users", n)
	}
}

// A connection is used on after a trigger has deallocated its statements.
func TestTxDeallocated(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.Exec(t, `CREATE FUNCTION public.forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DEALLOCATE ALL; RETURN NEW; END $$;
		CREATE TRIGGER forget AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.forget()`)
	for range 6 {
		if err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
			return tx.CreateUser(ctx, user(f, uuid.NewString()+"@example.com"))
		}); err != nil {
			t.Error(err)
		}
	}
	if n := f.A.Count(t, countUsers); n != 6 {
		t.Errorf("%d users", n)
	}
}

// A connection that died while it was idle is replaced when all of a transaction
// waits for the commit.
func TestTxOnDeadConnectionAtCommit(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	w := watch(f.A, nil)
	n := 0
	w.spoil = func(i int64, c *pgx.Conn) {
		if i == 1 {
			hangUp(c)
		}
	}
	err := w.Tx(ctx, func(tx *tenantdb.Tx) error {
		n++
		_, err := tx.Audit(ctx, tenantdb.Audit{Action: "login"}, time.Now(), "")
		return err
	})
	if err != nil || n != 1 {
		t.Errorf("called %d times: %v", n, err)
	}
	w.wantReturned(t, 2)
	if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries`); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// A dead connection that cannot be replaced is the error of whoever lends them.
func TestTxNoReplacement(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	lent := 0
	db := &tenantdb.DB{Capability: f.A.DB.Capability, Acquire: func(ctx context.Context) (tenantdb.Conn, error) {
		if lent++; lent > 1 {
			return nil, auth.ErrDatabaseAway
		}
		conn, err := f.A.DB.Acquire(ctx)
		if err == nil {
			hangUp(conn.Raw())
		}
		return &once{conn}, err
	}}
	for _, swallow := range []bool{false, true} {
		lent = 0
		err := db.Tx(ctx, func(tx *tenantdb.Tx) error {
			err := tx.Ping(ctx)
			if swallow {
				return tx.Ping(ctx)
			}
			return err
		})
		if !errors.Is(err, auth.ErrDatabaseAway) || lent != 2 {
			t.Errorf("%v after %d connections", err, lent)
		}
	}
}

// once is a connection that is not there any more once it was returned, as in a pool.
type once struct{ tenantdb.Conn }

// Release implements tenantdb.Conn.
func (o *once) Release() {
	o.Conn.Release()
	o.Conn = nil
}

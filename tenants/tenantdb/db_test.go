package tenantdb_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// watched is a project's database that counts borrowed and returned
// connections. spoil may break each of them.
type watched struct {
	*tenantdb.DB
	lent, back atomic.Int64
	spoil      func(n int64, conn *pgx.Conn) // n is 1 for the first
	last       *pgx.Conn
}

func watch(p *flowtest.Project, spoil func(n int64, conn *pgx.Conn)) *watched {
	w := &watched{spoil: spoil}
	w.DB = &tenantdb.DB{Capability: p.DB.Capability, Sent: p.DB.Sent, Acquire: func(ctx context.Context) (tenantdb.Conn, error) {
		conn, err := p.DB.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		if n := w.lent.Add(1); w.spoil != nil {
			w.spoil(n, conn.Raw())
		}
		w.last = conn.Raw()
		return counted{conn, &w.back}, nil
	}}
	return w
}

type counted struct {
	tenantdb.Conn
	back *atomic.Int64
}

// Release implements tenantdb.Conn.
func (c counted) Release() {
	c.back.Add(1)
	c.Conn.Release()
}

func (w *watched) wantReturned(t *testing.T, lent int64) {
	t.Helper()
	if w.lent.Load() != lent || w.back.Load() != lent {
		t.Errorf("%d connections lent, %d given back, want %d", w.lent.Load(), w.back.Load(), lent)
	}
}

// hangUp closes the client's end, as a failed write does.
func hangUp(conn *pgx.Conn) { _ = conn.Close(context.Background()) }

// terminate makes the server close the connection, as a restart does.
func terminate(t *testing.T, p *flowtest.Project) func(*pgx.Conn) {
	return func(conn *pgx.Conn) {
		p.Exec(t, `SELECT pg_terminate_backend($1, 10000)`, int32(conn.PgConn().PID()))
	}
}

// user returns a user who is not in the database yet.
func user(f *flowtest.Fixture, email string) *auth.User {
	u := auth.NewUser(f.Clock.Now())
	u.Email = email
	return u
}

const countUsers = `SELECT count(*) FROM auth.users`

var errRefused = fault.New(fault.Invalid, "refused", "Refused")

func TestTx(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	w := watch(f.A, nil)
	if err := w.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, user(f, "ann@example.com")) }); err != nil {
		t.Fatal(err)
	}
	create := func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, user(f, "bob@example.com")) }
	cancelled, cancel := context.WithCancel(ctx)
	for name, c := range map[string]struct {
		fn   func(*tenantdb.Tx) error
		ctx  context.Context
		want error
	}{
		"refused":          {func(tx *tenantdb.Tx) error { return errors.Join(create(tx), errRefused) }, ctx, errRefused},
		"statement failed": {func(tx *tenantdb.Tx) error { return errors.Join(create(tx), create(tx)) }, ctx, auth.ErrEmailExists},
		"failure swallowed": {func(tx *tenantdb.Tx) error {
			_, _ = create(tx), create(tx)
			return nil
		}, ctx, pgx.ErrTxCommitRollback},
		"cancelled": {func(tx *tenantdb.Tx) error {
			err := create(tx)
			cancel()
			return err
		}, cancelled, context.Canceled},
	} {
		before := w.lent.Load()
		if err := w.Tx(c.ctx, c.fn); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		w.wantReturned(t, before+1)
		if n := f.A.Count(t, countUsers); n != 1 {
			t.Errorf("%s: %d users", name, n)
		}
	}
}

// When a flow panics, its connection is returned and its transaction rolled
// back.
func TestTxPanic(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	w := watch(f.A, nil)
	for _, run := range []func(context.Context, func(*tenantdb.Tx) error) error{w.Tx, w.Do} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = run(ctx, func(tx *tenantdb.Tx) error {
				if err := tx.Ping(ctx); err != nil {
					t.Error(err)
				}
				panic("a bug")
			})
		}()
	}
	w.wantReturned(t, 2)
	if w.last.PgConn().TxStatus() != 'I' {
		t.Error("the connection is still in a transaction")
	}
}

// Connections that died while they were idle are replaced before anything of
// the flow has run.
func TestTxOnDeadConnections(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	for name, spoil := range map[string]func(*pgx.Conn){"hung up": hangUp, "terminated": terminate(t, f.A)} {
		w := watch(f.A, func(n int64, conn *pgx.Conn) {
			if n < 4 {
				spoil(conn)
			}
		})
		calls := 0
		err := w.Tx(ctx, func(tx *tenantdb.Tx) error {
			calls++
			return tx.CreateUser(ctx, user(f, "user"+name[:1]+"@example.com"))
		})
		if err != nil || calls != 1 {
			t.Errorf("%s: called %d times, %v", name, calls, err)
		}
		w.wantReturned(t, 4)
	}
	if n := f.A.Count(t, countUsers); n != 2 {
		t.Errorf("%d users", n)
	}
	w := watch(f.A, func(_ int64, conn *pgx.Conn) { hangUp(conn) })
	err := w.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.Ping(ctx) })
	if !errors.Is(err, auth.ErrDatabaseAway) || fault.From(err).RetryAfter <= 0 {
		t.Errorf("nothing but dead connections: %v", err)
	}
	w.wantReturned(t, 4)
}

// A connection that dies within a transaction ends it: its statements are never
// run again, whatever the driver reports about the last one.
func TestTxConnectionLost(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	for name, spoil := range map[string]func(*pgx.Conn){"hung up": hangUp, "terminated": terminate(t, f.A)} {
		for _, another := range []bool{true, false} { // another statement, or the commit
			w := watch(f.A, nil)
			calls := 0
			err := w.Tx(ctx, func(tx *tenantdb.Tx) error {
				calls++
				if err := tx.CreateUser(ctx, user(f, "ann@example.com")); err != nil {
					return err
				}
				spoil(w.last)
				if another {
					return tx.Ping(ctx)
				}
				return nil
			})
			if !errors.Is(err, auth.ErrDatabaseAway) || calls != 1 {
				t.Errorf("%s: called %d times, %v", name, calls, err)
			}
			w.wantReturned(t, 1)
		}
	}
	if n := f.A.Count(t, countUsers); n != 0 {
		t.Errorf("%d users", n)
	}
}

// Without a transaction each statement has its effect at once, so only the
// first one may be retried.
func TestDo(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	calls := 0
	note := func(tx *tenantdb.Tx) error {
		_, err := tx.Audit(ctx, tenantdb.Audit{Action: "login"}, f.Clock.Now(), "")
		return err
	}
	first := watch(f.A, func(n int64, conn *pgx.Conn) {
		if n < 4 {
			hangUp(conn)
		}
	})
	if err := first.Do(ctx, func(tx *tenantdb.Tx) error { calls++; return note(tx) }); err != nil || calls != 4 {
		t.Errorf("before the first statement: called %d times, %v", calls, err)
	}
	first.wantReturned(t, 4)

	later := watch(f.A, nil)
	calls = 0
	err := later.Do(ctx, func(tx *tenantdb.Tx) error {
		calls++
		if err := note(tx); err != nil {
			return err
		}
		hangUp(later.last)
		return note(tx)
	})
	if !errors.Is(err, auth.ErrDatabaseAway) || calls != 1 {
		t.Errorf("before the second statement: called %d times, %v", calls, err)
	}
	later.wantReturned(t, 1)

	// A statement that was sent may have had its effect.
	f.A.Exec(t, `CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
			$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
		CREATE TRIGGER die BEFORE INSERT ON auth.audit_log_entries FOR EACH ROW EXECUTE FUNCTION public.die()`)
	sent := watch(f.A, nil)
	calls = 0
	if err := sent.Do(ctx, func(tx *tenantdb.Tx) error { calls++; return note(tx) }); !errors.Is(err, auth.ErrDatabaseAway) || calls != 1 {
		t.Errorf("sent and not answered: called %d times, %v", calls, err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries`); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

// TestDoLockTableFull: the first statement is run again while the server's lock
// table is full, because it had no effect. A trigger that refuses the first two
// entries simulates that.
func TestDoLockTableFull(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	f.A.Exec(t, `CREATE SEQUENCE public.entries;
		CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
			$$ BEGIN IF nextval('public.entries') <= 2 THEN RAISE SQLSTATE '53200'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER full_table BEFORE INSERT ON auth.audit_log_entries FOR EACH ROW EXECUTE FUNCTION public.full()`)
	note := func(tx *tenantdb.Tx) error {
		_, err := tx.Audit(ctx, tenantdb.Audit{Action: "login"}, f.Clock.Now(), "")
		return err
	}
	first, calls := watch(f.A, nil), 0
	if err := first.Do(ctx, func(tx *tenantdb.Tx) error { calls++; return note(tx) }); err != nil || calls != 3 {
		t.Errorf("called %d times, %v", calls, err)
	}
	first.wantReturned(t, 3)
	f.A.Exec(t, `ALTER SEQUENCE public.entries RESTART`)
	calls = 0
	err := watch(f.A, nil).Do(ctx, func(tx *tenantdb.Tx) error {
		calls++
		return errors.Join(note(tx), note(tx))
	})
	if err == nil || calls != 1 {
		t.Errorf("a later statement: called %d times, %v", calls, err)
	}
	if n := f.A.Count(t, `SELECT count(*) FROM auth.audit_log_entries`); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

// An error of Acquire is returned as it is.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	db := tenantdb.DB{Acquire: func(context.Context) (tenantdb.Conn, error) { return nil, errRefused }}
	fn := func(*tenantdb.Tx) error { return errors.New("called") }
	for _, err := range []error{db.Tx(context.Background(), fn), db.Do(context.Background(), fn)} {
		if err != error(errRefused) { //nolint:errorlint // the same one
			t.Error(err)
		}
	}
}

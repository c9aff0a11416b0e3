// Package tenantdb reads and writes one project's database: the tables of
// schema auth, and the outbox of schema reeve through its functions. One file a
// table. It owns SQL and the mapping of database errors to faults. It knows no
// rule of any flow, and not which project it works for: its connections
// determine that.
//
// All SQL is schema-qualified, because the project's developer may put
// triggers, and so code, into the same session.
package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/fault"
)

// Conn is a connection on loan.
type Conn interface {
	Raw() *pgx.Conn
	Release()
}

// DB is one project's database.
type DB struct {
	// Acquire lends a connection to this project's database as its auth role.
	Acquire func(ctx context.Context) (Conn, error)
	// Capability authorizes this process to write to schema reeve.
	Capability string
	// Sent, if set, is told the statements of each round trip of a transaction.
	Sent func(statements []string)
}

// Tx is a transaction. Its methods live beside the table that they touch.
type Tx struct {
	q          querier
	capability string
	committed  []func()
	final      bool // the next call of a hook commits
	memory     *memory
}

// AfterCommit calls f once the transaction is committed.
func (tx *Tx) AfterCommit(f func()) { tx.committed = append(tx.committed, f) }

type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	// Later runs a statement together with a later one, or with the commit. Its error
	// begins with what, and may be returned there. The arguments must not change.
	Later(ctx context.Context, what, sql string, args ...any) error
	// Read is Later for a statement whose rows read takes, before the result of the
	// statement that it is sent with. An error of read is returned as it is.
	Read(ctx context.Context, what string, read func(pgx.Rows) error, sql string, args ...any) error
}

// attempts is how often a connection that died while it was idle (the server
// restarted) is replaced by another, which may be dead too.
const attempts = 4

// rollbackTimeout bounds the rollback of a failed transaction.
const rollbackTimeout = 5 * time.Second

// raced wraps an error after which a transaction is run again.
type raced struct{ error }

func (r raced) Unwrap() error { return r.error }

// Raced marks the refusal of a row that the transaction had looked for and not
// found: another request wrote it in between. Tx then runs the transaction
// again, which finds the row. Other errors, and nil, are returned as they are.
func Raced(err error) error {
	if fault.From(err).Kind == fault.Unprocessable {
		return raced{err}
	}
	return err
}

// runs is how often a raced transaction is run at most.
const runs = 4

// Tx runs fn in one READ COMMITTED transaction and commits when fn returns nil. An
// error of fn that is no fault yet is classified; a failed commit is a fault. fn
// is called again, in another transaction, only after it returned an error
// marked by Raced, or by Await.
func (db *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	m := &memory{answers: map[string]any{}, ids: map[string]uuid.UUID{}}
	for run := 1; ; run++ {
		err := db.tx(ctx, m, fn)
		waited, err := m.await(ctx, err)
		if waited && err == nil {
			run--
			continue
		}
		var again raced
		if !errors.As(err, &again) {
			return err
		}
		if run == runs {
			return again.error
		}
	}
}

func (db *DB) tx(ctx context.Context, m *memory, fn func(*Tx) error) error {
	p, err := openPipeline(ctx, db)
	if err != nil {
		return err
	}
	defer p.release() // when fn panics, too
	defer p.rollback(ctx)
	tx := &Tx{q: p, capability: db.Capability, memory: m}
	err = fn(tx)
	var w *waiting
	if errors.As(err, &w) {
		return w // rolled back by the deferred calls
	}
	if err == nil {
		if err = p.commit(ctx); err == nil {
			for _, f := range tx.committed {
				f()
			}
			return nil
		}
	}
	p.rollback(ctx)
	if p.released { // it was dead, and there was no other
		return asFault(cause(err))
	}
	return nameTrigger(ctx, p.conn.Raw(), asFault(cause(err)))
}

// Another project can fill the lock table that all databases of a server share.
// The guard empties it within a second.
const (
	fullPause    = 150 * time.Millisecond
	fullAttempts = 8
)

// lockTableFull is the SQLSTATE of a statement that found no room in the lock table
// (out_of_memory).
const lockTableFull = "53200"

// Do runs fn without a transaction, for single statements. It calls fn again
// when the connection turns out to be dead before the first statement was sent, and
// when the first statement was refused because the lock table is full.
func (db *DB) Do(ctx context.Context, fn func(*Tx) error) error {
	for stales, fulls := 1, 1; ; {
		stale, full, err := db.once(ctx, fn)
		switch {
		case stale && stales < attempts:
			stales++
		case full && fulls < fullAttempts:
			fulls++
			select {
			case <-ctx.Done():
				return err
			case <-time.After(fullPause):
			}
		default:
			return err
		}
	}
}

// once is one attempt of Do. It is stale only if the first statement failed and
// was never sent: the driver reports the same of a later statement, but the
// statements before that one have had their effect. For the same reason it is full
// only if the first statement was refused.
func (db *DB) once(ctx context.Context, fn func(*Tx) error) (stale, full bool, err error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer conn.Release()
	q := &counter{conn: conn.Raw()}
	err = fn(&Tx{q: q, capability: db.Capability})
	if err != nil && q.statements == 1 && ctx.Err() == nil {
		var pg *pgconn.PgError
		stale = conn.Raw().IsClosed() && pgconn.SafeToRetry(err)
		full = errors.As(err, &pg) && pg.Code == lockTableFull
	}
	return stale, full, asFault(err)
}

// counter counts statements. Each is sent at once.
type counter struct {
	conn       *pgx.Conn
	statements int
}

// Exec implements querier.
func (c *counter) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	c.statements++
	return c.conn.Exec(ctx, sql, args...)
}

// Query implements querier.
func (c *counter) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.statements++
	return c.conn.Query(ctx, sql, args...)
}

// QueryRow implements querier.
func (c *counter) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	c.statements++
	return c.conn.QueryRow(ctx, sql, args...)
}

// Read implements querier.
func (c *counter) Read(ctx context.Context, what string, read func(pgx.Rows) error, sql string, args ...any) error {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return readRows(rows, what, read)
}

// Later implements querier.
func (c *counter) Later(ctx context.Context, what, sql string, args ...any) error {
	if _, err := c.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

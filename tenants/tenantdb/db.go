// Package tenantdb reads and writes one project's database: the tables of
// schema auth, and the outbox of schema reeve through its functions. One file a
// table. It owns SQL and the mapping of database errors to faults; it knows no
// rule of any flow, and not which project it works for: that is in its
// connections.
//
// All SQL is schema-qualified, because the project's developer may put
// triggers, and so code, into the same session.
package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/auth"
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
	// Capability lets this process write to schema reeve.
	Capability string
}

// Tx is a transaction. Its methods live beside the table that they touch.
type Tx struct {
	q          querier
	capability string
}

type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Tx runs fn in one READ COMMITTED transaction and commits when fn returns nil.
// The error of fn comes back as it is; a failed commit is a fault.
func (db *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	return db.with(ctx, func(conn *pgx.Conn) error {
		tx, err := conn.Begin(ctx)
		if err != nil {
			return asFault(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		if err := fn(&Tx{q: tx, capability: db.Capability}); err != nil {
			return asFault(err)
		}
		if err := tx.Commit(ctx); err != nil {
			return asFault(fmt.Errorf("commit: %w", err))
		}
		return nil
	})
}

// Do runs fn without a transaction: for single statements.
func (db *DB) Do(ctx context.Context, fn func(*Tx) error) error {
	return db.with(ctx, func(conn *pgx.Conn) error {
		return asFault(fn(&Tx{q: conn, capability: db.Capability}))
	})
}

// with lends a connection to fn. A connection that died while it lay idle (the
// server restarted) is replaced once, as long as nothing was sent on it.
func (db *DB) with(ctx context.Context, fn func(*pgx.Conn) error) error {
	for attempt := 0; ; attempt++ {
		conn, err := db.Acquire(ctx)
		if err != nil {
			return err
		}
		err = fn(conn.Raw())
		stale := err != nil && conn.Raw().IsClosed() && pgconn.SafeToRetry(err)
		conn.Release()
		if !stale || attempt > 2 {
			return err
		}
	}
}

// constraints maps a constraint of the schema to the refusal that its violation
// means.
var constraints = map[string]*fault.Error{
	"users_email_partial_key":                auth.ErrEmailExists,
	"users_phone_key":                        auth.ErrPhoneExists,
	"users_pkey":                             auth.ErrUserExists.Saying("A user with this id already exists"),
	"identities_provider_id_provider_unique": auth.ErrEmailExists,
}

// asFault classifies a database error. What is not known stays an unclassified
// error and so an Internal fault.
func asFault(err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return postgresFault(pg, err)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return auth.ErrTimeout.Because(err).After(time.Second)
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, net.ErrClosed),
		pgconn.SafeToRetry(err), isConnectionLoss(err):
		return auth.ErrDatabaseAway.Because(err).After(time.Second)
	}
	return err
}

func postgresFault(pg *pgconn.PgError, err error) error {
	if f, ok := constraints[pg.ConstraintName]; ok && pg.Code == "23505" {
		return f.Because(err)
	}
	switch {
	case pg.Code == "22021", pg.Code == "22P05", pg.Code == "22001":
		return auth.ErrValidation.Because(err).Saying("The request holds text that cannot be stored")
	case pg.Code == "40001", pg.Code == "40P01":
		return auth.ErrConflict.Because(err).After(time.Second)
	case pg.Code == "57014":
		return auth.ErrTimeout.Because(err).After(time.Second)
	case pg.Code[:2] == "08", pg.Code[:2] == "57", pg.Code == "53300", pg.Code == "55000", pg.Code == "3D000":
		return auth.ErrDatabaseAway.Because(err).After(time.Second)
	}
	return err
}

// isConnectionLoss recognises a server that went away in the middle of a reply.
func isConnectionLoss(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, pgx.ErrTxClosed)
}

// notFound turns the driver's "no rows" into f.
func notFound(err error, f *fault.Error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return f
	}
	return err
}

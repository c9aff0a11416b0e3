package tenantdb

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// HookCall is a call of a function of the project's developer with a JSON argument.
type HookCall struct {
	Schema, Function string
	Event            []byte
	// Timeout bounds the function, the locks that it waits for included.
	Timeout time.Duration
	// Survive keeps the transaction usable when the function fails; what the function
	// wrote is undone. It costs a round trip.
	Survive bool
}

// HookError is the failure of the function itself. Unwrap leads to Postgres' answer.
type HookError struct{ err error }

// Error implements error.
func (e *HookError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *HookError) Unwrap() error { return e.err }

// Timeout reports whether the function exceeded its time.
func (e *HookError) Timeout() bool {
	var pg *pgconn.PgError
	return errors.As(e.err, &pg) && pg.Code == "57014" || errors.Is(e.err, context.DeadlineExceeded)
}

// hookGrace is how much longer than its timeout a function may take before the
// connection is given up: it may catch the cancel of Postgres and go on.
const hookGrace = time.Second

// hookMode sends SQL without a name and without asking for its types, which depend on
// the function: it may have been replaced since.
const hookMode = pgx.QueryExecModeExec

// CallHook calls the function, and returns its answer as text; nil for NULL and for
// a function that returns nothing. The function runs with the auth role's rights in
// this transaction, as triggers do: with whatever it does to the session, each
// statement that carries the capability is another one, sent later. An error is a
// *HookError if the function failed, else the transaction's.
func (tx *Tx) CallHook(ctx context.Context, c HookCall) ([]byte, error) {
	if c.Survive {
		if _, err := tx.q.Exec(ctx, "SAVEPOINT reeve_hook", hookMode); err != nil {
			return nil, err
		}
	}
	answer, err := tx.callHook(ctx, c)
	var failed *HookError
	if c.Survive && errors.As(err, &failed) && ctx.Err() == nil {
		if _, undo := tx.q.Exec(ctx, "ROLLBACK TO SAVEPOINT reeve_hook", hookMode); undo != nil {
			return nil, undo
		}
	}
	return answer, err
}

func (tx *Tx) callHook(ctx context.Context, c HookCall) ([]byte, error) {
	limit := strconv.FormatInt(c.Timeout.Milliseconds(), 10)
	err := tx.q.Later(ctx, "limit a hook", `SELECT pg_catalog.set_config('statement_timeout', $1, true)`, hookMode, limit)
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, c.Timeout+hookGrace)
	defer cancel()
	rows, err := tx.q.Query(bounded, "SELECT "+pgx.Identifier{c.Schema, c.Function}.Sanitize()+"($1)", hookMode, string(c.Event))
	if err != nil {
		return nil, hookFailed(err)
	}
	var answer []byte
	if rows.Next() {
		if values := rows.RawValues(); len(values) == 1 && len(values[0]) > 0 {
			answer = append(answer, values[0]...)
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, hookFailed(err)
	}
	return answer, tx.q.Later(ctx, "end the limit of a hook", "SET LOCAL statement_timeout TO DEFAULT", hookMode)
}

// hookFailed tells a failure of the function from one of a statement that was sent
// with it.
func hookFailed(err error) error {
	var before *earlier
	if errors.As(err, &before) {
		return err
	}
	return &HookError{err: asFault(err)}
}

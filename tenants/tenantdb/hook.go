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
	// wrote is undone.
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
		if err := tx.q.Later(ctx, "set a savepoint for a hook", "SAVEPOINT reeve_hook", hookMode); err != nil {
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
	call := pgx.Identifier{c.Schema, c.Function}.Sanitize() + "($1)"
	if p, ok := tx.q.(*pipeline); ok && tx.final {
		tx.final = false
		return p.finalHook(bounded, call, string(c.Event))
	}
	rows, err := tx.q.Query(bounded, "SELECT "+call, hookMode, string(c.Event))
	if err != nil {
		return nil, hookFailed(err)
	}
	answer := firstValue(rows)
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, hookFailed(err)
	}
	return answer, tx.q.Later(ctx, "end the limit of a hook", "SET LOCAL statement_timeout TO DEFAULT", hookMode)
}

// firstValue returns a copy of the first column of the first row; nil for none.
func firstValue(rows pgx.Rows) (value []byte) {
	if rows.Next() {
		if values := rows.RawValues(); len(values) > 0 && len(values[0]) > 0 {
			value = append(value, values[0]...)
		}
	}
	return value
}

// ErrNotCommitted is the end of a transaction after Final whose hook's answer looked like
// a refusal, and was none for its caller. Nothing has changed; run without Final, the
// transaction commits.
var ErrNotCommitted = errors.New("the transaction was not committed with its hook")

// Final declares that the next call of a hook is the last statement of the transaction:
// they are committed together, in one round trip. The answer is known only then, so the
// database decides by its text: one that has an error, or no claims, is not committed. The
// caller may still refuse an answer that is, and its error undoes nothing then. If it
// accepts one that is not, the transaction ends in ErrNotCommitted.
func (tx *Tx) Final() { tx.final = true }

// acceptable is whether an answer of a hook looks like one to go on with, as a text that
// is a boolean or is not. The function may have changed the search path.
const acceptable = `CASE WHEN a.answer::pg_catalog.text OPERATOR(pg_catalog.~~) '%"claims"%'
	AND a.answer::pg_catalog.text OPERATOR(pg_catalog.!~~) '%"error"%' THEN 'true' ELSE 'refused by a hook' END`

// noBoolean is the SQLSTATE of the check's failure (invalid_text_representation).
const noBoolean = "22P02"

// finalHook calls a function and commits.
func (p *pipeline) finalHook(ctx context.Context, call, event string) (answer []byte, err error) {
	answered := false
	read := func(rows pgx.Rows) error {
		answer = firstValue(rows)
		rows.Close()
		answered = rows.Err() == nil
		return nil
	}
	_ = p.Read(ctx, "call a hook", read, `SELECT a.answer, pg_catalog.set_config('reeve.hook', `+acceptable+`, true)
		FROM (SELECT `+call+` AS answer OFFSET 0) a LIMIT 1`, hookMode, event)
	_ = p.Later(ctx, "end the limit of a hook", "SET LOCAL statement_timeout TO DEFAULT", hookMode)
	_ = p.Later(ctx, "check the answer of a hook", `SELECT pg_catalog.current_setting('reeve.hook')::pg_catalog.bool`, hookMode)
	tag, err := p.exec(ctx, bare(commit))
	var before *earlier
	var pg *pgconn.PgError
	switch {
	case err == nil && tag.String() == "ROLLBACK":
		return nil, pgx.ErrTxCommitRollback
	case err == nil:
		p.done = true
		return answer, nil
	case !answered:
		return nil, hookFailed(err)
	case errors.As(err, &before) && errors.As(before.err, &pg) && pg.Code == noBoolean:
		p.undone = true
		return answer, nil
	}
	return nil, err
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

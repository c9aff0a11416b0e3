package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pipeline runs the statements of a transaction. BEGIN, and statements of which only
// an error matters, wait until a statement whose result is needed, or the commit, is
// sent with them: one round trip for all. Postgres skips what follows a
// failed statement, the commit too.
type pipeline struct {
	db       *DB
	conn     Conn
	waiting  []statement
	begun    bool // BEGIN was answered
	loans    int
	released bool
	done     bool  // committed, by finalHook
	undone   bool  // not committed, by finalHook
	lost     error // why nothing was sent: what waited is lost, and with it the transaction
}

// statement is SQL on its way to the database. The arguments are encoded when it is
// sent.
type statement struct {
	sql  string
	args []any
	mode pgx.QueryExecMode
	what string // the beginning of its error's text
	read func(pgx.Rows) error
}

func newStatement(sql string, args []any) statement {
	s := statement{sql: sql, args: args, mode: pgx.QueryExecModeCacheStatement}
	if len(args) > 0 {
		if mode, ok := args[0].(pgx.QueryExecMode); ok {
			s.mode, s.args = mode, args[1:]
		}
	}
	return s
}

func bare(sql string) statement { return statement{sql: sql, mode: pgx.QueryExecModeExec} }

// earlier is the error of a statement that waited, returned by a later call: it says
// nothing about that call's row.
type earlier struct{ err error }

// Error implements error.
func (e *earlier) Error() string { return e.err.Error() }

// cause returns the error of the statement that failed.
func cause(err error) error {
	var e *earlier
	if errors.As(err, &e) {
		return e.err
	}
	return err
}

// openPipeline borrows a connection. BEGIN waits.
func openPipeline(ctx context.Context, db *DB) (*pipeline, error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &pipeline{db: db, conn: conn, loans: 1, waiting: []statement{bare(begin)}}, nil
}

// Later implements querier.
func (p *pipeline) Later(_ context.Context, what, sql string, args ...any) error {
	s := newStatement(sql, args)
	s.what = what
	p.waiting = append(p.waiting, s)
	return nil
}

// Read implements querier.
func (p *pipeline) Read(_ context.Context, what string, read func(pgx.Rows) error, sql string, args ...any) error {
	s := newStatement(sql, args)
	s.what, s.read = what, read
	p.waiting = append(p.waiting, s)
	return nil
}

// readRows has read take the rows, and closes them.
func readRows(rows pgx.Rows, what string, read func(pgx.Rows) error) error {
	err := read(rows)
	rows.Close()
	if failed := rows.Err(); failed != nil {
		return fmt.Errorf("%s: %w", what, failed)
	}
	return err
}

// Exec implements querier.
func (p *pipeline) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return p.exec(ctx, newStatement(sql, args))
}

func (p *pipeline) exec(ctx context.Context, s statement) (pgconn.CommandTag, error) {
	rows, err := p.send(ctx, s)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	rows.Close()
	return rows.CommandTag(), rows.Err()
}

// Query implements querier.
func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := p.send(ctx, newStatement(sql, args))
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// QueryRow implements querier.
func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := p.send(ctx, newStatement(sql, args))
	return row{rows, err}
}

const begin, commit = "BEGIN", "COMMIT"

// commit ends the transaction, if there was any statement.
func (p *pipeline) commit(ctx context.Context) error {
	if p.undone {
		return ErrNotCommitted
	}
	if p.done && len(p.waiting) == 0 {
		return nil
	}
	if p.lost == nil && !p.begun && len(p.waiting) == 1 {
		return nil
	}
	if slices.ContainsFunc(p.waiting, func(s statement) bool { return s.read != nil }) {
		// What read finds decides whether to commit.
		if _, err := p.exec(ctx, bare("SELECT")); err != nil {
			return err
		}
	}
	tag, err := p.exec(ctx, bare(commit))
	if err == nil && tag.String() == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// rollback ends the transaction unless it has ended. A connection on which that
// fails is closed.
func (p *pipeline) rollback(ctx context.Context) {
	if p.released {
		return
	}
	raw := p.conn.Raw()
	if raw.IsClosed() || raw.PgConn().TxStatus() == 'I' && !raw.PgConn().IsBusy() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if raw.PgConn().Exec(ctx, "ROLLBACK").Close() != nil {
		_ = raw.Close(ctx)
	}
}

// send sends what waits and then last, of which it returns the rows. The first time
// a dead connection is replaced unless the commit may have been done: it died while
// it was idle, or lacks prepared statements.
func (p *pipeline) send(ctx context.Context, last statement) (*answer, error) {
	if p.lost != nil {
		return nil, &earlier{p.lost}
	}
	for fresh := !p.begun; ; {
		rows, err := p.try(ctx, append(slices.Clip(p.waiting), last))
		if err != nil && fresh && p.mayReplace(ctx, last, err) {
			if err = p.replace(ctx); err == nil {
				continue
			}
			p.lost = err
		}
		p.waiting = nil
		return rows, err
	}
}

func (p *pipeline) mayReplace(ctx context.Context, last statement, err error) bool {
	if !p.conn.Raw().IsClosed() || ctx.Err() != nil || p.loans == attempts {
		return false
	}
	return outdated(err) || !p.begun && (last.sql != commit || p.lost != nil || pgconn.SafeToRetry(err))
}

func (p *pipeline) replace(ctx context.Context) error {
	p.release()
	conn, err := p.db.Acquire(ctx)
	if err == nil {
		p.conn, p.loans, p.released, p.begun, p.lost = conn, p.loans+1, false, false, nil
	}
	return err
}

// release returns the connection, once.
func (p *pipeline) release() {
	if !p.released {
		p.released = true
		p.conn.Release()
	}
}

// try sends the statements, and reads the answers to all but the last.
func (p *pipeline) try(ctx context.Context, statements []statement) (*answer, error) {
	conn := p.conn.Raw()
	ready := make([]encoded, len(statements))
	for i, s := range statements {
		var err error
		if ready[i], err = s.encode(ctx, conn); err != nil {
			p.lost = err
			return nil, failed(s, err, i+1 < len(statements))
		}
	}
	if p.db.Sent != nil {
		p.db.Sent(texts(statements))
	}
	out := conn.PgConn().StartPipeline(ctx)
	for i := range ready {
		ready[i].send(out)
	}
	err := out.Sync()
	for i := 0; err == nil && i < len(ready); i++ {
		var result *pgconn.ResultReader
		result, err = next(out)
		if err == nil && i+1 < len(ready) {
			err = statements[i].take(conn, result)
		}
		if err != nil {
			err = failed(statements[i], err, i+1 < len(ready))
			break
		}
		p.begun = true // by the first answer
		if i+1 == len(ready) {
			return &answer{Rows: pgx.RowsFromResultReader(conn.TypeMap(), result), out: out}, nil
		}
	}
	_ = out.Close() // it has this error
	p.forget(ctx, err)
	return nil, err
}

// take reads the result of a statement that waited.
func (s *statement) take(conn *pgx.Conn, result *pgconn.ResultReader) error {
	if s.read != nil {
		return readRows(pgx.RowsFromResultReader(conn.TypeMap(), result), s.what, s.read)
	}
	_, err := result.Close()
	return err
}

// next returns the next result of a pipeline.
func next(out *pgconn.Pipeline) (*pgconn.ResultReader, error) {
	result, err := out.GetResults()
	if err != nil {
		return nil, err
	}
	reader, ok := result.(*pgconn.ResultReader)
	if !ok {
		return nil, fmt.Errorf("unexpected %T instead of a result", result)
	}
	return reader, nil
}

func failed(s statement, err error, waited bool) error {
	if s.read != nil {
		return err // it is what the caller waits for
	}
	if s.what != "" {
		err = fmt.Errorf("%s: %w", s.what, err)
	}
	if waited {
		err = &earlier{err}
	}
	return err
}

// outdated reports whether the connection's prepared statements may have caused the
// error: a trigger has deallocated them, or the type of a column has changed.
func outdated(err error) bool {
	var pg *pgconn.PgError
	return errors.As(cause(err), &pg) && (pg.Code == "26000" || pg.Code == "0A000") && !inFunction.MatchString(pg.Where)
}

// forget closes the connection after such an error.
func (p *pipeline) forget(ctx context.Context, err error) {
	if outdated(err) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = p.conn.Raw().Close(ctx)
	}
}

func texts(statements []statement) []string {
	list := make([]string, len(statements))
	for i, s := range statements {
		list[i] = s.sql
	}
	return list
}

// encoded is a statement ready to be sent.
type encoded struct {
	statement
	description *pgconn.StatementDescription // nil in mode Exec
	values      [][]byte
	formats     []int16
	results     []int16
}

// encode encodes the arguments. The first time on a connection it asks the
// database for the statement's types; unless the statement is unnamed, it stays
// prepared.
func (s statement) encode(ctx context.Context, conn *pgx.Conn) (encoded, error) {
	e := encoded{statement: s}
	var err error
	switch s.mode {
	case pgx.QueryExecModeExec:
	case unnamed:
		e.description, err = types(ctx, conn, s.sql)
	default:
		e.description, err = conn.Prepare(ctx, s.sql, s.sql)
	}
	if err != nil {
		return e, err
	}
	var b pgx.ExtendedQueryBuilder
	if err := b.Build(conn.TypeMap(), e.description, s.args); err != nil {
		return e, fmt.Errorf("encode the arguments of a statement: %w", err)
	}
	e.values, e.formats, e.results = b.ParamValues, b.ParamFormats, b.ResultFormats
	return e, nil
}

func (e *encoded) send(out *pgconn.Pipeline) {
	switch {
	case e.description == nil:
		out.SendQueryParams(e.sql, e.values, nil, e.formats, e.results)
	case e.mode == unnamed:
		out.SendQueryParams(e.sql, e.values, e.description.ParamOIDs, e.formats, e.results)
	default:
		out.SendQueryStatement(e.description, e.values, e.formats, e.results)
	}
}

// described is the key of a connection's descriptions of unnamed statements.
const described = "reeve statement descriptions"

// types returns the types of an unnamed statement.
func types(ctx context.Context, conn *pgx.Conn, sql string) (*pgconn.StatementDescription, error) {
	data := conn.PgConn().CustomData()
	known, ok := data[described].(map[string]*pgconn.StatementDescription)
	if !ok {
		known = map[string]*pgconn.StatementDescription{}
		data[described] = known
	}
	if known[sql] == nil {
		d, err := conn.PgConn().Prepare(ctx, "", sql, nil)
		if err != nil {
			return nil, err
		}
		known[sql] = d
	}
	return known[sql], nil
}

// answer is the rows of the last statement of a pipeline. They must be closed, or
// read to their end.
type answer struct {
	pgx.Rows
	out    *pgconn.Pipeline
	closed bool
	err    error
}

// Next implements pgx.Rows.
func (a *answer) Next() bool {
	if a.Rows.Next() {
		return true
	}
	a.Close()
	return false
}

// Close implements pgx.Rows.
func (a *answer) Close() {
	a.Rows.Close()
	if !a.closed {
		a.closed, a.err = true, a.out.Close()
	}
}

// Err implements pgx.Rows.
func (a *answer) Err() error {
	if err := a.Rows.Err(); err != nil {
		return err
	}
	return a.err
}

// scanOne scans the only row; pgx.ErrNoRows.
func scanOne(rows pgx.Rows, dest ...any) error {
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	return rows.Scan(dest...)
}

// row is the only row of an answer.
type row struct {
	rows *answer
	err  error
}

// Scan implements pgx.Row.
func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if err := scanOne(r.rows, dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// Package sqlrun runs SQL of a project's developer, who is not trusted, on a
// connection to the project's database that is used for nothing else. It owns the
// protocol, the bounds of the answer, the JSON of rows and the faults of SQL. It does
// not connect, and does not know what a project is: internal/provision does.
package sqlrun

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/reevehq/reeve/internal/fault"
)

// The bounds of an answer. maxBytes counts the JSON of all rows that are kept, and
// the bytes that the server sends for rows that are not.
const (
	maxRows  = 50_000
	maxBytes = 8 << 20
	// maxTags bounds Result.Commands.
	maxTags = 100
)

// The faults of a query.
var (
	// ErrFailed has the members sqlstate and, where known, position: the character in
	// the query, from 1.
	ErrFailed      = fault.New(fault.Invalid, "query_failed", "Failed to run sql query")
	ErrTimeout     = fault.New(fault.Invalid, "query_timeout", "The query was ended because it took too long: run long statements over a direct connection")
	ErrInterrupted = fault.New(fault.Unavailable, "query_interrupted", "The session of the query was ended by the server or an administrator; the query may have taken effect").After(time.Second)
	ErrTooLarge    = fault.New(fault.TooLarge, "query_result_too_large", "The result is too large: an answer has at most 50,000 rows and 8 MB. Add a LIMIT, or select fewer columns. A statement that writes may have taken effect")
	ErrCopy        = fault.New(fault.Invalid, "query_copy_unsupported", "COPY from or to the client is not possible here: use INSERT or SELECT, or a direct connection")
	ErrOpen        = fault.New(fault.Invalid, "query_transaction_open", "The query leaves a transaction open, which was rolled back: add COMMIT")
	ErrParameters  = fault.New(fault.Invalid, "validation_failed", "parameters: a value cannot be passed to Postgres")
)

// Query is what to run.
type Query struct {
	SQL string
	// Parameters are decoded JSON values, numbers as json.Number; nil is NULL. With
	// any, SQL must be one statement.
	Parameters []any
	// ReadOnly runs SQL, which must be one statement then, in a read-only transaction
	// that is rolled back.
	ReadOnly bool
}

// Result is what came of it.
type Result struct {
	// Rows are objects: those of the last statement that returned any.
	Rows []json.RawMessage
	// Commands are the tags of the first hundred statements, such as "INSERT 0 1".
	Commands []string
}

// Session is a connection on which queries run one after the other.
type Session struct {
	ctx      context.Context //nolint:containedctx // a session is as long as its context
	frontend *pgproto3.Frontend
	result   // of the current statement
	kept     []json.RawMessage
	commands []string
	bytes    int
	notices  []Notice
	detailed bool // the present statement is a Run's
	keep     int  // rows of a Run that are kept
	seen     int  // rows of a Run
	columns  []Column
	offset   int  // characters before the developer's SQL in the present statement
	status   byte // of the transaction, as of the last ReadyForQuery
	idle     bool // the backend waits for the next query
	failed   *pgproto3.ErrorResponse
}

// New returns a session on a connection, which it uses up, and which ends with ctx. stop
// must be called; the caller then closes the connection and, unless the session is Idle,
// ends its backend, which may still compute.
func New(ctx context.Context, conn *pgconn.HijackedConn) (s *Session, stop func()) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.Conn.SetDeadline(deadline)
	}
	end := context.AfterFunc(ctx, func() { _ = conn.Conn.SetDeadline(time.Unix(1, 0)) })
	return &Session{ctx: ctx, frontend: conn.Frontend, status: 'I', idle: true}, func() { end() }
}

// Idle reports whether the backend waits for a query. After an error that leaves it
// busy no other query can run.
func (s *Session) Idle() bool { return s.idle }

// InTransaction reports whether a transaction is open that has not failed.
func (s *Session) InTransaction() bool { return s.status == 'T' }

// Query runs a query that leaves no transaction open.
func (s *Session) Query(q Query) (Result, error) {
	parameters, err := encodeParameters(q.Parameters)
	if err != nil {
		return Result{}, err
	}
	if q.ReadOnly {
		// After a first query nothing makes the transaction read-write.
		for _, sql := range []string{"BEGIN TRANSACTION READ ONLY", "SELECT 1"} {
			if _, err := s.Script(sql); err != nil {
				return Result{}, err
			}
		}
	}
	if !q.ReadOnly && len(parameters) == 0 {
		out, err := s.Script(q.SQL)
		if err == nil && s.status != 'I' {
			return Result{}, ErrOpen
		}
		return out, err
	}
	out, err := s.statement(q.SQL, parameters)
	if err == nil && s.status != 'I' && !q.ReadOnly {
		return Result{}, ErrOpen
	}
	return out, err
}

// Script runs statements without parameters.
func (s *Session) Script(sql string) (Result, error) {
	s.frontend.SendQuery(&pgproto3.Query{String: sql})
	return s.receive(sql)
}

// Statement runs one statement.
func (s *Session) Statement(sql string, parameters ...any) (Result, error) {
	encoded, err := encodeParameters(parameters)
	if err != nil {
		return Result{}, err
	}
	return s.statement(sql, encoded)
}

func (s *Session) statement(sql string, parameters [][]byte) (Result, error) {
	s.frontend.SendParse(&pgproto3.Parse{Query: sql})
	s.frontend.SendBind(&pgproto3.Bind{Parameters: parameters})
	s.frontend.SendDescribe(&pgproto3.Describe{ObjectType: 'P'})
	s.frontend.SendExecute(&pgproto3.Execute{})
	s.frontend.SendSync(&pgproto3.Sync{})
	return s.receive(sql)
}

// receive sends what was queued, and returns the result of the query.
func (s *Session) receive(sql string) (Result, error) {
	s.result, s.kept, s.commands, s.bytes = result{}, nil, nil, 0
	s.idle, s.failed = false, nil
	if err := s.read(); err != nil {
		return Result{}, s.explain(err, sql)
	}
	return Result{Rows: s.kept, Commands: s.commands}, nil
}

// read reads to the next ReadyForQuery. An error of the server is session.failed.
func (s *Session) read() error {
	if err := s.frontend.Flush(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	for {
		message, err := s.frontend.Receive()
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		switch m := message.(type) {
		case *pgproto3.RowDescription:
			s.describe(m.Fields)
		case *pgproto3.NoticeResponse:
			s.notice(m)
		case *pgproto3.DataRow:
			if err := s.row(m); err != nil {
				return err
			}
		case *pgproto3.CommandComplete:
			s.complete(string(m.CommandTag))
		case *pgproto3.EmptyQueryResponse:
			s.result = result{}
		case *pgproto3.CopyInResponse, *pgproto3.CopyOutResponse, *pgproto3.CopyBothResponse:
			return ErrCopy
		case *pgproto3.ErrorResponse:
			failed := *m
			s.failed = &failed
			if m.Severity == "FATAL" || m.Severity == "PANIC" || m.SeverityUnlocalized == "FATAL" || m.SeverityUnlocalized == "PANIC" {
				return errFailed
			}
		case *pgproto3.ReadyForQuery:
			s.status, s.idle = m.TxStatus, true
			if s.failed != nil {
				return errFailed
			}
			return nil
		}
	}
}

func (s *Session) row(m *pgproto3.DataRow) error {
	if len(s.rows) >= maxRows {
		return ErrTooLarge
	}
	if s.detailed {
		return s.detail(m)
	}
	row := s.object(m.Values)
	s.bytes += len(row)
	if s.bytes > maxBytes {
		return ErrTooLarge
	}
	s.rows = append(s.rows, row)
	return nil
}

func (s *Session) complete(tag string) {
	if len(s.rows) > 0 || s.detailed && s.returns {
		s.kept = s.rows
	}
	s.result = result{}
	if len(s.commands) < maxTags {
		s.commands = append(s.commands, tag)
	}
}

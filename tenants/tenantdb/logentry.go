package tenantdb

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
)

// LogEntry returns the entry of the project's log for an error of its database;
// false if the error has no answer of the database.
//
// Of an error's DETAIL only that of RAISE is kept, because Postgres' own quotes
// whole rows ("Failing row contains ..."), with password hashes and tokens. Of its
// CONTEXT only the functions are kept, because the other lines can have parameters.
func LogEntry(err error) (projectlog.Entry, bool) {
	var answer *refused
	var pg *pgconn.PgError
	if !errors.As(err, &answer) || !errors.As(answer, &pg) {
		return projectlog.Entry{}, false
	}
	detail := map[string]any{
		"sqlstate": pg.Code, "error": pg.Message, "hint": pg.Hint, "constraint": pg.ConstraintName, "column": pg.ColumnName,
		"where": functionLines(pg.Where), "function": outermost(pg.Where),
	}
	if pg.TableName != "" {
		detail["table"] = pg.SchemaName + "." + pg.TableName
	}
	if pg.Code == raisedState {
		detail["detail"] = pg.Detail
	}
	var trigger *triggerError
	if errors.As(err, &trigger) {
		detail["trigger"], detail["on"] = trigger.name, trigger.table
	}
	code, message := describe(pg, detail["function"] != "")
	return projectlog.Entry{Level: projectlog.Error, Code: code, Message: message, Detail: detail}, true
}

// raisedState is the SQLSTATE of RAISE EXCEPTION without another one.
const raisedState = "P0001"

// rewriter is the function of Postgres that refuses rules on the tables that a
// statement with data-modifying subqueries writes.
const rewriter = "RewriteQuery"

// describe returns the code and the message of an entry.
func describe(pg *pgconn.PgError, inFunction bool) (code, message string) {
	switch {
	case pg.Code == "57014" && inFunction:
		return "trigger_timeout", "A database function of the project, probably of a trigger, did not end within the time limit."
	case pg.Code == "57014":
		return "statement_timeout", "A statement on the project's database did not end within the time limit."
	case pg.Code == "55P03":
		return "lock_timeout", "A statement waited too long for a lock that another session of the project's database holds."
	case pg.Code == "40P01", pg.Code == "40001":
		return "deadlock", "Two transactions of the project's database blocked each other; one was ended and may be repeated."
	case pg.Code == "57P01", pg.Code == "25P03":
		return "session_ended", "The database ended the session of this request."
	case pg.Code == "53300":
		return "too_many_connections", "The database server or the project's role has no connection left."
	case pg.Code == "0A000" && pg.Routine == rewriter:
		return "rule_not_supported", "A rule (CREATE RULE) on a table of schema auth does not go together with the statements that sign users in. Drop it; write a trigger instead."
	case inFunction:
		return "trigger_failed", "A database function of the project, probably of a trigger, failed; the request was rolled back."
	case strings.HasPrefix(pg.Code, "23"):
		return "constraint_failed", "A constraint of the project's database refused a change; the request was rolled back."
	case pg.Code == "42501":
		return "permission_denied", "The project's auth role lacks a right, or a row-level security policy refused a change."
	}
	return "database_error", "The project's database refused a statement."
}

// maxFunctionLines bounds what is kept of an error's context.
const maxFunctionLines = 5

// functionLines are the functions that an error passed through, the innermost
// first.
func functionLines(where string) []string {
	var out []string
	for line := range strings.SplitSeq(where, "\n") {
		if len(out) < maxFunctionLines && inFunction.MatchString(line) {
			out = append(out, line)
		}
	}
	return out
}

// functionName matches the name in a line such as
//
//	PL/pgSQL function public.handle_new_user() line 3 at RAISE
//	SQL function "handle_new_user" statement 1
var functionName = regexp.MustCompile(`function (?:"([^"(]+)" statement|([^(]+)\()`)

// outermost is the name of the function that the others were called from: the
// one of the trigger.
func outermost(where string) string {
	lines := functionLines(where)
	if len(lines) == 0 {
		return ""
	}
	found := functionName.FindStringSubmatch(lines[len(lines)-1])
	if found == nil {
		return ""
	}
	return found[1] + found[2]
}

// triggerError is the cause of an auth.ErrTriggerFailed, with the trigger.
type triggerError struct {
	err         error
	name, table string
}

func (t *triggerError) Error() string {
	return t.err.Error() + " (trigger " + t.name + " on " + t.table + ")"
}
func (t *triggerError) Unwrap() error { return t.err }

// lookupTimeout bounds the search for a trigger. The request has failed already.
const lookupTimeout = time.Second

// nameTrigger adds the trigger to an error of its function, which does not name it.
// The transaction must have ended. A search that fails leaves the error as it is.
func nameTrigger(ctx context.Context, conn *pgx.Conn, err error) error {
	var pg *pgconn.PgError
	if !errors.Is(err, auth.ErrTriggerFailed) || !errors.As(err, &pg) || conn.IsClosed() {
		return err
	}
	function := outermost(pg.Where)
	if function == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	t := &triggerError{err: fault.From(err).Err}
	if conn.QueryRow(ctx, `SELECT t.tgname, n.nspname || '.' || c.relname
		FROM pg_catalog.pg_trigger t
		JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE t.tgfoid = pg_catalog.to_regproc($1) AND NOT t.tgisinternal
		ORDER BY n.nspname <> 'auth', c.relname <> 'users', t.tgname LIMIT 1`, function).Scan(&t.name, &t.table) != nil {
		return err
	}
	return auth.ErrTriggerFailed.Because(t)
}

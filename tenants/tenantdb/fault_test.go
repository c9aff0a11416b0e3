package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

const inTrigger = "SQL statement \"INSERT INTO public.profiles\"\nPL/pgSQL function public.handle_new_user() line 3 at SQL statement\nfurther"

func TestAsFaultOfSQLSTATE(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pg   pgconn.PgError
		want *fault.Error // nil = stays unclassified
	}{
		{pgconn.PgError{Code: "23505", SchemaName: "auth", ConstraintName: "users_email_partial_key"}, auth.ErrEmailExists},
		{pgconn.PgError{Code: "23505", SchemaName: "auth", ConstraintName: "users_phone_key"}, auth.ErrPhoneExists},
		{pgconn.PgError{Code: "23505", SchemaName: "auth", ConstraintName: "users_pkey"}, auth.ErrUserExists},
		{pgconn.PgError{Code: "23505", SchemaName: "auth", ConstraintName: "identities_provider_id_provider_unique"}, auth.ErrIdentityExists},
		{pgconn.PgError{Code: "23505", SchemaName: "auth", ConstraintName: "another"}, nil},
		{pgconn.PgError{Code: "23505", SchemaName: "public", ConstraintName: "users_email_partial_key"}, nil},
		{pgconn.PgError{Code: "23514", SchemaName: "auth", ConstraintName: "users_email_partial_key"}, nil},
		{pgconn.PgError{Code: "23505", SchemaName: "auth", ConstraintName: "users_email_partial_key", Where: inTrigger}, auth.ErrTriggerFailed},

		{pgconn.PgError{Code: "22021"}, auth.ErrValidation}, // not in the encoding
		{pgconn.PgError{Code: "22021", Where: "unnamed portal parameter $1"}, auth.ErrValidation},
		{pgconn.PgError{Code: "22P05"}, auth.ErrValidation}, // untranslatable
		{pgconn.PgError{Code: "22001"}, auth.ErrValidation}, // too long
		{pgconn.PgError{Code: "22001", Where: inTrigger}, auth.ErrTriggerFailed},
		{pgconn.PgError{Code: "22001", Where: `SQL function "f" statement 1`}, auth.ErrTriggerFailed},
		{pgconn.PgError{Code: "22001", Where: "fonction PL/pgsql f(), ligne 3"}, auth.ErrTriggerFailed},
		{pgconn.PgError{Code: "22012", Where: inTrigger}, auth.ErrTriggerFailed},
		{pgconn.PgError{Code: "22012"}, nil},
		{pgconn.PgError{Code: "P0001", Where: inTrigger}, auth.ErrTriggerFailed},
		{pgconn.PgError{Code: "42P01", Where: inTrigger}, auth.ErrTriggerFailed},
		{pgconn.PgError{Code: "42P01"}, nil},
		{pgconn.PgError{Code: "42501"}, nil},

		{pgconn.PgError{Code: "40001"}, auth.ErrConflict}, // serialization
		{pgconn.PgError{Code: "40P01"}, auth.ErrConflict}, // deadlock
		{pgconn.PgError{Code: "40P01", Where: inTrigger}, auth.ErrConflict},
		{pgconn.PgError{Code: "57014"}, auth.ErrTimeout}, // statement timeout
		{pgconn.PgError{Code: "57014", Where: inTrigger}, auth.ErrTimeout},

		{pgconn.PgError{Code: "57P01"}, auth.ErrDatabaseAway}, // shutdown
		{pgconn.PgError{Code: "57P03"}, auth.ErrDatabaseAway}, // starting up
		{pgconn.PgError{Code: "08006"}, auth.ErrDatabaseAway},
		{pgconn.PgError{Code: "53100"}, auth.ErrDatabaseAway}, // disk full
		{pgconn.PgError{Code: "53300"}, auth.ErrDatabaseAway}, // too many connections
		{pgconn.PgError{Code: "25006"}, auth.ErrDatabaseAway}, // read only: a standby
		{pgconn.PgError{Code: "25P03"}, auth.ErrDatabaseAway},
		{pgconn.PgError{Code: "3D000"}, auth.ErrDatabaseAway}, // no such database
		{pgconn.PgError{Code: "55000"}, auth.ErrDatabaseAway}, // database allows no connections
		{pgconn.PgError{Code: "55000", Where: inTrigger}, auth.ErrTriggerFailed},
		{pgconn.PgError{Code: ""}, nil},
		{pgconn.PgError{Code: "XX000"}, nil},
	} {
		c.pg.Message, c.pg.Severity = "what Postgres says", "ERROR"
		err := asFault(fmt.Errorf("create user: %w", &c.pg))
		name := fmt.Sprintf("%s %s.%s %.20q", c.pg.Code, c.pg.SchemaName, c.pg.ConstraintName, c.pg.Where)
		wantFault(t, name, err, c.want)
		if !strings.Contains(err.Error(), "what Postgres says (SQLSTATE "+c.pg.Code+")") || !strings.Contains(err.Error(), "create user") {
			t.Errorf("%s: the log does not tell the cause: %v", name, err)
		}
		if strings.Contains(fault.From(err).Message, "Postgres says") {
			t.Errorf("%s: the client reads %q", name, fault.From(err).Message)
		}
		if c.pg.Where == inTrigger && c.want == auth.ErrTriggerFailed && !strings.HasSuffix(err.Error(), ": PL/pgSQL function public.handle_new_user() line 3 at SQL statement") {
			t.Errorf("%s: the log does not tell the function: %v", name, err)
		}
	}
}

// wantFault checks the fault, and that a temporary one has a Retry-After.
func wantFault(t *testing.T, name string, err error, want *fault.Error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		if want != nil {
			t.Errorf("%s: %v is no fault, want %v", name, err, want)
		}
		return
	}
	if want == nil || !errors.Is(f, want) {
		t.Errorf("%s: %v, want %v", name, f, want)
		return
	}
	passes := f.Kind == fault.Unavailable || errors.Is(f, auth.ErrConflict)
	if passes != (f.RetryAfter > 0) {
		t.Errorf("%s: retry after %v", name, f.RetryAfter)
	}
}

func TestAsFault(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("read: %w", auth.ErrUserNotFound)
	if err := asFault(wrapped); err != wrapped { //nolint:errorlint // the same one
		t.Errorf("a fault becomes %v", err)
	}
	if err := asFault(nil); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		err  error
		want *fault.Error
	}{
		"deadline":            {context.DeadlineExceeded, auth.ErrTimeout},
		"cancelled":           {context.Canceled, nil},
		"end of file":         {io.ErrUnexpectedEOF, auth.ErrDatabaseAway},
		"reset":               {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, auth.ErrDatabaseAway},
		"refused":             {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, auth.ErrDatabaseAway},
		"broken pipe":         {syscall.EPIPE, auth.ErrDatabaseAway},
		"connection closed":   {net.ErrClosed, auth.ErrDatabaseAway},
		"transaction is over": {pgx.ErrTxClosed, auth.ErrDatabaseAway},
		"no rows":             {pgx.ErrNoRows, nil},
		"anything":            {errors.New("bug"), nil},
	} {
		wantFault(t, name, asFault(fmt.Errorf("read: %w", c.err)), c.want)
	}
}

package tenantdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

// constraints maps a constraint of the schema to the refusal that its violation
// means.
var constraints = map[string]*fault.Error{
	"users_email_partial_key":                auth.ErrEmailExists,
	"users_phone_key":                        auth.ErrPhoneExists,
	"users_pkey":                             auth.ErrUserExists.Saying("A user with this id already exists"),
	"identities_provider_id_provider_unique": auth.ErrIdentityExists,
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
	var message *pgproto3.ExceededMaxBodyLenErr
	if errors.As(err, &message) {
		return auth.ErrAnswerTooLarge.Because(err)
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
	if f := ofState(pg.Code); f != nil {
		return f.Because(err).After(time.Second)
	}
	switch {
	case inFunction.MatchString(pg.Where):
		// Whatever it is, it is not what the client sent that is wrong.
		return auth.ErrTriggerFailed.Because(fmt.Errorf("%w: %s", err, firstLine(pg.Where)))
	case pg.Code == "23505" && pg.SchemaName == "auth" && constraints[pg.ConstraintName] != nil:
		return constraints[pg.ConstraintName].Because(err)
	case pg.Code == "22021", pg.Code == "22P05", pg.Code == "22001":
		return auth.ErrValidation.Because(err).Saying("The request holds text that cannot be stored")
	case pg.Code == "55000", pg.Code == "3D000":
		return auth.ErrDatabaseAway.Because(err).After(time.Second)
	}
	return err
}

// ofState knows the SQLSTATEs that mean the same wherever they arise: try again.
func ofState(code string) *fault.Error {
	switch {
	case code == "40001", code == "40P01":
		return auth.ErrConflict
	case code == "57014", code == "55P03": // statement_timeout, lock_timeout
		return auth.ErrTimeout
	case code == "25006", code == "25P03": // a standby took over; idle in transaction
		return auth.ErrDatabaseAway
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"):
		return auth.ErrDatabaseAway
	}
	return nil
}

// inFunction finds, in the context that Postgres gives with an error, that it
// arose in a function: a trigger of the project's developer, such as "PL/pgSQL
// function public.handle_new_user() line 3 at RAISE", in some languages with a
// word in front. (The context of a parameter that cannot be read is "unnamed portal
// parameter $1".)
var inFunction = regexp.MustCompile(`(?im)^(SQL[ -]fun|.{0,20}PL/)`)

// firstLine is where in the function an error arose: the lines after it tell how
// it came to be called.
func firstLine(where string) string {
	const most = 300
	for line := range strings.SplitSeq(where, "\n") {
		if inFunction.MatchString(line) {
			return line[:min(len(line), most)]
		}
	}
	return ""
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

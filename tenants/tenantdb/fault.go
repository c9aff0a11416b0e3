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
	"github.com/reevehq/reeve/internal/scim"
)

// constraints maps a constraint of the schema to the fault that its violation
// means.
var constraints = map[string]*fault.Error{
	"users_email_partial_key":                auth.ErrEmailExists,
	"mfa_factors_user_friendly_name_unique":  auth.ErrFactorName,
	"unique_phone_factor_per_user":           auth.ErrFactorExists,
	"mfa_recovery_code_sets_user_id_key":     auth.ErrFactorExists,
	"users_phone_key":                        auth.ErrPhoneExists,
	"users_pkey":                             auth.ErrUserExists.Saying("A user with this id already exists"),
	"identities_provider_id_provider_unique": auth.ErrIdentityExists,
	"custom_oauth_providers_identifier_key":  auth.ErrCustomProviderExists,
	"webauthn_credentials_credential_id_key": auth.ErrPasskeyExists,
	"sso_domains_domain_idx":                 auth.ErrSSODomainExists,
	"sso_providers_resource_id_idx":          auth.ErrSSOProviderExists.Saying("Another connection has this resource_id"),
	"saml_providers_entity_id_key":           auth.ErrSAMLEntityExists,
	"scim_users_user_name_key":               scim.ErrUniqueness.Saying("Another user of the connection has this userName"),
	"scim_users_external_id_key":             scim.ErrUniqueness.Saying("Another user of the connection has this externalId"),
	"scim_group_external_id_key":             scim.ErrUniqueness.Saying("Another group of the connection has this externalId"),
}

// asFault classifies a database error. An unknown error stays unclassified and
// so becomes an Internal fault.
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
		return postgresFault(pg, &refused{err})
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

// refused marks an answer of the project's database, for LogEntry: an error may also
// have an answer of another one.
type refused struct{ error }

func (r *refused) Unwrap() error { return r.error }

func postgresFault(pg *pgconn.PgError, err error) error {
	if f := ofState(pg.Code); f != nil {
		return f.Because(err).After(time.Second)
	}
	switch {
	case inFunction.MatchString(pg.Where):
		// In any case the cause is not the client's input.
		return auth.ErrTriggerFailed.Because(fmt.Errorf("%w: %s", err, firstLine(pg.Where)))
	case pg.Code == "23505" && (pg.SchemaName == "auth" || pg.SchemaName == "reeve") && constraints[pg.ConstraintName] != nil:
		return constraints[pg.ConstraintName].Because(err)
	case pg.Code == "22021", pg.Code == "22P05", pg.Code == "22001":
		return auth.ErrValidation.Because(err).Saying("The request holds text that cannot be stored")
	case pg.Code == "55000", pg.Code == "3D000":
		return auth.ErrDatabaseAway.Because(err).After(time.Second)
	}
	return err
}

// ofState maps the SQLSTATEs that always mean: try again.
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

// inFunction matches the context of an error that was raised in a function: a
// trigger of the project's developer, such as "PL/pgSQL function
// public.handle_new_user() line 3 at RAISE", with a word in front in some
// languages. (The context of a parameter that cannot be read is "unnamed portal
// parameter $1".)
var inFunction = regexp.MustCompile(`(?im)^(SQL[ -]fun|.{0,20}PL/)`)

// firstLine is where in the function an error was raised; the following lines
// are its callers.
func firstLine(where string) string {
	const most = 300
	for line := range strings.SplitSeq(where, "\n") {
		if inFunction.MatchString(line) {
			return line[:min(len(line), most)]
		}
	}
	return ""
}

// isConnectionLoss recognises a server that went away during a reply.
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

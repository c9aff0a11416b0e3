package controldb

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrUnavailable is returned while the control database cannot be reached.
var ErrUnavailable = fault.New(fault.Unavailable, "database_unavailable",
	"The database is not reachable at the moment").After(time.Second)

// ErrStale is returned by an update or delete whose row does not exist, or is
// not in the state that the change requires.
var ErrStale = fault.New(fault.Conflict, "conflict", "The object was changed or removed meanwhile")

// constraints maps the name of a violated constraint to its fault. Other
// violations are Internal faults.
var constraints = map[string]*fault.Error{
	"organizations_slug_key":                     fault.New(fault.Conflict, "conflict", "An organization with this slug exists already"),
	"organizations_slug_check":                   fault.New(fault.Invalid, "validation_failed", "slug: must be 1 to 64 of a-z, 0-9 and -"),
	"organizations_name_check":                   fault.New(fault.Invalid, "validation_failed", "name: must have 1 to 256 characters"),
	"members_pkey":                               fault.New(fault.Conflict, "conflict", "The user is a member already"),
	"members_organization_id_fkey":               errNoOrganization,
	"projects_name_check":                        errProjectName,
	"projects_organization_id_fkey":              errNoOrganization,
	"projects_platform_idx":                      fault.New(fault.Conflict, "conflict", "There is a platform project already"),
	"api_keys_ref_type_name_key":                 fault.New(fault.Conflict, "conflict", "An API key with this name exists already"),
	"api_keys_ref_fkey":                          ErrNoProject,
	"signing_keys_ref_fkey":                      ErrNoProject,
	"third_party_issuers_issuer_idx":             fault.New(fault.Conflict, "conflict", "The project trusts this issuer already"),
	"signing_keys_ref_kid_key":                   fault.New(fault.Conflict, "conflict", "A signing key with this kid exists already"),
	"signing_keys_in_use_idx":                    fault.New(fault.Conflict, "conflict", "Another signing key is in use"),
	"auth_configs_ref_fkey":                      ErrNoProject,
	"auth_configs_pkey":                          fault.New(fault.Conflict, "conflict", "The configuration was changed meanwhile"),
	"inbox_messages_ref_fkey":                    ErrNoProject,
	"access_tokens_hash_key":                     fault.New(fault.Conflict, "conflict", "This access token exists already"),
	"idempotency_keys_pkey":                      fault.New(fault.Conflict, "conflict", "A request with this Idempotency-Key is under way"),
	"organizations_max_ephemeral_projects_check": fault.New(fault.Invalid, "validation_failed", "max_ephemeral_projects: must not be negative"),
	"organizations_max_projects_check":           fault.New(fault.Invalid, "validation_failed", "max_projects: must not be negative"),
	"api_keys_type_check":                        fault.New(fault.Invalid, "validation_failed", "type: must be publishable or secret"),
	"members_role_check":                         errRole,
	"project_members_role_check":                 errRole,
	"project_members_ref_fkey":                   ErrNoProject,
	"roles_name_check":                           fault.New(fault.Invalid, "validation_failed", "name: must be 1 to 63 of a-z, 0-9 and _, begin with a letter and not be a built-in role's"),
	"roles_pkey":                                 fault.New(fault.Conflict, "conflict", "A role with this name exists already"),
	"invitations_open_idx":                       fault.New(fault.Conflict, "conflict", "This address is invited already"),
	"signing_keys_algorithm_check":               fault.New(fault.Invalid, "validation_failed", "algorithm: must be ES256, RS256, EdDSA or HS256"),
}

var (
	errNoOrganization = fault.New(fault.NotFound, "organization_not_found", "Organization not found")
	errRole           = fault.New(fault.Invalid, "validation_failed", "role: unknown")
	errProjectName    = fault.New(fault.Invalid, "validation_failed", "name: must have 1 to 256 characters")
)

// Fault converts an error of the driver to the fault that callers can handle:
// database_unavailable, a constraint's fault, or the error itself.
func Fault(err error) error {
	var f *fault.Error
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case err == nil, errors.As(err, &f), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &connect): // whatever the server answered
		return ErrUnavailable.Because(err)
	case errors.As(err, &pg):
		if c, ok := constraints[pg.ConstraintName]; ok && pg.ConstraintName != "" {
			return c.Because(err)
		}
		if unavailableState(pg.Code) {
			return ErrUnavailable.Because(err)
		}
		return err
	case unreachable(err):
		return ErrUnavailable.Because(err)
	}
	return err
}

func unavailableState(code string) bool {
	// 08 connection, 53 too many connections or no memory, 57P0x shutting down
	// or starting up, 40 deadlock or serialization, 55P03 lock timeout: all can
	// be retried.
	return code == "55P03" || strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") ||
		strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "40")
}

func unreachable(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool") ||
		strings.Contains(err.Error(), "database is closed")
}

// orFault returns notFound for a query without a row.
func orFault(err error, notFound *fault.Error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) || errors.Is(err, sql.ErrNoRows) {
		return notFound
	}
	return Fault(err)
}

// changed checks that an update or delete affected a row.
func changed(g *gorm.DB, none *fault.Error) error {
	if g.Error != nil {
		return Fault(g.Error)
	}
	if g.RowsAffected == 0 {
		return none
	}
	return nil
}

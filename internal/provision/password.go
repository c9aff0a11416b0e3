package provision

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// ErrNotReady is returned for a change to a database that is being created,
// assigned or dropped.
var ErrNotReady = fault.New(fault.Conflict, "project_not_ready", "The project's database is not ready")

// SetOwnerPassword changes the password of the developers' role. Their open
// connections stay open. It may be repeated: the role may have the new password
// even if the call failed. Faults: validation_failed, project_not_found,
// ErrNotReady, database_unavailable.
func (s *Service) SetOwnerPassword(ctx context.Context, ref tenants.Ref, password string) error {
	if password == "" {
		return fault.New(fault.Invalid, "validation_failed", "password: is required")
	}
	if err := checkPassword("password", password); err != nil {
		return err
	}
	_, err := s.lockedDatabase(ctx, ref, true, func(conn *pgx.Conn) error {
		d, err := s.Control.DatabaseByRef(ctx, ref)
		if err != nil {
			return err
		}
		if d.State != controldb.DatabaseAssigned {
			return ErrNotReady
		}
		p, dk, err := s.open(d)
		if err != nil {
			return err
		}
		p.Owner = password
		sealed, err := p.Seal(dk)
		if err != nil {
			return err
		}
		verifier, err := scramVerifier(password, chosenRounds)
		if err != nil {
			return err
		}
		if err := s.execDDL(ctx, conn, "ALTER ROLE "+quote(ref.OwnerRole())+" PASSWORD "+literal(verifier)); err != nil {
			return controldb.Fault(err)
		}
		return s.Control.Tx(ctx, func(tx *controldb.Tx) error { return tx.SetDatabaseSecrets(ctx, ref, sealed) })
	})
	return err
}

// checkPassword checks a given password: printable ASCII.
func checkPassword(field, password string) error {
	bad := fault.New(fault.Invalid, "validation_failed", "")
	if len(password) > maxPassword {
		return bad.Saying(field + ": must have at most 128 characters")
	}
	for i := range len(password) {
		if b := password[i]; b < ' ' || b > '~' {
			return bad.Saying(field + ": only printable ASCII characters are allowed")
		}
	}
	return nil
}

package controldb_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
)

func TestFaultOfSQLState(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]fault.Kind{
		"08006": fault.Unavailable, "53300": fault.Unavailable, "57P01": fault.Unavailable,
		"40001": fault.Unavailable, "55P03": fault.Unavailable, "42501": fault.Internal, "55000": fault.Internal,
	} {
		err := controldb.Fault(fmt.Errorf("alter role: %w", &pgconn.PgError{Code: code}))
		if got := fault.From(err).Kind; got != want {
			t.Errorf("%s is of kind %d, want %d", code, got, want)
		}
	}
}

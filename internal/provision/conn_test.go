package provision

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/reevehq/reeve/internal/auth"
)

// TestHardened: settings that a developer leaves on the auth role do not affect
// Reeve's connections, and none of their rows fills its memory.
func TestHardened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.mustCreate(t, NewProject{})
	ref := created.Project.Ref
	tenant, err := w.Control.Tenant(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(first)
	for _, setting := range []string{"statement_timeout = 0", "default_transaction_read_only = on", "default_transaction_isolation = 'serializable'"} {
		if _, err := first.Exec(t.Context(), "ALTER ROLE CURRENT_USER SET "+setting); err != nil {
			t.Fatal(err)
		}
	}
	second, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(second)
	var settings pgtype.FlatArray[string]
	err = second.QueryRow(t.Context(), `SELECT ARRAY[current_setting('statement_timeout'), current_setting('lock_timeout'),
		current_setting('default_transaction_read_only'), current_setting('default_transaction_isolation')]`).Scan(&settings)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(settings, ","); got != "10s,2s,off,read committed" {
		t.Errorf("settings %s", got)
	}
	if _, err := second.Exec(t.Context(), `SELECT repeat('a', 100000000)`); err == nil {
		t.Error("a row of 100 MB was read")
	}
	third, err := w.Dial(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(third)
	const rows = `SELECT repeat('a', 1000000) FROM generate_series(1, $1)`
	for range 3 { // each answer is bounded, not their sum
		if _, err := third.Exec(t.Context(), rows, 10); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := third.Exec(t.Context(), rows, 100); !errors.Is(err, auth.ErrAnswerTooLarge) {
		t.Errorf("an answer of 100 MB: %v", err)
	}
}

package provision

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
)

// TestAllowLogin: logins of a project's roles are enabled again, but not those of
// a project that is being deleted.
func TestAllowLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	able := func(change func() error) (n int) {
		t.Helper()
		for _, role := range namesOfRoles(ref) {
			if _, err := w.pool.Exec(t.Context(), "ALTER ROLE "+quote(role)+" NOLOGIN"); err != nil {
				t.Fatal(err)
			}
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if done, err := w.AllowLogin(t.Context(), ref); err != nil || !done {
			t.Fatal(done, err)
		}
		err := w.pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_roles WHERE rolname = ANY($1) AND rolcanlogin", namesOfRoles(ref)).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := able(func() error { return nil }); n != 4 {
		t.Errorf("%d of 4 roles can log in", n)
	}
	w.checkServed(t, ref)
	_, err := w.lockedDatabase(t.Context(), ref, true, func(*pgx.Conn) error {
		if done, err := w.AllowLogin(t.Context(), ref); err != nil || done {
			t.Errorf("while somebody works on the project: %t, %v", done, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := able(func() error {
		return w.Control.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.DropDatabase(t.Context(), ref) })
	})
	if n != 0 {
		t.Errorf("%d roles of a project that is being deleted can log in", n)
	}
	w.recoverAll(t)
	if _, err := w.AllowLogin(t.Context(), ref); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

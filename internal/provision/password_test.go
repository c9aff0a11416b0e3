package provision

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

func TestSetOwnerPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.mustCreate(t, NewProject{Name: "a"}), w.mustCreate(t, NewProject{Name: "b"})
	old, err := pgx.Connect(t.Context(), a.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(old)
	// A transaction of the developer that locks the role's row must not block.
	if _, err := old.Exec(t.Context(), "BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'mine'"); err != nil {
		t.Fatal(err)
	}
	const password = `it's \a "new" one`
	if err := w.SetOwnerPassword(t.Context(), a.Project.Ref, password); err != nil {
		t.Fatal(err)
	}
	if conn, err := pgx.Connect(t.Context(), a.DatabaseURL); err == nil {
		closeConn(conn)
		t.Error("the old password still works")
	}
	changed := a
	if changed.DatabaseURL, err = w.DatabaseURL(a.Project.Ref, password); err != nil {
		t.Fatal(err)
	}
	checkOwner(t, w, changed, password)
	w.checkServed(t, a.Project.Ref)
	// The other project's password is unchanged.
	checkOwner(t, w, b, "")
}

func TestSetOwnerPasswordRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.mustCreate(t, NewProject{Name: "a"})
	ref := created.Project.Ref
	for name, c := range map[string]struct {
		ref      tenants.Ref
		password string
		code     string
	}{
		"empty":     {ref, "", "validation_failed"},
		"too long":  {ref, strings.Repeat("x", 129), "validation_failed"},
		"not ASCII": {ref, "pässword", "validation_failed"},
		"NUL":       {ref, "pass\x00word", "validation_failed"},
		"unknown":   {tenants.NewRef(), "password1", "project_not_found"},
	} {
		err := w.SetOwnerPassword(t.Context(), c.ref, c.password)
		if f := fault.From(err); err == nil || f.Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	checkOwner(t, w, created, "")
	err := w.Control.Tx(t.Context(), func(tx *controldb.Tx) error { return tx.DropDatabase(t.Context(), ref) })
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetOwnerPassword(t.Context(), ref, "password1"); !errors.Is(err, ErrNotReady) {
		t.Errorf("while it is being dropped: %v", err)
	}
}

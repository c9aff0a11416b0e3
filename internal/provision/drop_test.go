package provision

import (
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/tenants"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created, other := w.mustCreate(t, NewProject{}), w.mustCreate(t, NewProject{})
	ref := created.Project.Ref
	before, err := w.Control.DatabaseByRef(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	// A client is connected with an open transaction.
	conn, err := pgx.Connect(t.Context(), created.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(t.Context(), "BEGIN; CREATE TABLE busy (id int)"); err != nil {
		t.Fatal(err)
	}

	if err := w.Delete(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.checkGone(t, ref)
	w.checkBuried(t, ref)
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("the connection outlived the database")
	}
	if d, err := w.Control.DatabaseByRef(t.Context(), ref); err != nil || d.State != controldb.DatabaseDropped {
		t.Errorf("row after deletion: %s, %v", d.State, err)
	}
	// The sealed passwords in a backup cannot be decrypted with another key.
	dk, err := w.Control.DataKey(t.Context(), other.Project.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := controldb.OpenPasswords(dk, before.Sealed); err == nil {
		t.Error("sealed passwords open with another project's key")
	}
	hash := w.Control.Hasher().Hash(created.PublishableKey)
	if _, err := w.Control.RefByKey(t.Context(), hash); !errors.Is(err, tenants.ErrUnknownKey) {
		t.Errorf("RefByKey = %v", err)
	}
	if err := w.Delete(t.Context(), ref); !errors.Is(err, controldb.ErrNoProject) {
		t.Errorf("second Delete = %v", err)
	}
	w.checkServed(t, other.Project.Ref)
}

// TestDeleteInterrupted: Postgres died during DROP DATABASE. That leaves a
// database marked by this limit, on which ALTER is FATAL.
func TestDeleteInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	_, err := w.pool.Exec(t.Context(), "UPDATE pg_database SET datconnlimit = -2 WHERE datname = $1", ref.Database())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	w.checkGone(t, ref)
	w.checkBuried(t, ref)
}

// checkBuried checks that the control plane does not know the project any more,
// and that none of its secrets are left there.
func (w *world) checkBuried(t *testing.T, ref tenants.Ref) {
	t.Helper()
	if _, err := w.Control.ProjectByRef(t.Context(), ref); !errors.Is(err, controldb.ErrNoProject) {
		t.Errorf("ProjectByRef = %v, want ErrNoProject", err)
	}
	if living, err := w.Control.ProjectsOf(t.Context(), w.org); err != nil ||
		slices.ContainsFunc(living, func(p controldb.Project) bool { return p.Ref == ref }) {
		t.Errorf("the project is listed, %v", err)
	}
	if _, err := w.Control.DataKey(t.Context(), ref); !errors.Is(err, controldb.ErrNoDatabase) {
		t.Errorf("DataKey = %v, want ErrNoDatabase", err)
	}
	if d, err := w.Control.DatabaseByRef(t.Context(), ref); err != nil || d.Wrapped != nil || d.Sealed != nil {
		t.Errorf("row after deletion: key left: %v, passwords left: %v, %v", d.Wrapped != nil, d.Sealed != nil, err)
	}
	var parts int
	err := w.Control.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM api_keys WHERE ref = $1) +
		(SELECT count(*) FROM signing_keys WHERE ref = $1) + (SELECT count(*) FROM auth_configs WHERE ref = $1)`, ref).Scan(&parts)
	if err != nil || parts != 0 {
		t.Errorf("%d rows hang on the deleted project, %v", parts, err)
	}
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	foreign := newWorld(t)
	kept := w.mustCreate(t, NewProject{}).Project.Ref
	lost := w.mustCreate(t, NewProject{}).Project.Ref
	// The control database was restored to a state before the project.
	for _, sql := range []string{"DELETE FROM projects WHERE ref = $1", "DELETE FROM databases WHERE ref = $1"} {
		if _, err := w.Control.Pool().Exec(t.Context(), sql, lost); err != nil {
			t.Fatal(err)
		}
	}
	if orphans, err := foreign.Orphans(t.Context()); err != nil || len(orphans) != 0 {
		t.Errorf("another installation's databases are listed: %v, %v", orphans, err)
	}
	if orphans, err := w.Orphans(t.Context()); err != nil || len(orphans) != 1 || orphans[0] != lost {
		t.Fatalf("Orphans = %v, %v", orphans, err)
	}
	w.checkServed(t, kept)
	// No row refers to it any more, so the test itself cleans up.
	_, err := w.lockedDatabase(t.Context(), lost, true, func(conn *pgx.Conn) error {
		if err := w.dropDatabase(t.Context(), conn, lost); err != nil {
			return err
		}
		_, err := conn.Exec(t.Context(), "DROP ROLE "+quoteAll(namesOfRoles(lost)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if databases, roles := w.onCluster(t, lost); databases+roles != 0 {
		t.Errorf("%d databases and %d roles are left", databases, roles)
	}
}

package provision

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// indexesOf are the indexes that were made for searches, and those of them that are
// not complete.
func indexesOf(t *testing.T, w *world, ref tenants.Ref) (names, broken []string) {
	t.Helper()
	err := w.asAdmin(t.Context(), ref.Database(), func(conn *pgx.Conn) error {
		rows, _ := conn.Query(t.Context(), `SELECT i.relname, x.indisvalid FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
			WHERE i.relname LIKE '%\_reeve\_idx' ORDER BY 1`)
		var name string
		var valid bool
		_, err := pgx.ForEachRow(rows, []any{&name, &valid}, func() error {
			if names = append(names, name); !valid {
				broken = append(broken, name)
			}
			return nil
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, broken
}

func TestIndexUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.IndexPatience = 300 * time.Millisecond
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	ctx := t.Context()
	in := func(sql string) {
		t.Helper()
		if err := w.asAdmin(ctx, ref.Database(), execute(ctx, sql)); err != nil {
			t.Fatal(err)
		}
	}
	// A developer's transaction that stays open makes it give up, and leaves nothing.
	held := make(chan struct{})
	locked := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- w.asAdmin(context.WithoutCancel(ctx), ref.Database(), func(conn *pgx.Conn) error {
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `LOCK TABLE auth.audit_log_entries IN ROW EXCLUSIVE MODE`)
				close(locked)
				<-held
				return err
			})
		})
	}()
	<-locked
	if err := w.IndexAudit(ctx, ref); err == nil {
		t.Error("an index was made while a transaction held the table")
	}
	close(held)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := w.IndexAudit(ctx, ref); err != nil { // removes what is left, and makes it
		t.Fatal(err)
	}
	// What is incomplete is made anew.
	in(`CREATE INDEX ` + tenantdb.IndexUserLastSignIn + ` ON auth.users (id);
		UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'auth.` + tenantdb.IndexUserLastSignIn + `'::regclass`)
	for range 2 {
		for _, make := range []func(context.Context, tenants.Ref) error{w.IndexSearch, w.IndexLastSignIn, w.IndexProvider, w.IndexAudit} {
			if err := make(ctx, ref); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{tenantdb.IndexAuditUser, tenantdb.IndexProvider, tenantdb.IndexUserBanned, tenantdb.IndexUserLastSignIn, tenantdb.IndexUserSearch}
	if got, broken := indexesOf(t, w, ref); !slices.Equal(got, want) || len(broken) > 0 {
		t.Errorf("indexes %v, incomplete %v", got, broken)
	}
	// The developer owns another pg_trgm: it is used where it is.
	other := w.mustCreate(t, NewProject{}).Project.Ref
	if err := w.asAdmin(ctx, other.Database(), execute(ctx, `CREATE SCHEMA "Odd""name"; CREATE EXTENSION pg_trgm WITH SCHEMA "Odd""name"`)); err != nil {
		t.Fatal(err)
	}
	if err := w.IndexSearch(ctx, other); err != nil {
		t.Fatal(err)
	}
	if got, _ := indexesOf(t, w, other); !slices.Contains(got, tenantdb.IndexUserSearch) {
		t.Errorf("indexes %v", got)
	}
}

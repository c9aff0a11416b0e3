package provision

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.mustCreate(t, NewProject{}).Project.Ref
	// Settings of the database do not count.
	err := w.asAdmin(t.Context(), "", execute(t.Context(), `ALTER DATABASE `+quote(ref.Database())+` SET search_path = public;
		ALTER DATABASE `+quote(ref.Database())+` SET statement_timeout = 0`))
	if err != nil {
		t.Fatal(err)
	}
	err = w.Inspect(t.Context(), ref, func(ctx context.Context, tx pgx.Tx) error {
		var database, path, timeout string
		err := tx.QueryRow(ctx, `SELECT current_database(), current_setting('search_path'), current_setting('statement_timeout')`).
			Scan(&database, &path, &timeout)
		if err != nil || database != ref.Database() || path != "pg_catalog" || timeout != "5s" {
			t.Errorf("%q, %q, %q, %v", database, path, timeout, err)
		}
		if again := w.Inspect(ctx, ref, nil); !errors.Is(again, ErrInspectBusy) {
			t.Errorf("a second inspection: %v", again)
		}
		_, err = tx.Exec(ctx, `CREATE TABLE public.written (id int)`)
		return err
	})
	var pg *pgconn.PgError
	if !errors.Is(err, ErrInspectFailed) || !errors.As(err, &pg) || pg.Code != "25006" {
		t.Errorf("a write: %v", err)
	}
	if err := w.Inspect(t.Context(), ref, func(context.Context, pgx.Tx) error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

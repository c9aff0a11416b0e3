package flowtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Exec runs SQL in the project's database as the superuser.
func (p *Project) Exec(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	p.exec(tb, "", sql, args...)
}

// ExecAsOwner runs SQL as the developer would, who owns schema public.
func (p *Project) ExecAsOwner(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	p.exec(tb, p.Tenant().Ref.OwnerRole(), sql, args...)
}

func (p *Project) exec(tb testing.TB, role, sql string, args ...any) {
	tb.Helper()
	p.connected(tb, func(ctx context.Context, conn *pgx.Conn) error {
		if role != "" {
			if _, err := conn.Exec(ctx, "SET SESSION AUTHORIZATION "+role+"; SET search_path = public"); err != nil {
				return err
			}
		}
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
}

// TryAs runs SQL as one of the project's roles, and returns its error.
func (p *Project) TryAs(tb testing.TB, role, sql string) error {
	tb.Helper()
	var failed error
	p.connected(tb, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "SET SESSION AUTHORIZATION "+role); err != nil {
			return err
		}
		_, failed = conn.Exec(ctx, sql)
		return nil
	})
	return failed
}

// Count runs a query that returns one number.
func (p *Project) Count(tb testing.TB, sql string, args ...any) int {
	tb.Helper()
	return One[int](tb, p, sql, args...)
}

// One runs a query that returns one value.
func One[T any](tb testing.TB, p *Project, sql string, args ...any) T {
	tb.Helper()
	var out T
	p.connected(tb, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(&out)
	})
	return out
}

func (p *Project) connected(tb testing.TB, fn func(context.Context, *pgx.Conn) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.admin)
	if err != nil {
		tb.Fatalf("connect to %s: %v", p.Tenant().Ref.Database(), err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := fn(ctx, conn); err != nil {
		tb.Fatal(err)
	}
}

// CountAs runs a query that returns one number as a role of the API, with claims, a
// JSON object, as PostgREST sets them.
func (p *Project) CountAs(tb testing.TB, role, claims, sql string) (n int) {
	tb.Helper()
	p.connected(tb, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `SELECT set_config('request.jwt.claims', $1, false)`, claims); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "SET SESSION AUTHORIZATION "+role); err != nil {
			return err
		}
		return conn.QueryRow(ctx, sql).Scan(&n)
	})
	return n
}

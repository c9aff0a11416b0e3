package controldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ensureTimeout bounds Ensure; creating a database on a slow disk takes
// seconds.
const ensureTimeout = 30 * time.Second

// Ensure creates the control database that url names, if the server has no such
// database. Two processes may call it at the same time.
func Ensure(ctx context.Context, url string) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("the control database's URL cannot be understood")
	}
	name := cfg.Database
	cfg.Database = "postgres"
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("reach postgres: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var found bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&found); err != nil || found {
		return err
	}
	// template0, because the operator may have put anything into template1.
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0 ENCODING 'UTF8'")
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P04" || pg.Code == "23505") { // another process was first
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the control database: %w", err)
	}
	return nil
}

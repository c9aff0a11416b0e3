//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/devpg"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// replay is a statement of the server's that pgbench runs too.
type replay struct {
	name string
	sql  string                                           // the statement, if it is not the server's
	call func(ctx context.Context, db *tenantdb.DB) error // sends the statement
	// arguments are SQL for the statement's parameters. Values that the server
	// passes and pgbench cannot are generated there.
	arguments func(client int) []string
}

// userReplay is the limit of GET /user: its one statement, for the same rows.
var userReplay = replay{
	name: "pgbench-user",
	call: func(ctx context.Context, db *tenantdb.DB) error {
		_, err := db.UserOfSession(ctx, uuid.New(), uuid.New())
		return err
	},
	arguments: func(client int) []string { return []string{variable("user", client), variable("session", client)} },
}

// activeReplay is what auth.session_active costs a statement of an API server, with the
// claims that it sets anyway.
var activeReplay = replay{
	name: "session-active",
	sql:  `SELECT auth.session_active() FROM pg_catalog.set_config('request.jwt.claims', $1, true)`,
	arguments: func(client int) []string {
		return []string{`pg_catalog.concat('{"sub":"', ` + variable("user", client) + `::text, '","session_id":"', ` + variable("session", client) + `::text, '"}')`}
	},
}

// refreshReplay is the limit of a refresh: its one transaction, for the same
// rows.
var refreshReplay = replay{
	name: "pgbench-refresh",
	call: func(ctx context.Context, db *tenantdb.DB) error {
		_, _, err := db.Rotate(ctx, tenantdb.Rotation{Session: uuid.New(), Now: time.Now()})
		return err
	},
	arguments: func(client int) []string {
		return []string{
			variable("session", client), ":counter", "pg_catalog.now()", ":agent", ":ip", "NULL", "NULL",
			"pg_catalog.gen_random_uuid()", variable("user", client), "NULL",
			":agent", `'\x'::bytea`, // the MAC is the server's work
		}
	},
}

// variable refers to a pgbench variable.
func variable(name string, client int) string { return fmt.Sprintf(":%s%d", name, client) }

// pgbench runs a statement with pgbench and reports it.
func (b *bench) pgbench(ctx context.Context, r replay, p *project) error {
	name := r.name
	if !b.wants(name) {
		return nil
	}
	progress("%s", name)
	program, err := findPgbench()
	if err != nil {
		b.report.Loads = append(b.report.Loads, load{Name: name, Limit: true, Note: err.Error()})
		return nil
	}
	if err := b.signIn(ctx); err != nil { // sessions with a known counter
		return err
	}
	database := "reeve_" + p.Ref
	config, err := pgx.ParseConfig(b.pg.url(database))
	if err != nil {
		return err
	}
	statement, err := r.statement(ctx, config)
	if err != nil {
		return err
	}
	script := filepath.Join(b.temp, name+".sql")
	if err := os.WriteFile(script, []byte(b.script(statement, r.arguments)), 0o600); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	got, cpu, err := b.runPgbench(ctx, program, database, script)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l := loadOf(name, got, cpu)
	l.Limit = true
	b.report.Loads = append(b.report.Loads, l)
	return nil
}

func findPgbench() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	if dir, err := devpg.Find(); err == nil {
		if path := filepath.Join(dir, "pgbench"); exec.Command(path, "--version").Run() == nil {
			return path, nil
		}
	}
	return "", errors.New("pgbench is not installed")
}

// loan lends a single connection to tenantdb.
type loan struct{ conn *pgx.Conn }

func (l loan) Raw() *pgx.Conn { return l.conn }
func (loan) Release()         {} // the caller of the call closes it

// recorder records the first statement.
type recorder struct{ sql string }

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if r.sql == "" {
		r.sql = q.SQL
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// statement returns the SQL that call sends, so that it is always the server's.
// The call may fail.
func (r replay) statement(ctx context.Context, config *pgx.ConnConfig) (string, error) {
	if r.sql != "" {
		return r.sql, nil
	}
	var seen recorder
	config.Tracer = &seen
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = r.call(ctx, &tenantdb.DB{Acquire: func(context.Context) (tenantdb.Conn, error) { return loan{conn}, nil }})
	if seen.sql == "" {
		return "", fmt.Errorf("no statement was sent: %w", err)
	}
	return seen.sql, nil
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

// script has a branch for each client: pgbench's variables are numbers, except
// those of its command line, so a client cannot compute its row's uuid.
func (b *bench) script(statement string, arguments func(client int) []string) string {
	var out strings.Builder
	for client := range b.concurrency {
		args := arguments(client)
		own := placeholder.ReplaceAllStringFunc(statement, func(p string) string {
			n, _ := strconv.Atoi(p[1:])
			return args[n-1]
		})
		word := `\elif`
		if client == 0 {
			word = `\if`
		}
		fmt.Fprintf(&out, "%s :client_id = %d\n%s;\n", word, client, own)
	}
	return out.String() + "\\endif\n\\set counter :counter + 1\n"
}

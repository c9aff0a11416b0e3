// Package controldb is the control database: who owns which project, where it
// is and its limits. One file a table; rows are private structs, mapped to
// domain structs. It owns transactions, the mapping of constraint violations to
// faults, and the notifications of changed projects to all processes. It knows
// no HTTP, checks no permissions and never uses a project's database.
//
// Read verbs (ProjectByRef) can be called on *DB and on *Tx, write verbs
// (CreateProject) on *Tx only. Every error goes through Fault.
package controldb

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// Options configure Open; zero values mean the defaults.
type Options struct {
	MaxConns    int32                        // 10
	LockTimeout time.Duration                // 5 s; of each statement
	Now         func() time.Time             // time.Now
	Logger      *slog.Logger                 // slog.Default
	ProjectURL  func(ref tenants.Ref) string // canonical URL of a project, no trailing slash
}

// maxConns is the default of Options.MaxConns.
const maxConns = 10

// MostConnections is how many connections a process may open to the control
// database: those of both pools and the listener's.
const MostConnections = maxConns + registryConns + 1

// registryConns is the number of connections that only the registry of tenants
// uses, so that it can load projects while Management requests hold all others.
const registryConns = 3

// defaultLockTimeout bounds how long a statement waits for a lock, because it keeps
// a connection from all other requests meanwhile.
const defaultLockTimeout = 5 * time.Second

// DB is a bounded pool of connections to the control database, and a few more
// for the registry of tenants. It is safe for use by many goroutines.
type DB struct {
	reader
	// ProjectURL returns a project's canonical URL. Set it before the first Tenant.
	ProjectURL func(ref tenants.Ref) string

	pool      *pgxpool.Pool
	registry  *pgxpool.Pool // for tenants.Source
	sql       *sql.DB       // gorm's view of pool
	keyring   *secret.Keyring
	log       *slog.Logger
	now       func() time.Time
	pepper    atomic.Pointer[[]byte]
	announcer *announcer
}

// Tx is one transaction; it must not be used after Tx's function returned.
type Tx struct{ reader }

// reader has the read verbs that DB and Tx share.
type reader struct{ g *gorm.DB }

func (r reader) with(ctx context.Context) *gorm.DB { return r.g.WithContext(ctx) }

// Open connects to the control database. If it is migrated already, Open reads
// (or generates) the pepper; else Migrate does. An unreachable server is fault
// database_unavailable.
func Open(ctx context.Context, url string, keyring *secret.Keyring, opts Options) (*DB, error) {
	pool, err := newPool(ctx, url, cmp.Or(max(opts.MaxConns, 0), maxConns), opts.LockTimeout)
	if err != nil {
		return nil, err
	}
	registry, err := newPool(ctx, url, registryConns, opts.LockTimeout)
	if err != nil {
		pool.Close()
		return nil, err
	}
	view := stdlib.OpenDBFromPool(pool)
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: view}), &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 quietLogger{log: opts.logger()},
	})
	if err != nil {
		_ = view.Close()
		registry.Close()
		pool.Close()
		return nil, fmt.Errorf("open control database: %w", err)
	}
	db := &DB{
		reader: reader{g: g}, ProjectURL: opts.ProjectURL,
		pool: pool, registry: registry, sql: view, keyring: keyring, log: opts.logger(), now: opts.clock(),
	}
	db.announcer = newAnnouncer(db)
	if err := db.loadPepper(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func newPool(ctx context.Context, url string, most int32, lockTimeout time.Duration) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("control database URL: %w", err)
	}
	cfg.MaxConns = most
	timeout := fmt.Sprintf("SET lock_timeout = %d", cmp.Or(lockTimeout, defaultLockTimeout).Milliseconds())
	// Not a startup parameter, because poolers refuse those that they do not know.
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, timeout)
		return err
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	cfg.PingTimeout = 3 * time.Second // else Acquire and Close wait for a silent server
	cfg.ConnConfig.RuntimeParams["application_name"] = "reeve"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, Fault(fmt.Errorf("control database: %w", err))
	}
	return pool, nil
}

// Close closes all connections.
func (db *DB) Close() {
	db.announcer.close()
	_ = db.sql.Close() // has no connection, but a goroutine
	db.registry.Close()
	db.pool.Close()
}

// Ping checks that the server answers, on a connection of each pool: after a
// restart of the server each has broken ones until it notices.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.pool.Ping(ctx); err != nil {
		return Fault(err)
	}
	return Fault(db.registry.Ping(ctx))
}

// Pool is the pool of connections, for code that needs plain SQL on the control
// database (job queues).
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Keyring returns the master keys.
func (db *DB) Keyring() *secret.Keyring { return db.keyring }

// Tx runs fn in a transaction (READ COMMITTED) that commits when fn returns nil.
// As everywhere, a statement that waits too long for a lock is fault
// database_unavailable. After the commit, changes of
// projects are announced to all processes.
func (db *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	err := db.with(ctx).Transaction(func(g *gorm.DB) error {
		return fn(&Tx{reader{g: g}})
	})
	if err == nil {
		db.announcer.wake()
	}
	return Fault(err)
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

func (o Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

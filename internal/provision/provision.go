// Package provision creates, assigns, migrates and drops the projects'
// databases on a cluster. It owns the cluster's roles and the template
// database. A database's row in the control database is committed before
// anything is created on the cluster, shredded after the database is dropped
// and closed after its roles are. Each step can be repeated, so Recover and Run
// finish the work of a killed process, and nothing is orphaned.
//
// A warm database is complete: final ref, roles, keys. Assigning it is one
// transaction in the control database and no DDL.
//
// A branch is copied from another project's database instead of the template, and
// forgets what was sealed for its source before it is served.
//
// The package does not check who may create or delete what.
package provision

import (
	"cmp"
	"context"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/migrations"
	"github.com/reevehq/reeve/tenants"
)

// DefaultTemplate is the name of the template database.
const DefaultTemplate = "reeve_template"

// Cluster is a Postgres server that Reeve administers.
type Cluster struct {
	ID string
	// AdminURL is the URL of the cluster's maintenance database, with a role
	// that may create databases and roles. It must lead to Postgres itself or a
	// pooler in session mode, because locks belong to the connection.
	AdminURL string
	// PublicHost is the "host:port" that developers connect to; AdminURL's by
	// default.
	PublicHost string
	// Template is the template database; DefaultTemplate by default.
	Template string
}

// Strategies of CREATE DATABASE (Postgres 15 and later). Copying through the
// WAL needs no checkpoint, copying files writes less WAL.
const (
	StrategyWALLog   = "wal_log"
	StrategyFileCopy = "file_copy"
)

// Service provisions on one cluster. Set the fields before the first call, and
// call Close at the end.
type Service struct {
	Control        *controldb.DB
	Keyring        *secret.Keyring
	Cluster        Cluster
	RoleConns      int              // limit of a project's auth or api role, over all replicas; 8 by default
	OwnerConns     int              // limit of a project's owner role; 10 by default
	WarmTarget     int              // complete databases that Run keeps ready
	CreateStrategy string           // StrategyWALLog by default
	Logger         *slog.Logger     // slog.Default by default
	Log            *projectlog.Log  // of the projects; may be nil
	Now            func() time.Time // time.Now by default
	Migrations     fs.FS            // of a project's database; migrations.Tenant by default
	// Settings returns the settings that a project begins with;
	// tenants.DefaultConfig by default.
	Settings func(tenants.Ref) tenants.Config
	// NoMigrate makes Bootstrap refuse a template that is not at this binary's
	// schema, instead of rebuilding it. It does not affect MigrateFleet.
	NoMigrate bool
	// BranchLimit is the largest database in bytes that is copied for a branch; 2 GB
	// by default.
	BranchLimit int64
	// IndexPatience is how long the making of an index waits for a transaction of the
	// developer's to end; 30 seconds by default.
	IndexPatience time.Duration
	// Terminate ends a backend of a role at once, if it still runs; without one,
	// Query ends its own. guard.Guard.Terminate notes the session too.
	Terminate func(ctx context.Context, role string, pid uint32)
	// Closing is called before a project's database is dropped, once none of the
	// project's roles can reach it any more; within runs a function on an admin's session in it.
	// It may be called again after a crash, and not after an interrupted drop. Its error
	// is logged, and the database dropped all the same. nil for nothing.
	Closing func(ctx context.Context, ref tenants.Ref, within func(func(*pgx.Conn) error) error) error
	// Restored is called for a project that may be served again; nil for nothing.
	Restored func(tenants.Ref)
	// After is called after each step and again after it was recorded. Tests
	// use it to stop a process there.
	After func(step string)

	once     sync.Once
	pool     *pgxpool.Pool
	openErr  error
	creating atomic.Int32
	taken    chan struct{} // a warm database was assigned
	// rolesLeft signals that roles could not be dropped with their database.
	rolesLeft chan struct{}
	schema    func() (schema, error)
	upgrades  upgrades
	drops     turns
	settles   turns    // pauses and restores
	inspected sync.Map // by tenants.Ref: those that Inspect works on
	queries   *queryQueue
	// queryTimeout bounds a query.
	queryTimeout time.Duration
	// deleteWait is how long Delete waits.
	deleteWait time.Duration

	// ctx is the context of work that outlives its request.
	ctx        context.Context
	cancel     context.CancelFunc
	background sync.WaitGroup
}

// init sets the defaults. It does not connect.
func (s *Service) init() error {
	s.once.Do(func() {
		if s.Logger == nil {
			s.Logger = slog.Default()
		}
		if s.Now == nil {
			s.Now = time.Now
		}
		if s.Settings == nil {
			s.Settings = func(tenants.Ref) tenants.Config { return tenants.DefaultConfig() }
		}
		if s.Migrations == nil {
			s.Migrations = migrations.Tenant()
		}
		s.RoleConns, s.OwnerConns = cmp.Or(s.RoleConns, roleConns), cmp.Or(s.OwnerConns, ownerConns)
		s.BranchLimit = cmp.Or(s.BranchLimit, branchLimit)
		if s.Cluster.Template == "" {
			s.Cluster.Template = DefaultTemplate
		}
		if s.Cluster.ID == "" {
			s.Cluster.ID = "default"
		}
		s.taken, s.rolesLeft = make(chan struct{}, 1), make(chan struct{}, 1)
		s.schema = sync.OnceValues(func() (schema, error) { return readSchema(s.Migrations) })
		s.upgrades, s.drops, s.settles = newUpgrades(), make(turns, dropsAtOnce), make(turns, settlesAtOnce)
		s.queries, s.queryTimeout = newQueryQueue(), cmp.Or(s.queryTimeout, queryTimeout)
		s.deleteWait = cmp.Or(s.deleteWait, deleteWait)
		s.ctx, s.cancel = context.WithCancel(context.Background())
		s.pool, s.openErr = newAdminPool(s.Cluster.AdminURL)
	})
	return s.openErr
}

// Close stops background work, which Recover resumes, and closes the
// connections to the cluster.
func (s *Service) Close() {
	if s.init() == nil {
		s.cancel()
		s.background.Wait()
		s.pool.Close()
	}
}

func (s *Service) after(step string) {
	if s.After != nil {
		s.After(step)
	}
}

package config

import (
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Ways to copy the template database, as in CREATE DATABASE ... STRATEGY.
const (
	StrategyFileCopy = "file_copy"
	StrategyWALLog   = "wal_log"
)

// maintenance is a database that every cluster has.
const maintenance = "postgres"

// Database is the control database, the cluster of the projects' databases and
// the connections to them.
type Database struct {
	// ControlURL is the URL of the control database, or of its server when it
	// names no database or "postgres", with a role that may create databases
	// and roles.
	ControlURL string `yaml:"url" env:"REEVE_DATABASE_URL"`
	// ControlName is the control database if ControlURL names none.
	ControlName string `yaml:"control_name" env:"REEVE_DATABASE_CONTROL_NAME"`
	// AdminURL is the URL of the maintenance database of the server with the
	// projects' databases; by default the control database's server.
	AdminURL string `yaml:"admin_url" env:"REEVE_DATABASE_ADMIN_URL"`
	// PublicHost is the "host:port" of that server that developers are given;
	// by default AdminURL's.
	PublicHost string `yaml:"public_host" env:"REEVE_DATABASE_PUBLIC_HOST"`
	// TenantConnections is the budget over all projects.
	TenantConnections int `yaml:"tenant_connections" env:"REEVE_TENANT_CONNECTIONS"`
	// TenantConnectionsPerProject is the limit for one project.
	TenantConnectionsPerProject int `yaml:"tenant_connections_per_project" env:"REEVE_TENANT_CONNECTIONS_PER_PROJECT"`
	// Replicas is how many processes run at a time, at most: a project's roles may
	// hold TenantConnectionsPerProject for each.
	Replicas int `yaml:"replicas" env:"REEVE_REPLICAS"`
	// OwnerConnections is the limit of a project's developers.
	OwnerConnections int `yaml:"owner_connections" env:"REEVE_OWNER_CONNECTIONS"`
	// IdleTTL is how long an idle connection to a project's database is kept.
	IdleTTL time.Duration `yaml:"idle_ttl" env:"REEVE_TENANT_IDLE_TTL"`
	// WarmDatabases is how many databases are kept ready for new projects.
	WarmDatabases int `yaml:"warm_databases" env:"REEVE_WARM_DATABASES"`
	// TemplateStrategy is StrategyFileCopy or StrategyWALLog.
	TemplateStrategy string `yaml:"template_strategy" env:"REEVE_TEMPLATE_STRATEGY"`
}

// perProject is the default of TenantConnectionsPerProject: two for each
// processor. More of them mostly wait for each other: measured on two
// processors shared with Postgres, four served a tenth more requests than
// twenty, in two thirds of the time.
func perProject() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// RoleConnections is the limit of a project's auth role, as which Reeve connects,
// over all replicas.
func (d Database) RoleConnections() int { return d.Replicas * d.TenantConnectionsPerProject }

func defaultDatabase() Database {
	return Database{
		ControlName:                 "reeve_control",
		TenantConnections:           100,
		TenantConnectionsPerProject: perProject(),
		Replicas:                    2, // one, and its successor during a restart
		OwnerConnections:            10,
		IdleTTL:                     10 * time.Second,
		WarmDatabases:               8,
		TemplateStrategy:            StrategyWALLog,
	}
}

// Validate reports every error, as Problems.
func (d Database) Validate() error {
	var p Problems
	if d.ControlURL == "" {
		p.add("database.url", "is required: postgres://user:password@host:5432/reeve_control")
	} else {
		checkDatabaseURL(&p, "database.url", d.ControlURL)
	}
	if d.AdminURL != "" {
		checkDatabaseURL(&p, "database.admin_url", d.AdminURL)
	}
	if d.PublicHost != "" {
		checkListen(&p, "database.public_host", d.PublicHost)
	}
	if d.ControlName == "" || len(d.ControlName) > 63 || d.ControlName == maintenance {
		p.add("database.control_name", "must be the name of a database of its own, at most 63 bytes")
	}
	p.within("database.tenant_connections", d.TenantConnections, 1, 10_000)
	p.within("database.tenant_connections_per_project", d.TenantConnectionsPerProject, 1, 10_000)
	p.within("database.replicas", d.Replicas, 1, 1000)
	p.within("database.owner_connections", d.OwnerConnections, 1, 10_000)
	if d.IdleTTL < time.Second || d.IdleTTL > time.Hour {
		p.add("database.idle_ttl", "must be between 1s and 1h")
	}
	p.within("database.warm_databases", d.WarmDatabases, 0, 1000)
	if d.TemplateStrategy != StrategyFileCopy && d.TemplateStrategy != StrategyWALLog {
		p.add("database.template_strategy", "must be file_copy or wal_log")
	}
	return p.orNil()
}

// checkDatabaseURL does not report the cause, which could contain the password.
func checkDatabaseURL(p *Problems, key, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		p.add(key, "must be a URL that begins with postgres:// (special characters of the password percent-encoded)")
		return
	}
	if _, err := pgx.ParseConfig(text); err != nil {
		p.add(key, "is no connection URL that Postgres' clients understand")
	}
}

// Resolve derives the name of the control database and AdminURL from
// ControlURL. Load calls it.
func (d Database) Resolve() Database {
	if d.ControlURL == "" {
		return d
	}
	if d.AdminURL == "" {
		d.AdminURL = d.Maintenance()
	}
	if name := databaseOf(d.ControlURL); name == "" || name == maintenance {
		d.ControlURL = withDatabase(d.ControlURL, d.ControlName)
	}
	return d
}

// Maintenance is the URL of the maintenance database on the control database's
// server, from which the control database can be created.
func (d Database) Maintenance() string { return withDatabase(d.ControlURL, maintenance) }

func databaseOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

func withDatabase(text, name string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.Path, u.RawPath = "/"+name, ""
	return u.String()
}

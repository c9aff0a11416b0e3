// Package migrations owns the SQL of every database of Reeve: the control
// database's (control), each project's (tenant) and a whole cluster's
// (cluster.sql). It does not decide when they run or where.
//
// Migrations only go forward: there are no Down sections, and the next file
// corrects a mistake. They run as the cluster's admin in databases with the
// developer's triggers, defaults and checks on auth tables. So a migration
// never writes rows of schema auth with the admin's rights, names every object
// with its schema, and leaves transfers of ownership to reeve.adopt, which is
// called after each run.
package migrations

import (
	"embed"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

//go:embed tenant/*.sql
var tenantFS embed.FS

//go:embed cluster.sql
var cluster string

// TenantVersionTable is where goose records the migrations of a project's
// database. Its schema must exist before goose reads it: see UpTenant.
const TenantVersionTable = "reeve.goose_db_version"

// Tenant returns the goose migrations of a project's database.
func Tenant() fs.FS {
	sub, err := fs.Sub(tenantFS, "tenant")
	if err != nil {
		panic("migrations: " + err.Error()) // a fixed path: it is there or nothing compiles
	}
	return sub
}

// Cluster returns the SQL that a cluster needs once: it creates the shared
// roles, and revokes CONNECT from PUBLIC on the databases that every server
// has. It is one statement, idempotent, and safe to run concurrently.
func Cluster() string { return cluster }

// TenantVersion is the highest version of Tenant's migrations: that of an
// up-to-date project's database.
func TenantVersion() int64 {
	entries, err := tenantFS.ReadDir("tenant")
	if err != nil {
		panic("migrations: " + err.Error())
	}
	var highest int64
	for _, entry := range entries {
		number, _, _ := strings.Cut(path.Base(entry.Name()), "_")
		if version, err := strconv.ParseInt(number, 10, 64); err == nil {
			highest = max(highest, version)
		}
	}
	return highest
}

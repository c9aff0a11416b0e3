package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/guard"
	"github.com/reevehq/reeve/internal/provision"
)

// greedyProjects is how many developers the server should have room for who open
// as many connections as they may.
const greedyProjects = 5

// connections compares max_connections of the server of the projects' databases
// with the connections that the configuration may open there.
func connections(ctx context.Context, cfg config.Database) Finding {
	f := Finding{About: "connections"}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, cfg.AdminURL)
	if err != nil {
		f.Err = err
		return f
	}
	defer func() { _ = conn.Close(ctx) }()
	most, reserved, err := guard.MaxConnections(ctx, conn)
	if err != nil {
		f.Err = err
		return f
	}
	replica := cfg.TenantConnections + provision.MostConnections + guard.Connections
	if sameServer(cfg.ControlURL, cfg.AdminURL) {
		replica += controldb.MostConnections
	}
	sum := cfg.Replicas*replica + greedyProjects*cfg.OwnerConnections
	enough := sum + reserved
	for enough-reserved-guard.ReserveOf(enough) < sum {
		enough++
	}
	f.Text = fmt.Sprintf("max_connections is %d: enough for %d replicas and %d developers who open all that they may", most, cfg.Replicas, greedyProjects)
	if most < enough {
		f.Warning = true
		f.Text = fmt.Sprintf("max_connections is %d: %d replicas open up to %d connections each, and a developer up to %d. "+
			"Set max_connections to %d, or lower database.tenant_connections", most, cfg.Replicas, replica, cfg.OwnerConnections, enough)
	}
	return f
}

// enoughLocks is the size that the lock table of the projects' server should have.
// A session fills a smaller one before the guard sees it.
const enoughLocks = 200_000

// locks checks the settings of the lock table, which all projects share.
func locks(ctx context.Context, cfg config.Database) Finding {
	f := Finding{About: "lock table"}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, cfg.AdminURL)
	if err != nil {
		f.Err = err
		return f
	}
	defer func() { _ = conn.Close(ctx) }()
	var each, connections, prepared int
	err = conn.QueryRow(ctx, `SELECT current_setting('max_locks_per_transaction')::int, current_setting('max_connections')::int,
		current_setting('max_prepared_transactions')::int`).Scan(&each, &connections, &prepared)
	size := each * (connections + prepared)
	switch {
	case err != nil:
		f.Err = err
	case prepared > 0:
		f.Warning = true
		f.Text = "max_prepared_transactions is not 0: what a developer's prepared transaction locks stays locked, and no session can be ended for it"
	case size < enoughLocks:
		f.Warning = true
		f.Text = fmt.Sprintf("the lock table has room for %d locks: a developer who fills it makes requests of others fail until that session is ended. "+
			"Set max_locks_per_transaction to %d", size, (enoughLocks+connections-1)/connections)
	default:
		f.Text = fmt.Sprintf("the lock table has room for %d locks", size)
	}
	return f
}

// servers checks whether the control database has a server of its own.
func servers(cfg config.Database) Finding {
	f := Finding{About: "servers", Text: "the control database has a server of its own"}
	if sameServer(cfg.ControlURL, cfg.AdminURL) {
		f.Warning = true
		f.Text = "the control database is on the server of the projects' databases: what a developer does there can delay it; " +
			"set database.admin_url to another server"
	}
	return f
}

// sameServer reports whether two URLs name the same host, or folder of a socket,
// and port.
func sameServer(a, b string) bool {
	u, errA := pgx.ParseConfig(a)
	v, errB := pgx.ParseConfig(b)
	return errA == nil && errB == nil && strings.EqualFold(u.Host, v.Host) && u.Port == v.Port
}

package controldb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/tenants"
)

// channelProject announces changed projects; the payload is "ref:version".
const channelProject = "reeve_project"

// Listen calls fn for every announced change of a project, on a separate
// connection, until ctx ends or the connection breaks. A change that commits
// while there is no listener is not announced later: see Changes.
func (db *DB) Listen(ctx context.Context, fn func(tenants.Change)) error {
	cfg := db.pool.Config().ConnConfig.Copy()
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return Fault(fmt.Errorf("listen for changes: %w", err))
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+channelProject); err != nil {
		return Fault(fmt.Errorf("listen for changes: %w", err))
	}
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return Fault(fmt.Errorf("listen for changes: %w", err))
		}
		if change, ok := parseChange(n.Payload); ok {
			fn(change)
		}
	}
}

func closeConn(conn *pgx.Conn) {
	// ctx has ended when this runs, but the server should be notified.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// parseChange parses "ref:version". Any role that may connect can notify, so
// other payloads are ignored.
func parseChange(payload string) (tenants.Change, bool) {
	name, number, _ := strings.Cut(payload, ":")
	ref, err := tenants.ParseRef(name)
	if err != nil {
		return tenants.Change{}, false
	}
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil || version <= 0 {
		return tenants.Change{}, false
	}
	return tenants.Change{Ref: ref, Version: version}, true
}

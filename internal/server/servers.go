package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// servers is project.Servers over the only cluster.
type servers struct {
	*Server
	described project.DatabaseServer
}

func (s *Server) servers(ctx context.Context) (servers, error) {
	out := servers{Server: s}
	db := &out.described
	host, port, err := net.SplitHostPort(s.config.Database.PublicHost)
	if err != nil {
		u, err := url.Parse(s.config.Database.AdminURL)
		if err != nil {
			return out, errors.New("the address of the Postgres server is not a URL") // which has a password
		}
		host, port = u.Hostname(), u.Port()
	}
	if db.Host, db.Port = host, 5432; port != "" {
		if db.Port, err = strconv.Atoi(port); err != nil {
			return out, fmt.Errorf("port of the Postgres server: %w", err)
		}
	}
	if err := s.control.Pool().QueryRow(ctx, `SHOW server_version`).Scan(&db.Version); err != nil {
		return out, fmt.Errorf("server version: %w", err)
	}
	return out, nil
}

// Describe implements project.Servers.
func (s servers) Describe(tenants.Ref) project.DatabaseServer { return s.described }

// waysIn counts the users of a project by their ways to sign in.
func (s *Server) waysIn(ctx context.Context, ref tenants.Ref) (out []tenantdb.WaysIn, err error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = s.Database(t).Do(ctx, func(tx *tenantdb.Tx) error {
		out, err = tx.WaysIn(ctx)
		return err
	})
	return out, err
}

// Health implements project.Servers.
func (s servers) Health(ctx context.Context, ref tenants.Ref) error {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return err
	}
	return s.Database(t).Do(ctx, func(tx *tenantdb.Tx) error { return tx.Ping(ctx) })
}

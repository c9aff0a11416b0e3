package server

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// servers is project.Servers over the only cluster.
type servers struct {
	*Server
	host, version string
}

func (s *Server) servers(ctx context.Context) (servers, error) {
	out := servers{Server: s}
	if host, _, err := net.SplitHostPort(s.config.Database.PublicHost); err == nil {
		out.host = host
	} else if u, err := url.Parse(s.config.Database.AdminURL); err == nil {
		out.host = u.Hostname()
	}
	if err := s.control.Pool().QueryRow(ctx, `SHOW server_version`).Scan(&out.version); err != nil {
		return out, fmt.Errorf("server version: %w", err)
	}
	return out, nil
}

// Describe implements project.Servers.
func (s servers) Describe(tenants.Ref) (host, version string) { return s.host, s.version }

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

package server

import (
	"context"
	"net/netip"
	"time"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// visitRule limits the requests of an address to the pages of setup links.
var visitRule = ratelimit.Rule{Name: "setup_links", Events: 600, Per: 5 * time.Minute, Burst: 200}

func (s *Server) allowVisit(ctx context.Context, ip string) error {
	address, _ := netip.ParseAddr(ip) // an unknown one is a client of its own
	return s.limiter.Allow(ctx, "", visitRule, ratelimit.LimitKey(address))
}

// visitorScope returns the scope of a project for whoever has a setup link, of which
// nothing is proved yet. tenants.ErrUnknownProject for one that is not served.
func (s *Server) visitorScope(ctx context.Context, ref tenants.Ref) (*tenants.Scope, error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	if t.Status != tenants.StatusActive {
		return nil, tenants.ErrUnknownProject
	}
	id, ip := control.Origin(ctx)
	sc := &tenants.Scope{
		Tenant: t, DB: s.Database(t), RequestID: id,
		Log:   s.projectLog.Request(projectlog.Entry{Project: string(ref), RequestID: id, Route: "Setup link", ClientIP: ip}),
		Usage: s.usage.Project(string(ref)),
	}
	sc.ClientIP, _ = netip.ParseAddr(ip) // unknown otherwise
	return sc, nil
}

package server

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/dashboard"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// dashboardKey is the name of the platform project's publishable key that is made
// for the dashboard where the project has none.
const dashboardKey = "dashboard"

// dashboardTTL is how long a process answers with what it found last.
const dashboardTTL = 5 * time.Second

// installation is the last dashboard.Config of a process. The answer is public, so
// requests must not each cost queries.
type installation struct {
	mu     sync.Mutex
	config dashboard.Config
	found  time.Time
}

// dashboardConfig returns what the dashboard needs to know before anybody signs
// in.
func (s *Server) dashboardConfig(ctx context.Context) (dashboard.Config, error) {
	s.installation.mu.Lock()
	defer s.installation.mu.Unlock()
	if now := s.now(); now.Before(s.installation.found.Add(dashboardTTL)) {
		return s.installation.config, nil
	}
	c, err := s.findDashboardConfig(ctx)
	if err == nil {
		s.installation.config, s.installation.found = c, s.now()
	}
	return c, err
}

func (s *Server) findDashboardConfig(ctx context.Context) (dashboard.Config, error) {
	sc, err := s.platformScope(ctx)
	if err != nil {
		return dashboard.Config{}, err
	}
	c := dashboard.Config{Version: s.version, Dev: s.dev, Auth: dashboard.AuthOf(&sc.Tenant.Config), Mail: dashboard.MailSent}
	c.Auth.URL = sc.Tenant.URL
	if c.Auth.Methods.Custom, err = customMethods(ctx, sc); err != nil {
		return dashboard.Config{}, err
	}
	if c.Auth.PublishableKey, err = s.dashboardKey(ctx, sc.Tenant.Ref); err != nil {
		return dashboard.Config{}, err
	}
	if !s.hasSMTP(sc.Tenant.Ref) {
		switch s.mailOfProjects() {
		case project.MailCaptured:
			c.Mail = dashboard.MailCaptured
		case project.MailWaits:
			c.Mail = dashboard.MailUnsent
		}
	}
	if !s.dev { // reeve dev prints a link that signs in
		c.FirstRun, err = s.browsers.Setup.Pending(ctx, sc)
	}
	return c, err
}

// maxCustomMethods bounds the providers of the sign-in page.
const maxCustomMethods = 20

// customMethods are the identity providers of the platform project's own by which
// people can sign in.
func customMethods(ctx context.Context, sc *tenants.Scope) ([]dashboard.CustomMethod, error) {
	out := []dashboard.CustomMethod{}
	if !sc.Tenant.Config.CustomOAuthEnabled {
		return out, nil
	}
	var found []auth.CustomProvider
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		found, err = tx.CustomProviders(ctx, "")
		return err
	})
	for _, p := range found {
		if p.Enabled && len(out) < maxCustomMethods {
			out = append(out, dashboard.CustomMethod{Provider: p.Identifier, Name: p.Name})
		}
	}
	return out, err
}

// dashboardKey returns a publishable key of the platform project that works
// anywhere, and makes one if there is none.
func (s *Server) dashboardKey(ctx context.Context, platform tenants.Ref) (string, error) {
	dk, err := s.control.DataKey(ctx, platform)
	if err != nil {
		return "", err
	}
	keys, err := s.control.APIKeys(ctx, platform)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(keys, s.anywhere); i >= 0 {
		return keys[i].Text(dk)
	}
	name := dashboardKey
	if slices.ContainsFunc(keys, func(k controldb.APIKey) bool { return k.Name == name }) {
		name += " " + uuid.NewString() // that one works in some places only
	}
	key, text, err := controldb.NewAPIKey(s.hasher, dk, platform, tenants.KeyPublishable, name)
	if err != nil {
		return "", err
	}
	err = s.control.Tx(ctx, func(tx *controldb.Tx) error {
		_, err := tx.CreateAPIKey(ctx, key) // of two processes, one gets a conflict
		return err
	})
	return text, err
}

// anywhere reports whether a key is a publishable one without restrictions.
func (s *Server) anywhere(k controldb.APIKey) bool {
	return k.Type == tenants.KeyPublishable && k.ExpiresAt == nil && k.Networks == nil && k.Successor == nil
}

// SetupLink returns a new one-time link by which the first operator gets an
// account; "" when an operator has one, and for a development server, which has a
// link of its own.
func (s *Server) SetupLink(ctx context.Context) (string, error) {
	if s.dev {
		return "", nil
	}
	return s.setupLink(ctx)
}

func (s *Server) setupLink(ctx context.Context) (string, error) {
	sc, err := s.platformScope(ctx)
	if err != nil {
		return "", err
	}
	pending, err := s.browsers.Setup.Pending(ctx, sc)
	if err != nil || !pending {
		return "", err
	}
	code, err := s.control.CreateSetupLink(ctx, s.now(), s.now().Add(dashboard.SetupLinkTTL))
	if err != nil {
		return "", err
	}
	return s.config.HTTP.Origin() + dashboard.SetupPage + "?" + url.Values{"code": {code}}.Encode(), nil
}

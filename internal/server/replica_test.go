package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// TestReplicasStartTogether: several processes on an empty control database
// create one platform project, one operator and one first organization.
func TestReplicasStartTogether(t *testing.T) {
	t.Parallel()
	controlURL, key := testkit.Database(t), secret.NewMasterKey()
	var group errgroup.Group
	for range 3 {
		group.Go(func() error {
			c := config.Development()
			c.HTTP.Listen, c.HTTP.PublicURL = "127.0.0.1:0", "http://reeve.test"
			c.Database.ControlURL, c.Database.AdminURL = controlURL, testkit.Postgres(t)
			c.Database.WarmDatabases = 0
			c.Secrets.MasterKeys = []string{key}
			c.Database = c.Database.Resolve()
			s, err := server.New(t.Context(), server.Options{Config: c, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Dev: true})
			if err != nil {
				return err
			}
			stopped, stop := context.WithCancel(context.Background())
			stop()
			return s.Run(stopped)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	reeve := servertest.StartOn(t, controlURL, key)
	var projects, orgs []map[string]any
	reeve.Manage(t, http.MethodGet, "/v1/projects", nil).Expect(t, http.StatusOK).Into(t, &projects)
	reeve.Manage(t, http.MethodGet, "/v1/organizations", nil).Expect(t, http.StatusOK).Into(t, &orgs)
	if len(orgs) != 1 || len(projects) != 0 {
		t.Errorf("organizations %v, projects %v", orgs, projects)
	}
}

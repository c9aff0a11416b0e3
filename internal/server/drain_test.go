package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// TestStoppingProcessServesOn: /readyz refuses, for balancers, before
// connections are refused.
func TestStoppingProcessServesOn(t *testing.T) {
	t.Parallel()
	reeve := servertest.Start(t, func(c *config.Config) { c.HTTP.DrainDelay = 10 * time.Second })
	p := reeve.Project(t, "drained", map[string]any{"mailer_autoconfirm": true})
	go reeve.Stop()
	eventually(t, "it is not ready any more", func() bool { return reeve.Do(t, http.MethodGet, "/readyz", nil).Status == 503 })
	p.SignUp(t, "ann@example.com", "password123")
}

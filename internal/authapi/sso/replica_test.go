package sso_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
)

// TestReplayAtReplicas: what one process has accepted no other accepts, also at once: used
// assertions are in the project's database.
func TestReplayAtReplicas(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t, enabled)
	c := newCompany(t, f, f.A, "acme.example")
	replicas := []sso.Service{f.Flows().Connections(), f.Flows().Connections()}
	finish := func(s sso.Service, encoded, relay string) bool {
		out, err := s.FinishSAML(t.Context(), f.A.Scope(), encoded, relay)
		return err == nil && out.Tokens != nil
	}
	accepted := func(encoded, relay string) (won int32) {
		var n atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 2 {
			for _, s := range replicas {
				wg.Go(func() {
					<-start
					if finish(s, encoded, relay) {
						n.Add(1)
					}
				})
			}
		}
		close(start)
		wg.Wait()
		return n.Load()
	}
	sessions := func() int { return f.A.Count(t, `SELECT count(*) FROM auth.sessions`) }
	for i := range 5 { // from the portal: nothing but the assertion is used up
		if won := accepted(c.Encoded(c.says(t, request{}, "ann")), app); won != 1 || sessions() != 2*i+1 {
			t.Fatalf("%d accepted, %d sessions", won, sessions())
		}
		r := c.begin(t, m{"domain": "acme.example"})
		encoded := c.Encoded(c.says(t, r, "ann"))
		if won := accepted(encoded, r.relay); won != 1 || sessions() != 2*i+2 {
			t.Fatalf("%d accepted of a sign-in that was begun, %d sessions", won, sessions())
		}
		for _, s := range replicas { // later, as if nobody had asked for it
			if finish(s, encoded, app) {
				t.Fatal("accepted again")
			}
		}
	}
}

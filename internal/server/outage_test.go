package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server/servertest"
	"github.com/reevehq/reeve/internal/testkit"
)

// needless are the routes that need no database.
var needless = map[string]bool{
	"GET /health": true, "GET /settings": true, "GET /.well-known/jwks.json": true, "GET /.well-known/openid-configuration": true,
}

// TestPostgresAway: while Postgres is unavailable every request gets a
// Retry-After, routes that need no database still answer, and afterwards
// everything works without a restart.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	cluster := testkit.NewCluster(t)
	admin := cluster.URL()
	reeve := servertest.StartOn(t, cluster.Database(t, "reeve_control"), secret.NewMasterKey(), func(c *config.Config) {
		c.Database.AdminURL = admin
	})
	o := &outage{Reeve: reeve, p: reeve.Project(t, "outage", nil), quiet: reeve.Project(t, "quiet", nil)}
	o.ann = o.p.SignUp(t, annEmail, annPassword)
	o.works(t, "before")

	load := o.hammer(t)
	cluster.Stop()
	for range 2 { // with dead connections, and then without
		o.away(t)
	}
	load.stop(t)
	o.away(t)
	cluster.Start(t)
	eventually(t, "it is ready again", func() bool { return reeve.Do(t, http.MethodGet, "/readyz", nil).Status == 200 })
	eventually(t, "the project answers", func() bool { return o.p.As(t, o.ann.AccessToken, http.MethodGet, "/user", nil).Status == 200 })
	o.works(t, "after")
	o.p.Configure(t, map[string]any{"disable_signup": true}) // changes are heard of again
	o.p.Do(t, http.MethodPost, "/signup", map[string]any{"email": "late@example.com", "password": annPassword}).Refused(t, 422, "signup_disabled")
	reeve.Project(t, "new", nil).SignUp(t, annEmail, annPassword)
}

type outage struct {
	*servertest.Reeve
	p, quiet *servertest.Project
	ann      servertest.Session
}

// works calls every kind of route.
func (o *outage) works(t *testing.T, when string) {
	t.Helper()
	o.p.As(t, o.ann.AccessToken, http.MethodGet, "/user", nil).Expect(t, 200)
	o.p.Do(t, http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": o.ann.RefreshToken}).Expect(t, 200).Into(t, &o.ann)
	for _, p := range []*servertest.Project{o.p, o.quiet} {
		email := when + "@example.com"
		p.Do(t, http.MethodPost, "/signup", map[string]any{"email": email, "password": annPassword}).Expect(t, 200)
		mail := p.Inbox(t, email, 1)[0]
		p.Do(t, http.MethodPost, "/verify", map[string]any{"type": "signup", "token_hash": mail.LinkToken(t)}).Expect(t, 200)
		p.SignIn(t, email, annPassword)
	}
	o.Manage(t, http.MethodGet, "/v1/projects/"+o.p.Ref, nil).Expect(t, 200)
	o.Do(t, http.MethodGet, "/auth/v1/settings", nil, "apikey", o.p.SecretKey).Expect(t, 200) // the project of a key is cached too
}

// away calls every kind of route while Postgres is unavailable.
func (o *outage) away(t *testing.T) {
	t.Helper()
	for _, r := range tenantRoutes {
		for _, addr := range []string{o.p.Auth(""), "/auth/v1"} {
			headers := []string{"apikey", o.p.SecretKey}
			if r.guard == signed {
				headers = append(headers, "Authorization", "Bearer "+o.ann.AccessToken)
			}
			body := r.sample()
			if strings.Contains(r.query, "refresh_token") {
				body = map[string]any{"refresh_token": o.ann.RefreshToken}
			}
			a := o.Do(t, r.method, addr+r.at(), body, headers...)
			if needless[r.String()] {
				if a.Status != 200 {
					t.Errorf("%s: %d %s, want 200", r, a.Status, a.Body)
				}
				continue
			}
			if r.early != 0 && a.Status == r.early {
				continue
			}
			unavailable(t, a, r.String())
		}
	}
	// Nothing is known about this one, not even that it does not exist.
	unavailable(t, o.Do(t, http.MethodGet, "/p/"+strings.Repeat("y", 20)+"/auth/v1/settings", nil, "apikey", o.p.PublishableKey), "unknown project")
	for _, op := range operations(t, o.Reeve) {
		if a := o.Manage(t, op.method, op.at("default", o.p.Ref, annID), sound[op.id].body); a.Status != 503 || a.Header.Get("Retry-After") == "" || a.JSON(t)["code"] == "" {
			t.Errorf("%s: %d %s", op.id, a.Status, a.Body)
		}
	}
	ready := o.Do(t, http.MethodGet, "/readyz", nil).Expect(t, 503)
	if ready.Header.Get("Retry-After") == "" {
		t.Error("readyz: no Retry-After")
	}
	o.Do(t, http.MethodGet, "/healthz", nil).Expect(t, 200)
}

func unavailable(t *testing.T, a *servertest.Answer, what string) {
	t.Helper()
	if a.Status != 503 || a.Header.Get("Retry-After") == "" || a.Code(t) == "" {
		t.Errorf("%s: %d %s, Retry-After %q; want 503", what, a.Status, a.Body, a.Header.Get("Retry-After"))
	}
}

// load is a set of clients that continue through the outage.
type load struct {
	done  atomic.Bool
	wait  sync.WaitGroup
	wrong sync.Map
}

// hammer repeats requests, so that Postgres becomes unavailable during some.
func (o *outage) hammer(t *testing.T) *load {
	t.Helper()
	l := &load{}
	ask := func(what string, send func() *servertest.Answer) {
		l.wait.Go(func() {
			for !l.done.Load() {
				if a := send(); a.Status != 200 && a.Status != 503 && a.Status != 429 {
					l.wrong.Store(what, fmt.Sprintf("%d %s", a.Status, a.Body))
				}
			}
		})
	}
	for range 3 {
		ask("user", func() *servertest.Answer { return o.p.As(t, o.ann.AccessToken, http.MethodGet, "/user", nil) })
		ask("users", func() *servertest.Answer { return o.quiet.Admin(t, http.MethodGet, "/admin/users", nil) })
		ask("change", func() *servertest.Answer {
			return o.p.As(t, o.ann.AccessToken, http.MethodPut, "/user", map[string]any{"data": map[string]any{"a": "b"}})
		})
		ask("manage", func() *servertest.Answer { return o.Manage(t, http.MethodGet, "/v1/projects", nil) })
	}
	return l
}

func (l *load) stop(t *testing.T) {
	t.Helper()
	l.done.Store(true)
	l.wait.Wait()
	l.wrong.Range(func(what, answer any) bool {
		t.Errorf("%v, in the middle of it: %v", what, answer)
		return true
	})
}

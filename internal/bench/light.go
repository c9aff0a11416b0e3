//go:build linux || darwin

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/reevehq/reeve/internal/manage"
)

// light is a light load on the projects beside one that is attacked from, or
// flooded.
type light struct {
	bench    *bench
	projects []resident
	cold     []project // asked for so rarely that each request opens a connection
	named    int       // makes names unique
	mu       sync.Mutex
}

// resident is a project of the light load with two users: one whose session is
// refreshed, and one that signs in.
type resident struct {
	project
	session session
	signIn  []byte
}

// probe is a kind of request of the light load.
type probe struct {
	name  string
	every time.Duration // pause between the requests of a worker
	// workers is one for each project, or one.
	workers int
	ask     func(worker int) step
}

// lightIdle is the server's limit for idle connections under the light load.
// Projects in use keep theirs.
const lightIdle = "REEVE_TENANT_IDLE_TTL=1s"

const (
	residents = 5
	colds     = 8
)

// settleIn creates the projects of the light load and their users.
func (b *bench) settleIn(ctx context.Context) (*light, error) {
	l := &light{bench: b}
	c, err := dial(b.addr, time.Now().Add(10*time.Minute))
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.net.Close() }()
	for i := range residents + colds {
		p, err := b.configured(ctx, map[string]any{"mailer_autoconfirm": true})
		if err != nil {
			return nil, err
		}
		r := resident{project: p}
		if err := r.session.read(c.do(b.signUpRequest(&p, "refreshed@example.com"))); err != nil {
			return nil, fmt.Errorf("sign up: %w", err)
		}
		r.token = r.session.AccessToken
		if i >= residents {
			l.cold = append(l.cold, r.project)
			continue
		}
		if _, err := good(c.do(b.signUpRequest(&p, "password@example.com"))); err != nil {
			return nil, fmt.Errorf("sign up: %w", err)
		}
		r.signIn = b.request(&p, "POST", "/token?grant_type=password", credentials("password@example.com"))
		l.projects = append(l.projects, r)
	}
	return l, nil
}

// userProbe asks for a user, in each project.
func (l *light) userProbe() probe {
	return probe{"user", 20 * time.Millisecond, residents, func(w int) step {
		return always(l.bench.signedIn(&l.projects[w].project))
	}}
}

// passwordProbe signs in by password, in each project.
func (l *light) passwordProbe() probe {
	return probe{"password", 2 * time.Second, residents, func(w int) step { return always(l.projects[w].signIn) }}
}

// mix is every kind of request, about 300 a second.
func (l *light) mix() []probe {
	b := l.bench
	return []probe{
		l.userProbe(),
		{"refresh", 200 * time.Millisecond, residents, func(w int) step {
			return b.refresher(&l.projects[w].project, &l.projects[w].session)
		}},
		l.passwordProbe(),
		{"sign-up", 2 * time.Second, residents, func(w int) step {
			return func(c *conn) (int, []byte, error) {
				return c.do(b.signUpRequest(&l.projects[w].project, l.name("new")+"@example.com"))
			}
		}},
		{"new project", 3 * time.Second, 1, func(int) step {
			return func(c *conn) (int, []byte, error) {
				return c.do(b.controlRequest("POST", manage.Path("projects"), `{"name":"light","organization_slug":"default"}`))
			}
		}},
		{"settings", time.Second, 1, func(int) step { return l.changeSettings() }},
		{"revoke a key", time.Second, 1, func(int) step { return l.revoke() }},
		{"cold project", 300 * time.Millisecond, 1, func(int) step {
			n := 0
			return func(c *conn) (int, []byte, error) {
				n++
				return c.do(b.signedIn(&l.cold[n%len(l.cold)]))
			}
		}},
	}
}

// name returns a new name that begins with prefix.
func (l *light) name(prefix string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.named++
	return fmt.Sprintf("%s_%d", prefix, l.named)
}

// changeSettings changes a setting of one project after the other.
func (l *light) changeSettings() step {
	n := 0
	return func(c *conn) (int, []byte, error) {
		n++
		path := manage.Path("projects", l.projects[n%residents].Ref, "config", "auth")
		return c.do(l.bench.controlRequest("PATCH", path, fmt.Sprintf(`{"jwt_exp":%d}`, 3600+n)))
	}
}

// revoke creates a key and deletes it. The first request that is refused is the
// answer.
func (l *light) revoke() step {
	n := 0
	return func(c *conn) (int, []byte, error) {
		n++
		keys := manage.Path("projects", l.projects[n%residents].Ref, "api-keys")
		status, body, err := c.do(l.bench.controlRequest("POST", keys, fmt.Sprintf(`{"type":"secret","name":%q}`, l.name("key"))))
		if _, err := good(status, body, err); err != nil {
			return status, body, err
		}
		var key manage.APIKey
		if err := json.Unmarshal(body, &key); err != nil {
			return 0, nil, fmt.Errorf("read a key: %w", err)
		}
		return c.do(l.bench.controlRequest("DELETE", keys+"/"+key.ID, ""))
	}
}

// controlRequest builds a request of the Management API.
func (b *bench) controlRequest(method, path, body string) []byte {
	return request(method, b.server.host, path, body, "Authorization", "Bearer "+b.server.manage.Token)
}

// waits is what the requests of one kind came to.
type waits struct {
	kind    string
	times   []time.Duration // of all answers, and of requests that had none; ascending
	good    int
	refused map[int]int // by status; 0 is no answer
	example string      // of a refusal
}

// run sends the probes for the duration and returns the waits of each kind.
// Times are counted from the sending of a request: a worker that waits sends
// nothing, so a long wait counts once.
func (l *light) run(ctx context.Context, d time.Duration, probes []probe) ([]waits, error) {
	all := make([]waits, len(probes))
	until := time.Now().Add(d)
	var group sync.WaitGroup
	var mu sync.Mutex
	for i, p := range probes {
		all[i] = waits{kind: p.name, refused: map[int]int{}}
		for w := range p.workers {
			group.Go(func() {
				got := l.work(ctx, until, p.every, p.ask(w))
				mu.Lock()
				defer mu.Unlock()
				all[i].add(got)
			})
		}
	}
	group.Wait()
	for i := range all {
		slices.Sort(all[i].times)
	}
	return all, ctx.Err()
}

func (w *waits) add(o waits) {
	w.times = append(w.times, o.times...)
	w.good += o.good
	for status, n := range o.refused {
		w.refused[status] += n
	}
	if w.example == "" {
		w.example = o.example
	}
}

// work sends a request after each pause, and dials again after a failure.
func (l *light) work(ctx context.Context, until time.Time, pause time.Duration, do step) waits {
	got := waits{refused: map[int]int{}}
	var c *conn
	defer func() {
		if c != nil {
			_ = c.net.Close()
		}
	}()
	for ctx.Err() == nil && time.Now().Before(until) {
		begun := time.Now()
		status, body, err := 0, []byte(nil), error(nil)
		if c == nil {
			c, err = dial(l.bench.addr, until.Add(patience))
		}
		if err == nil {
			status, body, err = do(c)
		}
		got.times = append(got.times, time.Since(begun))
		switch {
		case err != nil:
			got.refused[0]++
			got.note("%v", err)
			if c != nil {
				_ = c.net.Close()
				c = nil
			}
		case status < 200 || status > 299:
			got.refused[status]++
			got.note("%d %.200s", status, body)
		default:
			got.good++
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return got
}

func (w *waits) note(format string, args ...any) {
	if w.example == "" {
		w.example = fmt.Sprintf(format, args...)
	}
}

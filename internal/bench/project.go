//go:build linux || darwin

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"time"

	"github.com/reevehq/reeve/internal/manage"
)

// project is a project of the run.
type project struct {
	manage.Created
	token string // access token of its user; "" when it has none
}

// create creates a project and returns how long the answer took.
func (b *bench) create(ctx context.Context) (project, time.Duration, error) {
	begun := time.Now()
	made, err := b.server.manage.CreateProject(ctx, manage.NewProject{Name: "bench", Organization: "default"})
	if err != nil {
		return project{}, 0, fmt.Errorf("create a project: %w", err)
	}
	took, p := time.Since(begun), project{Created: made}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made = append(b.made, p)
	return p, took, nil
}

// configure lifts the limits that would affect a benchmark and sets more
// settings.
func (b *bench) configure(ctx context.Context, ref string, more map[string]any) error {
	all := map[string]any{"smtp_max_frequency": 0}
	for _, limit := range []string{"otp", "verify", "token_refresh", "email_sent"} {
		all["rate_limit_"+limit] = math.MaxInt32
	}
	maps.Copy(all, more)
	_, err := b.server.manage.Change(ctx, manage.Path("projects", ref, "config", "auth"), all)
	if err != nil {
		return fmt.Errorf("configure a project: %w", err)
	}
	return nil
}

// configured creates a project and configures it, before any request could have
// cached an older configuration.
func (b *bench) configured(ctx context.Context, more map[string]any) (project, error) {
	p, _, err := b.create(ctx)
	if err != nil {
		return project{}, err
	}
	return p, b.configure(ctx, p.Ref, more)
}

// request builds a request of the tenant plane with the publishable key.
func (b *bench) request(p *project, method, path, body string, headers ...string) []byte {
	return b.keyed(p, p.PublishableKey, method, path, body, headers...)
}

func (b *bench) keyed(p *project, key, method, path, body string, headers ...string) []byte {
	base := "/p/" + p.Ref
	if u, err := url.Parse(p.URL); err == nil && u.Path != "" {
		base = u.Path
	}
	return request(method, b.server.host, base+"/auth/v1"+path, body, append([]string{"apikey", key}, headers...)...)
}

func (b *bench) userRequest(p *project, token string) []byte {
	return b.request(p, "GET", "/user", "", "Authorization", "Bearer "+token)
}

func (b *bench) settingsRequest(p *project) []byte { return b.request(p, "GET", "/settings", "") }

// signUpRequest is of a new user with that address.
func (b *bench) signUpRequest(p *project, email string) []byte {
	return b.request(p, "POST", "/signup", credentials(email))
}

// password is every user's.
const password = "correct horse battery staple"

func credentials(email string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)
}

// session is an answer with tokens.
type session struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	User         struct {
		ID string `json:"id"`
	} `json:"user"`
}

func (s *session) read(status int, body []byte, err error) error {
	if body, err = good(status, body, err); err != nil {
		return err
	}
	if err := decode(body, s); err != nil {
		return err
	}
	if s.AccessToken == "" || s.RefreshToken == "" {
		return fmt.Errorf("no session in %.300s", body)
	}
	return nil
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read an answer: %w in %.300s", err, body)
	}
	return nil
}

// Package servertest runs a complete Reeve on a throw-away cluster for tests
// that speak HTTP to it: the contract, isolation and bad-input suites.
package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/testkit"
)

// Reeve is a running Reeve process.
type Reeve struct {
	URL        string // of the main host
	Token      string // of the operator
	Server     *server.Server
	ControlURL string
	MasterKey  string
	options    server.Options
	stop       func()
}

// Options are those that Reeve was started with, for functions of package server
// that work beside a running one.
func (r *Reeve) Options(tb testing.TB) server.Options {
	tb.Helper()
	return r.options
}

// Options change the configuration before the start.
type Options func(*config.Config)

// Start runs Reeve until the test ends.
func Start(tb testing.TB, options ...Options) *Reeve {
	tb.Helper()
	return StartOn(tb, testkit.Database(tb), secret.NewMasterKey(), options...)
}

// StartWith is Start with change applied to the server's options.
func StartWith(tb testing.TB, change func(*server.Options), options ...Options) *Reeve {
	tb.Helper()
	return start(tb, testkit.Database(tb), secret.NewMasterKey(), change, options)
}

// StartOn runs Reeve on an existing control database: with the same master key
// it is a second replica.
func StartOn(tb testing.TB, controlURL, masterKey string, options ...Options) *Reeve {
	tb.Helper()
	return start(tb, controlURL, masterKey, func(*server.Options) {}, options)
}

func start(tb testing.TB, controlURL, masterKey string, change func(*server.Options), options []Options) *Reeve {
	tb.Helper()
	c := config.Development()
	c.HTTP.Listen = "127.0.0.1:0"
	c.HTTP.PublicURL = "http://reeve.test"
	c.Database.ControlURL = controlURL
	c.Database.AdminURL = testkit.Postgres(tb)
	c.Database.WarmDatabases = 1
	c.Database.TemplateStrategy = config.StrategyFileCopy
	c.Secrets.MasterKeys = []string{masterKey}
	for _, o := range options {
		o(&c)
	}
	c.Database = c.Database.Resolve()
	ctx, cancel := context.WithCancel(context.Background())
	so := server.Options{Config: c, Logger: slog.New(slog.NewTextHandler(tb.Output(), nil)), Version: "test", Dev: true, HashCost: 4}
	change(&so)
	s, err := server.New(ctx, so)
	if err != nil {
		cancel()
		tb.Fatalf("start Reeve: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Reeve ended: %v", err)
		}
	})
	tb.Cleanup(stop)
	token, err := s.Operator(ctx)
	if err != nil {
		tb.Fatalf("operator: %v", err)
	}
	return &Reeve{
		URL: "http://" + s.Addr().String(), Token: token, Server: s, ControlURL: controlURL, MasterKey: masterKey, options: so, stop: stop,
	}
}

// Replica is a second process on the same databases.
func (r *Reeve) Replica(tb testing.TB, options ...Options) *Reeve {
	tb.Helper()
	return StartOn(tb, r.ControlURL, r.MasterKey, options...)
}

// Stop ends Reeve before the test does.
func (r *Reeve) Stop() { r.stop() }

// Project is a project and the secrets of its creation.
type Project struct {
	Reeve          *Reeve `json:"-"`
	Ref            string `json:"ref"`
	URL            string `json:"url"` // canonical, as in iss
	PublishableKey string `json:"publishable_key"`
	SecretKey      string `json:"secret_key"`
	DatabaseURL    string `json:"db_url"`
}

// unlimited is a rate limit that refills faster than a test can use it.
const unlimited = 1 << 30

// Project creates a project with limits that no test reaches and links that work
// without their page, then applies the further settings.
func (r *Reeve) Project(tb testing.TB, name string, settings map[string]any) *Project {
	tb.Helper()
	p := &Project{Reeve: r}
	r.Manage(tb, http.MethodPost, "/v1/projects?reveal=true", map[string]any{"name": name, "organization_slug": "default"}).
		Expect(tb, http.StatusCreated).Into(tb, p)
	all := map[string]any{
		"rate_limit_otp": unlimited, "rate_limit_verify": unlimited, "rate_limit_mfa": unlimited, "rate_limit_token_refresh": unlimited, "rate_limit_email_sent": 100000,
		"smtp_max_frequency": 0, "mailer_verify_on_get": true,
	}
	for k, v := range settings {
		all[k] = v
	}
	p.Configure(tb, all)
	return p
}

// Configure changes the project's auth configuration and waits until it is in
// force.
func (p *Project) Configure(tb testing.TB, settings map[string]any) {
	tb.Helper()
	p.Reeve.Manage(tb, http.MethodPatch, "/v1/projects/"+p.Ref+"/config/auth", settings).Expect(tb, http.StatusOK)
	for range 2000 {
		if p.Reeve.Server.Sees(p.Ref, settings) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	tb.Fatalf("the settings of %s do not act", p.Ref)
}

// Auth is the path of a tenant route under the project's path address.
func (p *Project) Auth(path string) string { return "/p/" + p.Ref + "/auth/v1" + path }

// Do sends a request to a tenant route with the publishable key.
func (p *Project) Do(tb testing.TB, method, path string, body any, headers ...string) *Answer {
	tb.Helper()
	return p.Reeve.Do(tb, method, p.Auth(path), body, append([]string{"apikey", p.PublishableKey}, headers...)...)
}

// As sends a request as a signed-in user.
func (p *Project) As(tb testing.TB, accessToken, method, path string, body any) *Answer {
	tb.Helper()
	return p.Do(tb, method, path, body, "Authorization", "Bearer "+accessToken)
}

// Admin sends a request with the secret key.
func (p *Project) Admin(tb testing.TB, method, path string, body any) *Answer {
	tb.Helper()
	return p.Reeve.Do(tb, method, p.Auth(path), body, "apikey", p.SecretKey)
}

// Mail is a captured message.
type Mail struct {
	ID      string   `json:"id"`
	To      string   `json:"to"`
	Subject string   `json:"subject"`
	Text    string   `json:"text"`
	Links   []string `json:"links"`
	Code    string   `json:"code"`
}

// Inbox returns the captured mails to an address, newest first, once there are at
// least n of them.
func (p *Project) Inbox(tb testing.TB, to string, n int) []Mail {
	tb.Helper()
	for range 1000 {
		var all, mine []Mail
		p.Reeve.Manage(tb, http.MethodGet, "/v1/projects/"+p.Ref+"/inbox", nil).Expect(tb, http.StatusOK).Into(tb, &all)
		for _, m := range all {
			if m.To == to {
				mine = append(mine, m)
			}
		}
		if len(mine) >= n {
			return mine
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatalf("no %d mails to %s", n, to)
	return nil
}

// LinkToken is the token parameter of the mail's action link.
func (m Mail) LinkToken(tb testing.TB) string {
	tb.Helper()
	u, err := url.Parse(m.Links[0])
	if err != nil {
		tb.Fatal(err)
	}
	return u.Query().Get("token")
}

// Session is the answer to a sign-in.
type Session struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	User         struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
}

// SignUp creates a confirmed user through the admin API and signs in by
// password.
func (p *Project) SignUp(tb testing.TB, email, password string) Session {
	tb.Helper()
	p.Admin(tb, http.MethodPost, "/admin/users", map[string]any{"email": email, "password": password, "email_confirm": true}).
		Expect(tb, http.StatusOK)
	return p.SignIn(tb, email, password)
}

// SignIn signs a user in by password.
func (p *Project) SignIn(tb testing.TB, email, password string) Session {
	tb.Helper()
	var s Session
	p.Do(tb, http.MethodPost, "/token?grant_type=password", map[string]any{"email": email, "password": password}).
		Expect(tb, http.StatusOK).Into(tb, &s)
	return s
}

// Manage sends a request to the Management API as the operator.
func (r *Reeve) Manage(tb testing.TB, method, path string, body any) *Answer {
	tb.Helper()
	return r.Do(tb, method, path, body, "Authorization", "Bearer "+r.Token)
}

// Answer is a response with its body.
type Answer struct {
	Request string
	Status  int
	Header  http.Header
	Body    []byte
}

var client = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Do sends a request; headers are name, value, name, value; "Host" sets the
// host. A string body is sent as it is, anything else as JSON.
func (r *Reeve) Do(tb testing.TB, method, path string, body any, headers ...string) *Answer {
	tb.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			tb.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, r.URL+path, reader)
	if err != nil {
		tb.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !r.options.Dev {
		req.Host = "reeve.test" // in production the main host has one name
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	return send(tb, req)
}

// Raw sends a request without a body and with exactly these headers, including
// repeated ones.
func (r *Reeve) Raw(tb testing.TB, method, path string, headers http.Header) *Answer {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, r.URL+path, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header = headers
	return send(tb, req)
}

func send(tb testing.TB, req *http.Request) *Answer {
	tb.Helper()
	request := req.Method + " " + req.URL.RequestURI()
	res, err := client.Do(req)
	if err != nil {
		tb.Fatalf("%s: %v", request, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return &Answer{Request: request, Status: res.StatusCode, Header: res.Header, Body: raw}
}

// Expect fails the test unless the answer has the status.
func (a *Answer) Expect(tb testing.TB, status int) *Answer {
	tb.Helper()
	if a.Status != status {
		tb.Fatalf("%s: status %d, want %d: %s", a.Request, a.Status, status, a.Body)
	}
	return a
}

// Refused fails the test unless the answer is an error with status and code.
func (a *Answer) Refused(tb testing.TB, status int, code string) *Answer {
	tb.Helper()
	a.Expect(tb, status)
	if got := a.Code(tb); got != code {
		tb.Fatalf("%s: code %q, want %q: %s", a.Request, got, code, a.Body)
	}
	return a
}

// Code is the error code of a tenant plane answer. That to HEAD has no body.
func (a *Answer) Code(tb testing.TB) string {
	tb.Helper()
	if len(a.Body) == 0 {
		return a.Header.Get("X-Sb-Error-Code")
	}
	var e struct {
		ErrorCode string `json:"error_code"`
	}
	a.Into(tb, &e)
	if e.ErrorCode == "" { // in the form of another protocol
		return a.Header.Get("X-Sb-Error-Code")
	}
	return e.ErrorCode
}

// Into decodes the answer.
func (a *Answer) Into(tb testing.TB, v any) *Answer {
	tb.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		tb.Fatalf("%s: %v in %q", a.Request, err, a.Body)
	}
	return a
}

// JSON is the answer as an object.
func (a *Answer) JSON(tb testing.TB) map[string]any {
	tb.Helper()
	var m map[string]any
	a.Into(tb, &m)
	return m
}

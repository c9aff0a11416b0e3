package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/server"
	"github.com/reevehq/reeve/internal/server/servertest"
)

// written is a log that tests read.
type written struct {
	mu  sync.Mutex
	log bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// dashboardRoutes are the routes of a browser's session, by method and path.
var dashboardRoutes = [][2]string{{"GET", ""}, {"POST", ""}, {"DELETE", ""}, {"POST", "/refresh"}, {"POST", "/factor"}}

// fromPage are the headers of a request that a page of the main host sends.
func fromPage(headers ...string) []string {
	return append([]string{"Host", "reeve.test", "Sec-Fetch-Site", "same-origin", "Origin", "http://reeve.test"}, headers...)
}

// browserOf exchanges a session's tokens for cookies, and returns the Cookie header
// of requests outside /dashboard and of those below it.
func browserOf(t *testing.T, reeve *servertest.Reeve, s servertest.Session) (access, both string) {
	t.Helper()
	return cookiesOf(t, reeve.Do(t, http.MethodPost, "/dashboard/session", map[string]any{"access_token": s.AccessToken, "refresh_token": s.RefreshToken}, fromPage()...).Expect(t, 200))
}

// cookiesOf returns the cookies that an answer sets: of the access token, and all.
func cookiesOf(t *testing.T, begun *servertest.Answer) (access, both string) {
	t.Helper()
	var all []string
	for _, set := range begun.Header.Values("Set-Cookie") {
		text, attributes, _ := strings.Cut(set, ";")
		if strings.Contains(attributes, "Path=/;") {
			access = text
		}
		all = append(all, text)
	}
	if access == "" || len(all) != 2 {
		t.Fatalf("cookies: %v", begun.Header)
	}
	return access, strings.Join(all, "; ")
}

// TestDashboardSession: a developer signs in at the platform project; the browser's
// cookie is good for every route of the Management API, from pages of the main
// host, and for nothing else.
func TestDashboardSession(t *testing.T) {
	t.Parallel()
	log := &written{}
	reeve := servertest.StartWith(t, func(o *server.Options) {
		o.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, func(c *config.Config) { c.HTTP.AccessLog = true })
	p := platform(t, reeve)
	id, _ := developer(t, p, "dev@example.com")
	s := p.SignIn(t, "dev@example.com", "correct horse battery")
	access, both := browserOf(t, reeve, s)
	conn := servertest.Connect(t, reeve.ControlURL)
	if _, err := conn.Exec(t.Context(), "INSERT INTO members (organization_id, user_id, role) SELECT id, $1, 'owner' FROM organizations WHERE slug = 'default'", id); err != nil {
		t.Fatal(err)
	}
	ours := reeve.Project(t, "ours", nil)
	keys, signing := ids(t, reeve, ours.Ref)
	developer(t, ours, "user@example.com")
	stranger := ours.SignIn(t, "user@example.com", "correct horse battery")

	for _, path := range []string{"/v1/profile", "/v1/organizations/default", "/v1/projects/" + ours.Ref} {
		reeve.Do(t, http.MethodGet, path, nil, fromPage("Cookie", access)...).Expect(t, 200)
	}
	made := reeve.Do(t, http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "CI"}, fromPage("Cookie", access)...).Expect(t, 201).JSON(t)

	before := controlFingerprint(t, reeve)
	form := "application/x-www-form-urlencoded"
	for _, op := range operations(t, reeve) {
		id := keys
		if strings.Contains(op.path, "signing-keys") {
			id = signing
		}
		path := op.at("default", ours.Ref, id)
		for name, headers := range map[string][]string{
			"a form of another site":            {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Content-Type", form},
			"a form of another site, older":     {"Origin", "https://evil.example", "Content-Type", form},
			"a script of another site":          {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
			"a page of a project's host":        {"Sec-Fetch-Site", "same-site", "Origin", "http://" + ours.Ref + ".reeve.test"},
			"a page of a project's host, older": {"Origin", "http://" + ours.Ref + ".reeve.test"},
			"a sandboxed page":                  {"Sec-Fetch-Site", "cross-site", "Origin", "null"},
			"a sandboxed page, older":           {"Origin", "null"},
			"another port":                      {"Sec-Fetch-Site", "same-site", "Origin", "http://reeve.test:3000"},
		} {
			got := reeve.Do(t, op.method, path, sound[op.id].body, append([]string{"Host", "reeve.test", "Cookie", access}, headers...)...)
			if refusedAs(got) != "403 cross_origin_request" || got.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s from %s: %d %s", op.id, name, got.Status, got.Body)
			}
		}
		if op.method != http.MethodGet {
			wantCode(t, reeve.Do(t, op.method, path, sound[op.id].body, "Host", "reeve.test", "Cookie", access), "403 cross_origin_request")
		}
		for name, headers := range map[string][]string{
			"on a project's host":          {"Host", ours.Ref + ".localhost", "Sec-Fetch-Site", "same-origin", "Cookie", access},
			"beside a wrong bearer":        fromPage("Cookie", access, "Authorization", "Bearer x"),
			"beside another scheme":        fromPage("Cookie", access, "Authorization", "Basic eDp5"),
			"beside an empty header":       fromPage("Cookie", access, "Authorization", ""),
			"an access token as a cookie":  fromPage("Cookie", cookieName(access)+"="+reeve.Token),
			"the refresh token as access":  fromPage("Cookie", cookieName(access)+"="+s.RefreshToken),
			"the cookie of another server": fromPage("Cookie", "__Host-"+access),
			"a user of another project":    fromPage("Cookie", cookieName(access)+"="+stranger.AccessToken),
		} {
			if got := reeve.Do(t, op.method, path, sound[op.id].body, headers...); got.Status != 401 {
				t.Errorf("%s, %s: %d %s", op.id, name, got.Status, got.Body)
			}
		}
		preflight := reeve.Do(t, http.MethodOptions, path, nil, "Host", "reeve.test", "Origin", "https://evil.example", "Access-Control-Request-Method", op.method)
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers"} {
			if got := preflight.Header.Get(name); got != "" {
				t.Errorf("%s: %s is %s", op.id, name, got)
			}
		}
	}
	controlFingerprint(t, reeve).Same(t, before, "control database")

	// A bearer token wins: here it is an access token, which makes none.
	wantCode(t, reeve.Do(t, http.MethodPost, "/v1/profile/access-tokens", map[string]any{"name": "x"}, fromPage("Cookie", access, "Authorization", "Bearer "+made["token"].(string))...), "403 session_required")

	// The tenant plane reads no cookie, whatever the address.
	for _, host := range []string{"reeve.test", p.Ref + ".localhost"} {
		for _, path := range []string{p.Auth("/user"), "/auth/v1/user"} {
			got := reeve.Do(t, http.MethodGet, path, nil, "Host", host, "apikey", p.PublishableKey, "Cookie", both)
			if got.Status != 401 || got.Code(t) != "no_authorization" {
				t.Errorf("%s at %s: %d %s", path, host, got.Status, got.Body)
			}
		}
	}

	// The session's own routes are on the main host, for its own pages.
	for _, route := range dashboardRoutes {
		path := "/dashboard/session" + route[1]
		body := any(nil)
		if route[0] == http.MethodPost && route[1] == "" {
			body = map[string]any{"access_token": s.AccessToken, "refresh_token": s.RefreshToken}
		}
		if route[1] == "/factor" {
			body = map[string]any{"factor_id": "00000000-0000-4000-8000-000000000000", "code": "123456"}
		}
		wantCode(t, reeve.Do(t, route[0], path, body, "Host", "reeve.test", "Cookie", both, "Sec-Fetch-Site", "cross-site"), "403 cross_origin_request")
		wantCode(t, reeve.Do(t, route[0], path, body, "Host", "reeve.test", "Cookie", both, "Origin", "http://"+ours.Ref+".reeve.test"), "403 cross_origin_request")
		wantCode(t, reeve.Do(t, route[0], path, body, "Host", ours.Ref+".localhost", "Cookie", both, "Sec-Fetch-Site", "same-origin"), "404 not_found")
		wantCode(t, reeve.Do(t, route[0], path, body, fromPage("Cookie", both, "Authorization", "Bearer "+s.AccessToken)...), "400 validation_failed")
	}

	shown := reeve.Do(t, http.MethodGet, "/dashboard/session", nil, fromPage("Cookie", both)...).Expect(t, 200)
	refreshed := reeve.Do(t, http.MethodPost, "/dashboard/session/refresh", nil, fromPage("Cookie", both)...).Expect(t, 200)
	reeve.Do(t, http.MethodDelete, "/dashboard/session", nil, fromPage("Cookie", both)...).Expect(t, 204)
	reeve.Do(t, http.MethodGet, "/v1/profile", nil, fromPage("Cookie", access)...).Expect(t, 401)
	reeve.Do(t, http.MethodGet, "/v1/profile", nil, "Authorization", "Bearer "+s.AccessToken).Expect(t, 401)
	reeve.Do(t, http.MethodGet, "/v1/profile", nil, "Authorization", "Bearer "+made["token"].(string)).Expect(t, 200)

	secrets := []string{s.AccessToken, s.RefreshToken, strings.SplitN(access, "=", 2)[1]}
	for _, set := range refreshed.Header.Values("Set-Cookie") {
		_, value, _ := strings.Cut(strings.SplitN(set, ";", 2)[0], "=")
		secrets = append(secrets, value)
	}
	texts := map[string]string{"the log": log.String(), "an answer": string(shown.Body) + string(refreshed.Body)}
	for where, text := range texts {
		for _, secret := range secrets {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("%s has %q", where, secret)
			}
		}
	}
	if !strings.Contains(texts["the log"], "/dashboard/session/refresh") {
		t.Error("the log says nothing of these requests")
	}
}

func cookieName(header string) string {
	name, _, _ := strings.Cut(header, "=")
	return name
}

// refusedAs is the status and code of a refusal of the Management API.
func refusedAs(a *servertest.Answer) string {
	var body struct{ Code string }
	_ = json.Unmarshal(a.Body, &body) // no code then
	return fmt.Sprintf("%d %s", a.Status, body.Code)
}

func wantCode(t *testing.T, a *servertest.Answer, want string) {
	t.Helper()
	if got := refusedAs(a); got != want {
		t.Errorf("%s: %s, want %s: %s", a.Request, got, want, a.Body)
	}
}

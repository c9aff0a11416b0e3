package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
)

// directoryErrors is a different shape from the auth API's: that of RFC 7644,
// section 3.12.
func directoryErrors(w http.ResponseWriter, _ *http.Request, e Refusal) {
	w.Header().Set("Content-Type", "application/scim+json")
	WriteErrorJSON(w, e.Status, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": fmt.Sprint(e.Status), "detail": e.Fault.Message,
	})
}

// TestErrorsOfAGroup: every refusal inside a group of routes has the group's
// shape, and none outside has it.
func TestErrorsOfAGroup(t *testing.T) {
	t.Parallel()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.NoRoute(NotFound)
	engine.NoMethod(MethodNotAllowed)
	engine.Use(Common{Logger: slog.New(slog.DiscardHandler), Errors: Errors{
		{Path: "/auth/v1", Write: AuthErrors}, {Path: "/auth/v1/scim", Write: directoryErrors},
	}}.Handler(), CORS())
	for _, at := range []string{"/auth/v1", "/p/:ref/auth/v1"} {
		group := engine.Group(at, as("a", "192.0.2.1"))
		routes := NewRoutes(group, group, group, nil, Limits{Limiter: ratelimit.New(ratelimit.Options{})}, nil)
		for _, under := range []string{"/scim", "/other"} {
			routes.Keyed.POST(under+"/refused", Tenant(200, func(context.Context, *tenants.Scope, *None) (None, error) { return None{}, auth.ErrUserNotFound }))
			routes.Keyed.POST(under+"/broken", Tenant(200, func(context.Context, *tenants.Scope, *None) (None, error) { return None{}, fmt.Errorf("secret") }))
			routes.Keyed.POST(under+"/panic", Tenant(200, func(context.Context, *tenants.Scope, *None) (None, error) { panic("secret") }))
			routes.Keyed.POST(under+"/body", Tenant(200, func(context.Context, *tenants.Scope, *form) (None, error) { return None{}, nil }))
			routes.Keyed.With(func(*tenants.Config) ratelimit.Rule { return ratelimit.Rule{Name: at + under} }).
				POST(under+"/limited", Tenant(200, func(context.Context, *tenants.Scope, *None) (None, error) { return None{}, nil }))
			routes.User.POST(under+"/user", User(200, func(context.Context, *tenants.Scope, *auth.Principal, *None) (None, error) { return None{}, nil }))
		}
	}
	for name, c := range map[string]struct {
		method, path, body string
		headers            int
		status             int
	}{
		"handler":           {"POST", "/refused", "", 0, 404},
		"unclassified":      {"POST", "/broken", "", 0, 500},
		"panic":             {"POST", "/panic", "", 0, 500},
		"body too large":    {"POST", "/body", strings.Repeat(" ", MaxBody+1), 0, 413},
		"bad body":          {"POST", "/body", "{", 0, 400},
		"over the limit":    {"POST", "/limited", "", 0, 429},
		"no token":          {"POST", "/user", "", 0, 401},
		"no such path":      {"GET", "/nosuch", "", 0, 404},
		"no such method":    {"DELETE", "/body", "", 0, 405},
		"headers too large": {"POST", "/body", "{}", MaxHeaders, 431},
		"the group itself":  {"GET", "", "", 0, 404},
	} {
		for _, at := range []string{"/auth/v1", "/p/abcdefghijklmnopqrst/auth/v1"} {
			for under, shape := range map[string]string{"/scim": `"schemas"`, "/other": `"error_code"`, "/scimitar": `"error_code"`} {
				r := httptest.NewRequest(c.method, at+under+c.path, strings.NewReader(c.body))
				r.Header.Set("X-Filler", strings.Repeat("a", c.headers))
				rec := httptest.NewRecorder()
				engine.ServeHTTP(rec, r)
				if under != "/scimitar" && rec.Code != c.status {
					t.Errorf("%s at %s%s: %d %s", name, at, under, rec.Code, rec.Body)
				}
				if !strings.Contains(rec.Body.String(), shape) || strings.Contains(rec.Body.String(), "secret") {
					t.Errorf("%s at %s%s: %s, want %s", name, at, under, rec.Body, shape)
				}
				if ct := rec.Header().Get("Content-Type"); (ct == "application/scim+json") != (under == "/scim") {
					t.Errorf("%s at %s%s: %s", name, at, under, ct)
				}
			}
		}
	}
}

func TestErrorsAt(t *testing.T) {
	t.Parallel()
	shape := func(name string) ErrorWriter {
		return func(w http.ResponseWriter, _ *http.Request, _ Refusal) { _, _ = w.Write([]byte(name)) }
	}
	errors := Errors{{"/", shape("root")}, {"/auth/v1", shape("auth")}, {"/v1", shape("v1")}, {"/p", shape("p")}, {"/auth/v1/scim/v2", shape("scim")}}
	for path, want := range map[string]string{
		"/": "root", "": "root", "/x": "root", "/v1": "v1", "/v1/projects": "v1", "/v11": "root", "/auth": "root", "/auth/v1": "auth", "/auth/v1/": "auth",
		"/auth/v1/scim": "auth", "/auth/v1/scim/v2": "scim", "/auth/v1/scim/v2/Users": "scim", "/p": "p", "/p/": "p", "/p/x": "p", "/p/x/": "p",
		"/p/x/auth/v1/user": "auth", "/p/x/auth/v1/scim/v2/Users": "scim", "/p/x/v1/projects": "v1", "/px/auth/v1": "root",
	} {
		rec := httptest.NewRecorder()
		errors.at(path)(rec, nil, Refusal{})
		if rec.Body.String() != want {
			t.Errorf("%q: %s, want %s", path, rec.Body, want)
		}
	}
}

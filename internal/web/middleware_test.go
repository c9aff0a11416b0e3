package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/tenants"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	preflight := httptest.NewRequest(http.MethodOptions, "/p/abcdefghijklmnopqrst/auth/v1/token", nil)
	preflight.Header.Set("Origin", "https://app.example.com")
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	preflight.Header.Set("Access-Control-Request-Headers", "apikey,authorization,sentry-trace,x-of-the-app")
	rec, _ := serveOne(preflight, func(*gin.Context) { t.Error("a preflight reaches a handler") })
	h := rec.Header()
	if rec.Code != http.StatusNoContent || rec.Body.Len() != 0 || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("preflight: %d %v", rec.Code, h)
	}
	if got := h.Get("Access-Control-Allow-Headers"); got != "apikey,authorization,sentry-trace,x-of-the-app" {
		t.Errorf("allowed headers %q", got)
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		if !strings.Contains(h.Get("Access-Control-Allow-Methods"), method) {
			t.Errorf("method %s is not allowed", method)
		}
	}
	// Errors too: an app must be able to read them.
	for _, handler := range []gin.HandlerFunc{func(c *gin.Context) { c.Status(http.StatusOK) }, failing(errors.New("x"))} {
		rec, _ = serveOne(post(), handler)
		if rec.Header().Get("Access-Control-Allow-Origin") != "*" || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", rec.Code, rec.Header())
		}
	}
	// The Management API and the dashboard allow only their own origin.
	for _, path := range []string{"/v1/projects", "/", "/authx", "/px", "/healthz"} {
		rec, _ = serveOne(httptest.NewRequest(http.MethodOptions, path, nil), failing(nil))
		if got := rec.Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s is open to %q", path, got)
		}
	}
}

func TestCommon(t *testing.T) {
	t.Parallel()
	r := post()
	r.Header.Set("X-Request-Id", "chosen by the client")
	rec, log := serveOne(r, func(c *gin.Context) {
		deadline, ok := c.Request.Context().Deadline()
		if !ok || time.Until(deadline) > RequestTimeout {
			t.Errorf("the request may last until %v, %v", deadline, ok)
		}
		c.Status(http.StatusTeapot)
	})
	id := rec.Header().Get("X-Request-Id")
	if len(id) < 20 || id == "chosen by the client" || rec.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", rec.Header())
	}
	for _, part := range []string{"request_id=" + id, "method=POST", "route=/auth/v1/thing", "status=418"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %s: %s", part, log)
		}
	}
	if rec, _ := serveOne(post(), func(*gin.Context) {}); rec.Header().Get("X-Request-Id") == id {
		t.Error("two requests have one id")
	}
}

// A request without a route is logged with its path, clipped and without query.
func TestAccessLogOfUnknownPath(t *testing.T) {
	t.Parallel()
	long := "/" + strings.Repeat("a", maxLoggedPath-1)
	cases := map[string]struct{ method, target, want string }{
		"unknown path":   {http.MethodGet, "/wp-login.php?token=hidden", "path=/wp-login.php status=404"},
		"unknown method": {http.MethodGet, "/auth/v1/thing?token=hidden", "path=/auth/v1/thing status=405"},
		"long":           {http.MethodGet, long + "hidden", "path=" + long + " status=404"},
		"line break":     {http.MethodGet, "/a%0Ab", `path="/a\nb" status=404`},
		"not UTF-8":      {http.MethodGet, "/a%FFb", "path=/ab status=404"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, log := serveOne(httptest.NewRequest(tc.method, tc.target, nil), func(*gin.Context) {})
			if !strings.Contains(log, tc.want) || strings.Contains(log, "hidden") || strings.Contains(log, "route=") {
				t.Errorf("logged %s", log)
			}
		})
	}
}

func TestLoggedFaultNamesItsRoute(t *testing.T) {
	t.Parallel()
	_, log := serveOne(post(), failing(errors.New("broken")))
	failed, _, _ := strings.Cut(log, "\n")
	if !strings.Contains(failed, "request failed") || !strings.Contains(failed, "route=/auth/v1/thing") || strings.Contains(failed, "path=") {
		t.Errorf("logged %s", log)
	}
}

func TestForwardedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header string
		role   tenants.Role
		on     bool
		want   string // "" = not honoured
	}{
		"secret key":      {"198.51.100.7", tenants.RoleService, true, "198.51.100.7"},
		"IPv6":            {"2001:db8::7", tenants.RoleService, true, "2001:db8::7"},
		"mapped":          {"::ffff:198.51.100.7", tenants.RoleService, true, "198.51.100.7"},
		"zone":            {"fe80::1%eth0", tenants.RoleService, true, "fe80::1"},
		"publishable key": {"198.51.100.7", tenants.RoleAnon, true, ""},
		"no key":          {"198.51.100.7", "", true, ""},
		"switched off":    {"198.51.100.7", tenants.RoleService, false, ""},
		"no header":       {"", tenants.RoleService, true, ""},
		"list":            {"198.51.100.7, 198.51.100.8", tenants.RoleService, true, ""},
		"port":            {"198.51.100.7:80", tenants.RoleService, true, ""},
		"garbage":         {"localhost", tenants.RoleService, true, ""},
		"octal":           {"0198.51.100.7", tenants.RoleService, true, ""},
	} {
		r := post()
		r.Header.Set("Sb-Forwarded-For", c.header)
		sc := &tenants.Scope{Tenant: &tenants.Tenant{}, Credentials: tenants.Credentials{Role: c.role}}
		sc.Tenant.Config.SBForwardedFor = c.on
		got, ok := forwardedFor(r, sc)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "curl/8": "curl/8", "caf\xe9": "caf", "é": "é", strings.Repeat("a", 600): strings.Repeat("a", 512), "a" + strings.Repeat("é", 300): "a" + strings.Repeat("é", 255),
	} {
		r := post()
		r.Header.Set("User-Agent", in)
		if got := UserAgent(r); got != want || !utf8.ValidString(got) {
			t.Errorf("%.20q: %d bytes %.20q", in, len(got), got)
		}
	}
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/?apikey=query", nil)
	if got := apiKey(r); got != "query" {
		t.Errorf("key %q", got)
	}
	r.Header.Set("apikey", "header")
	if got := apiKey(r); got != "header" {
		t.Errorf("key %q", got)
	}
}

// as gives requests the scope of a project and a client address.
func as(ref tenants.Ref, ip string) gin.HandlerFunc {
	return WithScope(func(*http.Request) (*tenants.Scope, error) {
		sc := &tenants.Scope{Tenant: &tenants.Tenant{Ref: ref}, ClientIP: netip.MustParseAddr(ip)}
		sc.Tenant.Config.RateLimitVerify = 3
		return sc, nil
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	limits := Limits{Limiter: ratelimit.New(ratelimit.Options{Now: func() time.Time { return now }})}
	verify := limits.ByAddress(LimitVerify)
	otp := limits.ByAddress(func(c *tenants.Config) ratelimit.Rule { return ratelimit.OTP(c.RateLimitVerify) })
	reached := 0
	try := func(ref tenants.Ref, ip string, limit gin.HandlerFunc) *httptest.ResponseRecorder {
		rec, _ := serveOne(post(), as(ref, ip), limit, func(*gin.Context) { reached++ })
		return rec
	}
	for i := range 10 {
		want := http.StatusOK
		if i >= 3 {
			want = http.StatusTooManyRequests
		}
		rec := try("a", "192.0.2.1", verify)
		if rec.Code != want {
			t.Fatalf("request %d: %d %s", i+1, rec.Code, rec.Body)
		}
		if want == http.StatusTooManyRequests && (!strings.Contains(rec.Body.String(), `"over_request_rate_limit"`) || rec.Header().Get("Retry-After") == "") {
			t.Errorf("%v %s", rec.Header(), rec.Body)
		}
	}
	if reached != 3 {
		t.Errorf("%d requests passed", reached)
	}
	for name, rec := range map[string]*httptest.ResponseRecorder{
		"another project": try("b", "192.0.2.1", verify), "another address": try("a", "192.0.2.2", verify), "another rule": try("a", "192.0.2.1", otp),
	} {
		if rec.Code != http.StatusOK {
			t.Errorf("%s is refused, too: %d", name, rec.Code)
		}
	}
	now = now.Add(5 * time.Minute)
	if rec := try("a", "192.0.2.1", verify); rec.Code != http.StatusOK {
		t.Errorf("after the time: %d", rec.Code)
	}
}

type answer struct {
	Query string `json:"query"`
}

// SetHeaders implements HeaderSetter.
func (answer) SetHeaders(h http.Header) { h.Set("X-Total-Count", "7") }

// query is a request of its query string only.
type query struct{ text, param string }

// BindQuery implements QueryBinder.
func (q *query) BindQuery(values url.Values, param func(string) string) error {
	q.text, q.param = values.Get("q"), param("none")
	return nil
}

func TestTenant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler Endpoint
		status  int
		body    string
		header  [2]string
	}{
		"JSON": {
			Tenant(http.StatusCreated, func(_ context.Context, _ *tenants.Scope, q *query) (answer, error) { return answer{Query: q.text}, nil }),
			201, `{"query":"x"}`,
			[2]string{"X-Total-Count", "7"},
		},
		"redirect": {
			Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *None) (any, error) {
				return Redirect{Location: "https://a.com/#x"}, nil
			}),
			303, "",
			[2]string{"Location", "https://a.com/#x"},
		},
		"redirect tells no referrer": {
			Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *None) (*Redirect, error) { return &Redirect{Location: "/"}, nil }),
			303, "",
			[2]string{"Referrer-Policy", "no-referrer"},
		},
		"no content": {Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *None) (NoContent, error) { return NoContent{}, nil }), 204, "", [2]string{}},
		"raw": {
			Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *None) (Raw, error) {
				return Raw{ContentType: "text/xml", Body: []byte("<a/>")}, nil
			}),
			200, "<a/>",
			[2]string{"Content-Type", "text/xml"},
		},
		"error": {
			Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *None) (answer, error) { return answer{}, tenants.ErrPaused }),
			503, `{"code":503,"error_code":"project_paused","msg":"Project is paused"}`,
			[2]string{"Retry-After", "60"},
		},
	} {
		rec, _ := serveOne(httptest.NewRequest(http.MethodPost, "/auth/v1/thing?q=x", nil), as("a", "192.0.2.1"), gin.HandlerFunc(c.handler))
		if rec.Code != c.status || rec.Body.String() != c.body {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		if c.header[0] != "" && rec.Header().Get(c.header[0]) != c.header[1] {
			t.Errorf("%s: headers %v", name, rec.Header())
		}
	}
	rec, _ := serveOne(post(), WithScope(func(*http.Request) (*tenants.Scope, error) { return nil, tenants.ErrNoKey }), func(*gin.Context) { t.Error("reached without a scope") })
	if rec.Code != 401 || !strings.Contains(rec.Body.String(), "no_api_key") {
		t.Errorf("without a scope: %d %s", rec.Code, rec.Body)
	}
}

// TestCallersBeforeBodies: an unauthorized caller is refused before the body is
// read.
func TestCallersBeforeBodies(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]gin.HandlerFunc{"user": requireUser(nil, nil), "admin": requireAdmin(nil, tenants.ScopeUsersRead)} {
		body := &countingReader{Reader: strings.NewReader("{")}
		rec, _ := serveOne(httptest.NewRequest(http.MethodPost, "/auth/v1/thing", body), as("a", "192.0.2.1"), handler,
			gin.HandlerFunc(Tenant(http.StatusOK, func(context.Context, *tenants.Scope, *form) (None, error) { return None{}, nil })))
		if rec.Code != http.StatusUnauthorized || body.n != 0 {
			t.Errorf("%s: %d %s, %d bytes read", name, rec.Code, rec.Body, body.n)
		}
	}
}

type countingReader struct {
	io.Reader
	n int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

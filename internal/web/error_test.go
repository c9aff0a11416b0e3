package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

// serveOne answers one request by the handlers, behind Common, and returns the
// log.
func serveOne(r *http.Request, handlers ...gin.HandlerFunc) (*httptest.ResponseRecorder, string) {
	var log bytes.Buffer
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.NoRoute(NotFound)
	engine.NoMethod(MethodNotAllowed)
	engine.Use(Common{Logger: slog.New(slog.NewTextHandler(&log, nil)), AccessLog: true}.Handler(), CORS())
	engine.POST("/auth/v1/thing", handlers...)
	rec := httptest.NewRecorder()
	engine.ServeHTTP(rec, r)
	return rec, log.String()
}

func post() *http.Request { return httptest.NewRequest(http.MethodPost, "/auth/v1/thing", nil) }

func failing(err error) gin.HandlerFunc { return func(c *gin.Context) { writeError(c, err) } }

func TestErrorShape(t *testing.T) {
	t.Parallel()
	old := `{"code":422,"error_code":"weak_password","msg":"Too weak","weak_password":{"reasons":["length"]}}`
	dated := `{"code":"weak_password","message":"Too weak","weak_password":{"reasons":["length"]}}`
	weak := fault.New(fault.Unprocessable, "weak_password", "Too weak").With("weak_password", map[string]any{"reasons": []string{"length"}})
	for version, want := range map[string]string{"": old, "2023-12-31": old, "2024-01-01": dated, "2030-05-01": dated, "x": old, "3": old, "2024-1-1": old, "9999": old} {
		r := post()
		if version != "" {
			r.Header.Set("X-Supabase-Api-Version", version)
		}
		rec, _ := serveOne(r, failing(fmt.Errorf("sign up: %w", weak)))
		if rec.Code != http.StatusUnprocessableEntity || rec.Body.String() != want {
			t.Errorf("version %q: %d %s", version, rec.Code, rec.Body)
		}
		if got := rec.Header().Get("X-Sb-Error-Code"); got != "weak_password" {
			t.Errorf("version %q: X-Sb-Error-Code %q", version, got)
		}
		echo := ""
		if want == dated {
			echo = "2024-01-01"
		}
		if got := rec.Header().Get("X-Supabase-Api-Version"); got != echo {
			t.Errorf("version %q: answered as %q", version, got)
		}
		if ct := rec.Header().Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
			t.Errorf("content type %q", ct)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.MethodNotAllowed: 405,
		fault.Conflict: 409, fault.TooLarge: 413, fault.UnsupportedMedia: 415, fault.Unprocessable: 422, fault.TooMany: 429, fault.Unavailable: 503, 200: 500,
	} {
		if got := Status(kind); got != want {
			t.Errorf("kind %d: %d, want %d", kind, got, want)
		}
	}
}

// Retry-After is in whole seconds and never so early that the next attempt
// would be refused as well.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{
		0: "", -time.Second: "", 1: "1", time.Millisecond: "1", time.Second: "1", time.Second + 1: "2", 1500 * time.Millisecond: "2", time.Minute: "60", time.Hour - 1: "3600",
	} {
		rec, _ := serveOne(post(), failing(auth.ErrRequestRate.After(after)))
		if got := rec.Header().Get("Retry-After"); got != want || rec.Code != 429 {
			t.Errorf("after %v: %q, %d, want %q", after, got, rec.Code, want)
		}
	}
}

// An unclassified error is logged once and not shown.
func TestInternalError(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"unclassified": errors.New("top secret"), "trigger": auth.ErrTriggerFailed.Because(errors.New("top secret")),
		"internal with details": fault.New(fault.Internal, "secret_code", "secret words").With("secret", 1).Because(errors.New("top secret")),
	} {
		rec, log := serveOne(post(), failing(err))
		want := `{"code":500,"error_code":"unexpected_failure","msg":"Unexpected failure; the log tells the cause under this answer's X-Request-Id"}`
		if rec.Code != 500 || rec.Body.String() != want {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
		id := rec.Header().Get("X-Request-Id")
		if id == "" || strings.Count(log, "top secret") != 1 || !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "request_id="+id) {
			t.Errorf("%s: log %s", name, log)
		}
	}
	if _, log := serveOne(post(), failing(auth.ErrCredentials.Because(errors.New("top secret")))); strings.Contains(log, "top secret") {
		t.Errorf("a refusal is logged: %s", log)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	rec, log := serveOne(post(), failing(fmt.Errorf("hash: %w", context.DeadlineExceeded)))
	if rec.Code != 503 || rec.Header().Get("Retry-After") != "1" || !strings.Contains(rec.Body.String(), "request_timeout") || !strings.Contains(log, "level=WARN") {
		t.Errorf("over time: %d %s, log %s", rec.Code, rec.Body, log)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rec, log = serveOne(post().WithContext(ctx), failing(fmt.Errorf("read: %w", context.Canceled)))
	if rec.Body.Len() != 0 || !strings.Contains(log, "status=499") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the client is gone: %d %s, log %s", rec.Code, rec.Body, log)
	}
	// An inner context was cancelled, not the request's.
	if rec, _ = serveOne(post(), failing(context.Canceled)); rec.Code != 500 {
		t.Errorf("cancelled within: %d", rec.Code)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	rec, log := serveOne(post(), func(*gin.Context) { panic("top secret") })
	var got map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"code": 500.0, "error_code": "unexpected_failure", "msg": "Unexpected failure; the log tells the cause under this answer's X-Request-Id"}
	if diff := cmp.Diff(want, got); rec.Code != 500 || diff != "" {
		t.Errorf("%d %s", rec.Code, diff)
	}
	if !strings.Contains(log, "top secret") || !strings.Contains(log, "error_test.go") {
		t.Errorf("the log has neither cause nor stack: %s", log)
	}
	rec, _ = serveOne(post(), func(c *gin.Context) {
		c.String(http.StatusOK, "half")
		panic("after the answer began")
	})
	if rec.Body.String() != "half" {
		t.Errorf("something is written behind the answer: %s", rec.Body)
	}
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // the sentinel itself
			t.Error("the server does not learn that the connection is to be cut")
		}
	}()
	serveOne(post(), func(*gin.Context) { panic(http.ErrAbortHandler) })
}

func TestNoRoute(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"POST /auth/v1/nothing": `{"code":404,"error_code":"not_found","msg":"There is no such endpoint"}`,
		"PUT /auth/v1/thing":    `{"code":405,"error_code":"method_not_allowed","msg":"This endpoint does not support the method"}`,
	} {
		method, path, _ := strings.Cut(target, " ")
		if rec, _ := serveOne(httptest.NewRequest(method, path, nil), failing(nil)); rec.Body.String() != want {
			t.Errorf("%s: %s", target, rec.Body)
		}
	}
}

package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

const (
	requestIDKey = "reeve.request_id"
	loggerKey    = "reeve.logger"
	scopeKey     = "reeve.scope"
	principalKey = "reeve.principal"
	errorsKey    = "reeve.errors"
	largeKey     = "reeve.large"

	projectLogKey = "reeve.project_log"
	bodyKey       = "reeve.body" // as it was read
	usageKey      = "reeve.usage"
)

// The time limits of requests: of the tenant plane, and of all others,
// including the creation of a project, which waits for its database (20 s).
const (
	RequestTimeout = 10 * time.Second
	ControlTimeout = 25 * time.Second
)

// Common is the middleware of every request on every plane: an id, a logger, a
// time limit, and recovery from panics.
type Common struct {
	Logger *slog.Logger
	// AccessLog writes a line for every request.
	AccessLog bool
	// Errors are the shapes of errors by path.
	Errors Errors
}

// Handler is the middleware.
func (m Common) Handler() gin.HandlerFunc {
	large := &largeAnswers{of: map[tenants.Ref]int{}}
	return func(c *gin.Context) {
		id := rand.Text()
		c.Set(requestIDKey, id)
		c.Set(loggerKey, m.Logger)
		c.Set(largeKey, large)
		c.Set(errorsKey, &m.Errors)
		h := c.Writer.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		limit := ControlTimeout
		if TenantPath(c.Request.URL.Path) {
			limit = RequestTimeout
		}
		connection := c.Request.Context()
		ctx, cancel := context.WithTimeout(context.WithValue(connection, connectionKey{}, connection), limit)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		defer m.recover(c)
		if headerBytes(c.Request) > MaxHeaders {
			writeError(c, errHeaders)
			return
		}
		if !m.AccessLog {
			c.Next()
			return
		}
		start := time.Now()
		c.Next()
		m.Logger.Info("request", "request_id", id, "method", c.Request.Method, routeOrPath(c),
			"status", c.Writer.Status(), "duration", time.Since(start), "project", refOf(c.Keys[scopeKey]))
	}
}

type connectionKey struct{}

// Unlimited returns a context with the values of a request's, which ends with its
// connection and not after the time limit of requests. stop must be called.
func Unlimited(ctx context.Context) (unlimited context.Context, stop func()) {
	connection, ok := ctx.Value(connectionKey{}).(context.Context)
	if !ok {
		return context.WithCancel(ctx)
	}
	unlimited, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := context.AfterFunc(connection, cancel)
	return unlimited, func() {
		ended()
		cancel()
	}
}

// maxLoggedPath bounds the path of a request in the log, in bytes.
const maxLoggedPath = 200

// routeOrPath is the request's route for the log, or its path if no route
// matches. The path has no query, which may hold tokens.
func routeOrPath(c *gin.Context) slog.Attr {
	if route := c.FullPath(); route != "" {
		return slog.String("route", route)
	}
	return slog.String("path", strings.ToValidUTF8(cut(c.Request.URL.Path, maxLoggedPath), ""))
}

// MaxHeaders bounds a request's target and headers, in bytes; the longest
// access token fits.
const MaxHeaders = 64 << 10

var errHeaders = fault.New(fault.HeadersTooLarge, "validation_failed", "The request's headers are larger than 64 KB")

// headerBytes is the size of a request without its body. The server has a bound
// too, much higher, but answers without a code.
func headerBytes(r *http.Request) int {
	n := len(r.URL.Path) + len(r.URL.RawQuery) + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}

// recover answers 500 for a panic, with the stack in the log only.
func (m Common) recover(c *gin.Context) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { //nolint:errorlint // the sentinel itself
		panic(cause)
	}
	m.Logger.Error("panic", "request_id", requestID(c), routeOrPath(c), "cause", cause, "stack", string(debug.Stack()))
	logToProject(c, errUnexpected)
	countRefusal(c, errUnexpected)
	if !c.Writer.Written() {
		refuse(c, errUnexpected)
	}
}

func requestID(c *gin.Context) string { return c.GetString(requestIDKey) }

func logger(c *gin.Context) *slog.Logger {
	if l, ok := c.Get(loggerKey); ok {
		return l.(*slog.Logger)
	}
	return slog.Default()
}

// CORS allows browser apps of any origin to call the tenant plane: keys and
// tokens in headers protect it, never cookies. It must be on the engine, so
// that it answers preflights, which have no route.
func CORS() gin.HandlerFunc {
	return func(c *gin.Context) {
		if !TenantPath(c.Request.URL.Path) {
			return
		}
		h := c.Writer.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "X-Total-Count, Link, X-Supabase-Api-Version, X-Sb-Error-Code, X-Request-Id, Retry-After")
		if c.Request.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
			allowHeaders(h, c.GetHeader("Access-Control-Request-Headers"))
			h.Set("Access-Control-Max-Age", "86400")
			c.AbortWithStatus(http.StatusNoContent)
			return
		}
		h.Set("Cache-Control", "no-store")
		c.Next()
	}
}

// allowHeaders allows all requested headers: apps and tracing tools add their
// own to every request of the SDKs. The answer lists them, because a wildcard
// excludes Authorization (Fetch, section 3.2.4).
func allowHeaders(h http.Header, asked string) {
	h.Add("Vary", "Access-Control-Request-Headers")
	if asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
}

// TenantPath reports whether a path belongs to the tenant plane.
func TenantPath(path string) bool {
	return strings.HasPrefix(path, "/auth/") || strings.HasPrefix(path, "/p/")
}

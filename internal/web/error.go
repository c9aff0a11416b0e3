package web

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// apiVersionHeader selects one of the two shapes of an error answer;
// errorCodeHeader has the code in both.
const (
	apiVersionHeader = "X-Supabase-Api-Version"
	errorCodeHeader  = "X-Sb-Error-Code"
	apiVersion2024   = "2024-01-01"
)

var statuses = map[fault.Kind]int{
	fault.Internal:         http.StatusInternalServerError,
	fault.Invalid:          http.StatusBadRequest,
	fault.Unauthorized:     http.StatusUnauthorized,
	fault.Forbidden:        http.StatusForbidden,
	fault.NotFound:         http.StatusNotFound,
	fault.MethodNotAllowed: http.StatusMethodNotAllowed,
	fault.Conflict:         http.StatusConflict,
	fault.TooLarge:         http.StatusRequestEntityTooLarge,
	fault.UnsupportedMedia: http.StatusUnsupportedMediaType,
	fault.Unprocessable:    http.StatusUnprocessableEntity,
	fault.TooMany:          http.StatusTooManyRequests,
	fault.HeadersTooLarge:  http.StatusRequestHeaderFieldsTooLarge,
	fault.Unavailable:      http.StatusServiceUnavailable,
}

// Status is the HTTP status of a kind of fault.
func Status(k fault.Kind) int {
	if s, ok := statuses[k]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// statusOf is the HTTP status of a fault.
func statusOf(f *fault.Error) int {
	if f.Status != 0 {
		return f.Status
	}
	return Status(f.Kind)
}

// writeError writes err in the shape of the path, and ends the request. It logs
// an Internal fault, once, and does not show its cause.
func writeError(c *gin.Context, err error) {
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		c.Status(499) // the client is gone; the status is for the access log
		c.Abort()
		return
	}
	f := fault.From(err)
	if f.Kind == fault.Internal && errors.Is(err, context.DeadlineExceeded) {
		f = auth.ErrTimeout.Because(err).After(time.Second)
	}
	logError(c, f)
	if f.Kind == fault.Internal {
		f = errUnexpected
	}
	refuse(c, f)
}

var errUnexpected = fault.New(fault.Internal, "unexpected_failure",
	"Unexpected failure; the log tells the cause under this answer's X-Request-Id")

// logError logs an error for the operator and for the project's developers, and
// counts it.
func logError(c *gin.Context, f *fault.Error) {
	logFault(c, f, statusOf(f))
	logToProject(c, f)
	countRefusal(c, f)
}

// refuse writes f as it is.
func refuse(c *gin.Context, f *fault.Error) {
	if f.RetryAfter > 0 {
		c.Header("Retry-After", seconds(f.RetryAfter))
	}
	c.Abort()
	write := ErrorWriter(AuthErrors)
	if shapes, ok := c.Get(errorsKey); ok {
		write = shapes.(*Errors).at(c.Request.URL.Path)
	}
	write(c.Writer, c.Request, Refusal{Status: statusOf(f), Fault: f, RequestID: requestID(c)})
}

// wantsDated reports whether the client requested a version of 2024 or later; a
// malformed date counts as no version, as in the reference.
func wantsDated(version string) bool {
	_, err := time.Parse(time.DateOnly, version)
	return err == nil && version >= apiVersion2024
}

// maxLogged bounds an error in the log, in bytes.
const maxLogged = 2 << 10

func logFault(c *gin.Context, f *fault.Error, status int) {
	// Clients of a paused project go on asking, which is nothing to look after.
	// A project's own code is in the project's log.
	if status < http.StatusInternalServerError || errors.Is(f, tenants.ErrPaused) || f.Status != 0 {
		return
	}
	attrs := []any{"request_id", requestID(c), "code", f.Code, "error", fault.Clip(f.Error(), maxLogged), "method", c.Request.Method, routeOrPath(c)}
	if sc, ok := c.Get(scopeKey); ok {
		attrs = append(attrs, "project", refOf(sc))
	}
	level := slog.LevelError
	if f.Kind == fault.Unavailable {
		level = slog.LevelWarn
	}
	logger(c).Log(c.Request.Context(), level, "request failed", attrs...)
}

// seconds rounds up to the whole seconds of Retry-After.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(max(1, math.Ceil(d.Seconds()))))
}

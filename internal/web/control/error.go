package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web"
)

// refusal is the wire's shape of an error: message, code, and the fault's
// details.
type refusal struct {
	status  int
	message string
	code    string
	details map[string]any
	retry   time.Duration
}

// Error, GetStatus and GetHeaders make it an error that huma writes as it is.
func (e *refusal) Error() string  { return e.message }
func (e *refusal) GetStatus() int { return e.status }

func (e *refusal) GetHeaders() http.Header {
	h := http.Header{}
	if e.retry > 0 {
		seconds := int64((e.retry + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if e.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110 §11.6.1
	}
	return h
}

// MarshalJSON writes the members of the wire.
func (e *refusal) MarshalJSON() ([]byte, error) {
	m := make(map[string]any, len(e.details)+2)
	for k, v := range e.details {
		m[k] = v
	}
	m["message"], m["code"] = e.message, e.code
	return json.Marshal(m)
}

// errorBody describes refusal in the OpenAPI document.
type errorBody struct {
	Message string `json:"message" doc:"What is wrong, to be read by people."`
	Code    string `json:"code" doc:"The same for the same refusal, for programs."`
}

// explain converts an error to the wire's shape. An unclassified error is
// logged here, once, and not shown.
func (s *Server) explain(ctx context.Context, err error) *refusal {
	f := fault.From(err)
	if f.Kind == fault.Internal && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		f = errTimeout.Because(err).After(time.Second)
	}
	e := &refusal{status: web.Status(f.Kind), message: f.Message, code: f.Code, details: f.Details, retry: f.RetryAfter}
	level := slog.LevelDebug
	switch f.Kind {
	case fault.Internal:
		e.message, e.code, e.details, level = "Internal server error", "unexpected_failure", nil, slog.LevelError
	case fault.Unavailable:
		level = slog.LevelWarn
	}
	r := requestOf(ctx)
	s.Log.Log(ctx, level, "management request refused", "request_id", r.id, "project", r.project, "operation", r.operation,
		"actor", actorOf(ctx).UserID, "status", e.status, "code", e.code, "error", err)
	return e
}

// WriteError is a web.ErrorWriter: the Management API's shape for errors
// outside its own middleware.
func WriteError(w http.ResponseWriter, _ *http.Request, e web.Refusal) {
	f := e.Fault
	web.WriteErrorJSON(w, e.Status, &refusal{message: f.Message, code: f.Code, details: f.Details})
}

// refuse ends a request before it reaches an operation.
func (s *Server) refuse(c *gin.Context, err error) {
	e := s.explain(c.Request.Context(), err)
	if c.Writer.Written() {
		c.Abort()
		return
	}
	for name, values := range e.GetHeaders() {
		c.Header(name, values[0])
	}
	c.AbortWithStatusJSON(e.status, e)
}

// answerContext allows translateError to change the status that huma chose.
type answerContext struct {
	humaContext
	status int
}

type humaContext huma.Context

func (c *answerContext) Unwrap() huma.Context { return c.humaContext }

func (c *answerContext) SetStatus(code int) {
	if c.status != 0 {
		code = c.status
	}
	c.humaContext.SetStatus(code)
}

func captureStatus(ctx huma.Context, next func(huma.Context)) {
	next(&answerContext{humaContext: ctx})
}

// translateError converts huma's own errors (RFC 9457, 422) to the wire's: 400,
// with a message that names the field. Values are left out, because they may be
// secrets.
func translateError(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	e := &refusal{status: model.Status, message: model.Detail, code: "validation_failed"}
	if e.status == http.StatusUnprocessableEntity {
		e.status = http.StatusBadRequest
	}
	if c, ok := ctx.(*answerContext); ok {
		c.status = e.status
	}
	var parts []string
	for _, d := range model.Errors {
		parts = append(parts, detail(d))
	}
	if len(parts) > 0 {
		e.message = strings.Join(parts[:min(len(parts), 10)], "; ")
	}
	ctx.SetHeader("Content-Type", "application/json")
	return e, nil
}

// detail returns "field: what is wrong".
func detail(d *huma.ErrorDetail) string {
	field, message := d.Location, d.Message
	for _, in := range []string{"body", "path", "query", "header"} {
		if field == in {
			field = ""
		}
		field = strings.TrimPrefix(field, in+".")
	}
	if name, ok := strings.CutPrefix(message, "expected required property "); ok {
		name = strings.TrimSuffix(name, " to be present")
		field, message = strings.TrimPrefix(field+"."+name, "."), "is required"
	}
	if message == "unexpected property" {
		message = "unknown field"
	}
	if field == "" {
		return "body: " + message
	}
	return field + ": " + message
}

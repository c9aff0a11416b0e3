// Package web ends HTTP: no flow or resource imports gin. It adapts requests of
// the tenant plane to plain functions, finds their tenant and caller, writes
// errors in the shape of each group of routes, and counts requests against
// limits. Package control below it does the same for the Management API. It
// owns no rule of any flow.
package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// QueryBinder is implemented by request types that read the query string or
// path parameters; param returns "" for a parameter that the route lacks.
type QueryBinder interface {
	BindQuery(query url.Values, param func(name string) string) error
}

// RawQueryBinder is implemented by request types that need the query string as it was
// written, for a signature over it; it is bound after the query.
type RawQueryBinder interface{ BindRawQuery(raw string) }

// HeaderBinder is implemented by request types that read headers; they are bound
// before the query.
type HeaderBinder interface{ BindHeader(h http.Header) }

// HeaderSetter is implemented by answers that set headers.
type HeaderSetter interface{ SetHeaders(h http.Header) }

// Redirect is an answer that sends the browser elsewhere (303).
type Redirect struct {
	Location string
	Cookies  []*http.Cookie
	// Err is the error that Location tells the app; it is logged like one that is
	// answered.
	Err error
}

// NoContent is an answer without a body (204).
type NoContent struct{}

// Raw is an answer that is not JSON.
type Raw struct {
	ContentType string
	Body        []byte
	// Status, unless 0, is the status instead of the route's; Header has further headers.
	Status int
	Header map[string]string
	// Cache and Name, unless empty, are the Cache-Control and the name of the file as
	// which browsers keep it.
	Cache, Name string
}

// SetHeaders implements HeaderSetter.
func (r Raw) SetHeaders(h http.Header) {
	for name, value := range r.Header {
		h.Set(name, value)
	}
	if r.Cache != "" {
		h.Set("Cache-Control", r.Cache)
	}
	if r.Name != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": r.Name}))
	}
}

// Tagged is an answer with an entity tag (RFC 9110, section 8.8.3). Who names the
// tag in If-None-Match is answered 304, without the body. Body is answered as
// JSON, and sets headers of both answers.
type Tagged struct {
	Tag  string // without quotation marks
	Body any
}

// Tags returns the entity tags of a request's If-None-Match, without quotation
// marks, and without what proxies add to tags of answers that they compress.
func Tags(h http.Header) []string {
	var tags []string
	for tag := range strings.SplitSeq(strings.Join(h.Values("If-None-Match"), ","), ",") {
		tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
		if tag = strings.TrimSuffix(tag, "-gzip"); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// None is a request without a body.
type None struct{}

// Tenant adapts fn to a route of the tenant plane: it decodes the request, passes
// the tenant's scope and writes the answer with status code, or the error.
func Tenant[Req, Res any](code int, fn func(context.Context, *tenants.Scope, *Req) (Res, error)) Endpoint {
	d := newDecoder[Req]()
	return func(c *gin.Context) { serve(c, code, d, fn) }
}

// User is Tenant for functions that act for the signed-in user.
func User[Req, Res any](code int, fn func(context.Context, *tenants.Scope, *auth.Principal, *Req) (Res, error)) UserEndpoint {
	d := newDecoder[Req]()
	return func(c *gin.Context) {
		p := c.MustGet(principalKey).(*auth.Principal)
		serve(c, code, d, func(ctx context.Context, sc *tenants.Scope, req *Req) (Res, error) { return fn(ctx, sc, p, req) })
	}
}

func serve[Req, Res any](c *gin.Context, code int, d decoder[Req], fn func(context.Context, *tenants.Scope, *Req) (Res, error)) {
	req, err := d.decode(c)
	if err != nil {
		writeError(c, err)
		return
	}
	res, err := fn(c.Request.Context(), scope(c), req)
	if err != nil {
		writeError(c, err)
		return
	}
	write(c, code, res)
}

func write(c *gin.Context, code int, res any) {
	if h, ok := res.(HeaderSetter); ok {
		h.SetHeaders(c.Writer.Header())
	}
	switch r := res.(type) {
	case NoContent, *NoContent:
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
	case Redirect:
		redirect(c, &r)
	case *Redirect:
		redirect(c, r)
	case Prompt:
		writePrompt(c, code, &r)
	case Tagged:
		writeTagged(c, code, &r)
	case Raw:
		writeBody(c, cmp.Or(r.Status, code), r.ContentType, r.Body)
	default:
		writeJSON(c, code, res)
	}
}

func writeTagged(c *gin.Context, code int, t *Tagged) {
	if h, ok := t.Body.(HeaderSetter); ok {
		h.SetHeaders(c.Writer.Header())
	}
	c.Header("ETag", `"`+t.Tag+`"`)
	if tags := Tags(c.Request.Header); slices.Contains(tags, t.Tag) || slices.Contains(tags, "*") {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	writeJSON(c, code, t.Body)
}

// writeJSON encodes before it writes: gin would send the status with an empty
// body if encoding fails.
func writeJSON(c *gin.Context, code int, res any) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // it would turn each < and & into six bytes
	if err := enc.Encode(res); err != nil {
		writeError(c, fmt.Errorf("encode answer: %w", err))
		return
	}
	writeBody(c, code, "application/json; charset=utf-8", bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

func redirect(c *gin.Context, r *Redirect) {
	if r.Err != nil {
		logError(c, fault.From(r.Err))
	}
	setCookies(c, r.Cookies)
	c.Header("Referrer-Policy", "no-referrer")
	c.Redirect(http.StatusSeeOther, r.Location)
}

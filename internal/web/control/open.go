package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// OpenRequest is a request without an actor.
type OpenRequest struct {
	ID, IP string
	Bearer string // the token of Authorization, of whatever kind; "" without one
	Ref    string // of the path, if it has one
	Body   []byte // JSON, or empty
}

// Open adds a route that needs no access token, and is not in the OpenAPI document. The
// answer of fn is kept by no cache; an error is written as everywhere.
func (s *Server) Open(engine *gin.Engine, op Operation, fn func(context.Context, OpenRequest) (any, error)) {
	code := cmp.Or(op.Status, http.StatusOK)
	engine.Handle(op.Method, ginPath(op.Path), s.identify, s.rescue, s.checkURL, s.checkBody, func(c *gin.Context) {
		c.Header("Cache-Control", "no-store")
		r := requestOf(c.Request.Context())
		r.operation = op.ID
		in := OpenRequest{ID: r.id, IP: r.ip, Ref: c.Param("ref"), Body: r.body}
		in.Bearer, _ = bearer(c.GetHeader("Authorization"))
		out, err := fn(c.Request.Context(), in)
		if err != nil {
			s.refuse(c, err)
			return
		}
		c.JSON(code, out)
	})
}

// RegisterOpen adds an operation that needs no access token. In is what its body is,
// struct{} for none; Out is the answer's. first looks at the request before the body is
// read.
func RegisterOpen[In, Out any](api API, op Operation, first func(context.Context, OpenRequest) error, fn func(context.Context, OpenRequest, *In) (*Out, error)) {
	Describe[In, Out](api, op)
	api.server.Open(api.engine, op, func(ctx context.Context, r OpenRequest) (any, error) {
		if err := first(ctx, r); err != nil {
			return nil, err
		}
		var in In
		if err := decodeOpen(r.Body, &in); err != nil {
			return nil, err
		}
		return fn(ctx, r, &in)
	})
}

// decodeOpen reads a body strictly; one that is empty leaves in as it is.
func decodeOpen(body []byte, in any) error {
	if len(body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(in)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return errInvalid.Because(err).Saying("The body is not an object with the members of this request")
	}
	return nil
}

// ginPath is a path of the OpenAPI document as gin has it.
func ginPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") && strings.HasSuffix(p, "}") {
			parts[i] = ":" + p[1:len(p)-1]
		}
	}
	return strings.Join(parts, "/")
}

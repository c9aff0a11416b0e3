package control

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Stream is an answer that is written in parts. Until the first part an error is
// answered as everywhere; after that it ends the connection, so that nobody takes the
// answer for complete.
type Stream struct {
	to    huma.Context
	begun bool
}

// Begin sends the headers of an answer with a type and, unless it is "", the name
// under which a browser saves it.
func (s *Stream) Begin(contentType, filename string) {
	s.to.SetHeader("Content-Type", contentType)
	s.to.SetHeader("Cache-Control", "no-store")
	if filename != "" {
		s.to.SetHeader("Content-Disposition", `attachment; filename="`+filename+`"`)
	}
	s.to.SetStatus(http.StatusOK)
	s.begun = true
}

// Write sends a part; Begin must have been called.
func (s *Stream) Write(p []byte) (int, error) { return s.to.BodyWriter().Write(p) }

// Flush sends what is buffered.
func (s *Stream) Flush() {
	if f, ok := s.to.BodyWriter().(http.Flusher); ok {
		f.Flush()
	}
}

// RegisterStream is Register for an answer that is a Stream.
func RegisterStream[In any](api API, op Operation, fn func(context.Context, Actor, *In, *Stream) error) {
	op.Status = http.StatusOK
	huma.Register(api.huma, api.describe(op), func(ctx context.Context, in *In) (*huma.StreamResponse, error) {
		requestOf(ctx).operation = op.ID
		return &huma.StreamResponse{Body: func(to huma.Context) {
			out := &Stream{to: to}
			_, err := audited(ctx, api.server, op, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, fn(ctx, actorOf(ctx), in, out)
			})
			if err == nil {
				return
			}
			refusal := api.server.explain(ctx, err)
			if out.begun {
				panic(http.ErrAbortHandler)
			}
			for name, values := range refusal.GetHeaders() {
				to.SetHeader(name, values[0])
			}
			to.SetHeader("Content-Type", "application/json")
			to.SetStatus(refusal.status)
			_ = json.NewEncoder(to.BodyWriter()).Encode(refusal) // the client is gone
		}}, nil
	})
}

package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

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

// eventTimeout is how long a client may take to receive an event.
const eventTimeout = 20 * time.Second

// BeginEvents sends the headers of server-sent events (HTML standard, section 9.2),
// and lifts the time limits of the connection: each event has its own.
func (s *Stream) BeginEvents() error {
	if w, ok := s.to.BodyWriter().(http.ResponseWriter); ok {
		// A test's recorder has no deadlines.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	s.to.SetHeader("X-Accel-Buffering", "no")
	s.Begin("text/event-stream", "")
	return s.send("retry: 2000\n\n")
}

// Event sends an event. id and name may be empty; data becomes JSON, which has one
// line.
func (s *Stream) Event(id, name string, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	text := "data: " + string(raw) + "\n\n"
	if name != "" {
		text = "event: " + name + "\n" + text
	}
	if id != "" {
		text = "id: " + id + "\n" + text
	}
	return s.send(text)
}

// Heartbeat sends what clients skip, so that nobody on the way takes the connection for
// dead.
func (s *Stream) Heartbeat() error { return s.send(": still here\n\n") }

func (s *Stream) send(text string) error {
	if w, ok := s.to.BodyWriter().(http.ResponseWriter); ok {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(eventTimeout)) // as above
	}
	if _, err := s.Write([]byte(text)); err != nil {
		return err
	}
	s.Flush()
	return nil
}

// StillActor returns an error unless the request would still be accepted, as that of
// the same actor: a token may have been revoked, or a session ended, since it began.
func StillActor(ctx context.Context) error {
	r, before := requestOf(ctx), actorOf(ctx)
	if r.again == nil {
		return nil
	}
	now, err := r.again(ctx)
	if err == nil && (now.UserID != before.UserID || now.TokenID != before.TokenID) {
		err = errUnauthorized
	}
	return err
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

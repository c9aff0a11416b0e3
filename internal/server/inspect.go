package server

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/reevehq/reeve/tenants"
)

// Sees reports whether this process uses these settings of a project. Tests
// poll it instead of waiting for a fixed time.
func (s *Server) Sees(ref string, settings map[string]any) bool {
	t, err := s.registry.Tenant(context.Background(), tenants.Ref(ref))
	if err != nil {
		return false
	}
	raw, err := json.Marshal(t.Config)
	if err != nil {
		return false
	}
	var have map[string]json.RawMessage
	if err := json.Unmarshal(raw, &have); err != nil {
		return false
	}
	for k, v := range settings {
		want, err := json.Marshal(v)
		if got, ok := have[k]; err != nil || ok && !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}

// Route is a route of the main port, in gin's notation.
type Route struct{ Method, Path string }

// Routes lists every route of the main port, so that tests can check that each
// has a case.
func (s *Server) Routes() []Route {
	var out []Route
	for _, r := range s.handler().Routes() {
		out = append(out, Route{Method: r.Method, Path: r.Path})
	}
	return out
}

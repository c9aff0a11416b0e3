package server_test

import (
	"encoding/json"
	"testing"

	"github.com/reevehq/reeve/internal/server"
)

// TestOpenAPI: the API is described without a server, with all resources.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	raw, err := server.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/projects/{ref}", "/v1/profile", "/v1/operator", "/v1/projects/{ref}/auth/users"} {
		if doc.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
}

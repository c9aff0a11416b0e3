package tenants

import (
	"time"

	"github.com/reevehq/reeve/internal/fault"
)

// Errors of the router. None of them reveals whether a key exists in another
// project: such a key answers as an unknown one does.
var (
	// ErrUnknownProject: no such project is served, or the text is no Ref.
	ErrUnknownProject = fault.New(fault.NotFound, "project_not_found", "Project not found")
	// ErrDisagree: host and path name different projects.
	ErrDisagree = fault.New(fault.Unauthorized, "project_mismatch", "Host and path name different projects")
	// ErrPaused: the project is paused until a member restores it.
	ErrPaused = fault.New(fault.Unavailable, "project_paused", "Project is paused").After(time.Minute)
	// ErrCreating: the project's database is being created.
	ErrCreating = fault.New(fault.Unavailable, "project_creating", "Project is being created").After(2 * time.Second)
	// ErrRegistryUnavailable: the control database did not answer and the cache
	// holds nothing current about the project.
	ErrRegistryUnavailable = fault.New(fault.Unavailable, "registry_unavailable", "Project data is not available at the moment").After(2 * time.Second)
)

// Errors of an API key.
var (
	// ErrNoKey: the request carries no API key.
	ErrNoKey = fault.New(fault.Unauthorized, "no_api_key", "No API key found in the request")
	// ErrUnknownKey: the key is malformed, revoked, unknown, or another project's.
	ErrUnknownKey = fault.New(fault.Unauthorized, "invalid_api_key", "Invalid API key")
	// ErrExpiredKey: the key has expired.
	ErrExpiredKey = fault.New(fault.Unauthorized, "api_key_expired", "API key has expired")
	// ErrKeyNetwork: the client's address is in none of the key's networks.
	ErrKeyNetwork = fault.New(fault.Forbidden, "api_key_network_not_allowed", "The API key may not be used from this network")
	// ErrKeyScope: the secret key lacks the scope that the route needs.
	ErrKeyScope = fault.New(fault.Forbidden, "api_key_scope_missing", "The API key lacks a scope")
	// ErrSecretKeyInBrowser: a secret key came from a browser, so every visitor
	// of that page can read it.
	ErrSecretKeyInBrowser = fault.New(fault.Unauthorized, "secret_key_in_browser", "Secret API keys must not be used in a browser")
)

// RefusedError is an error of Router.Resolve about a project that exists. Its
// developers may learn of the refusal; the caller must not learn more than Err.
type RefusedError struct {
	Ref Ref
	Err error
}

// Error is that of Err.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *RefusedError) Unwrap() error { return e.Err }

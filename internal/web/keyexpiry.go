package web

import (
	"context"
	"sync"
	"time"

	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

const (
	expiresSoon    = 7 * 24 * time.Hour
	expiryInterval = 6 * time.Hour
	maxExpiring    = 10_000
)

// expiring warns the developers of projects of keys that are in use and expire
// soon, once in expiryInterval and process for each key.
type expiring struct {
	mu     sync.Mutex
	warned map[string]time.Time // by the key's id; at most maxExpiring
}

// check adds a warning to the project's log if the key expires soon.
func (e *expiring) check(ctx context.Context, sc *tenants.Scope, k *tenants.APIKey, now time.Time) {
	if k == nil || k.ExpiresAt.IsZero() || k.ExpiresAt.Sub(now) > expiresSoon || !e.due(k.ID, now) {
		return
	}
	sc.Log.Add(ctx, projectlog.Entry{
		Level: projectlog.Warning, Code: "api_key_expires_soon",
		Message: "An API key that is in use expires soon.",
		Detail:  map[string]any{"key": k.ID, "name": k.Name, "expires_at": k.ExpiresAt.UTC().Format(time.RFC3339)},
	})
}

func (e *expiring) due(id string, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if at, ok := e.warned[id]; ok && now.Sub(at) < expiryInterval {
		return false
	}
	if e.warned == nil || len(e.warned) >= maxExpiring {
		e.warned = make(map[string]time.Time)
	}
	e.warned[id] = now
	return true
}

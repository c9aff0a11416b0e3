// Package discovery describes what a project offers and how to verify its
// tokens: /health, /settings and two documents below /.well-known. None of them
// uses the project's database, so they answer while it is unavailable.
package discovery

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/keyset"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the routes.
type Handler struct {
	Version string
	// OldSets collects who asks for an old key set; nil for nobody.
	OldSets *keyset.Requests
	Now     func() time.Time
}

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Open.GET("/health", web.Tenant(http.StatusOK, h.health))
	// Gateways verify tokens by these, and must not forget the keys of a project that
	// is paused for a while.
	r.Always.GET(jwksPath, web.Tenant(http.StatusOK, h.jwks))
	r.Always.GET(configurationPath, web.Tenant(http.StatusOK, h.configuration))
	r.Keyed.GET("/settings", web.Tenant(http.StatusOK, h.settings))
}

// Health is the answer of /health. SDKs and tools look for Name.
type Health struct {
	Version     string `json:"version"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (h Handler) health(context.Context, *tenants.Scope, *web.None) (Health, error) {
	return Health{Version: h.Version, Name: "GoTrue", Description: "Reeve, speaking the protocol of Supabase Auth"}, nil
}

// settings returns the project's public settings, in the form of
// setting.Config.AppendPublic.
func (h Handler) settings(_ context.Context, sc *tenants.Scope, _ *web.None) (web.Raw, error) {
	return web.Raw{ContentType: "application/json; charset=utf-8", Body: sc.Tenant.Config.AppendPublic(make([]byte, 0, 1024))}, nil
}

// jwks answers the key set. Its entity tag tells verifiers that keep an old set, see
// package keyset.
func (h Handler) jwks(_ context.Context, sc *tenants.Scope, req *keySetRequest) (web.Tagged, error) {
	keys := token.PublicKeys(sc.Tenant).Keys
	key := sc.Tenant.Secrets.OTPKey
	tag, old := keyset.Current(key, req.tags, keys)
	if old != "" {
		h.OldSets.Old(string(sc.Tenant.Ref), old, h.Now(), sc.ClientIP, sc.UserAgent)
	}
	if tag == "" {
		tag = keyset.Tag(key, keys)
	}
	return web.Tagged{Tag: tag, Body: &KeySet{Keys: keys}}, nil
}

// keySetRequest is a request that may name the sets that the client has.
type keySetRequest struct{ tags []string }

// BindHeader implements web.HeaderBinder.
func (r *keySetRequest) BindHeader(h http.Header) { r.tags = web.Tags(h) }

// KeySet is a JWKS that caches may keep for ten minutes.
type KeySet struct {
	Keys []json.RawMessage `json:"keys"`
}

// SetHeaders implements web.HeaderSetter.
func (*KeySet) SetHeaders(h http.Header) { cacheable(h) }

// cacheable lets caches keep an answer for ten minutes.
func cacheable(h http.Header) {
	h.Set("Cache-Control", "public, max-age=600")
	h.Add("Vary", "apikey, Authorization") // on the bare host they say whose keys these are
}

// Package discovery tells apps what a project offers and how to verify its
// tokens: /health, /settings and /.well-known/jwks.json. None of them touches
// the project's database, so they answer while it is away.
package discovery

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the three routes.
type Handler struct{ Version string }

// Mount adds the route that needs a key.
func (h Handler) Mount(r gin.IRouter) { r.GET("/settings", web.Tenant(http.StatusOK, h.settings)) }

// MountOpen adds the routes that need none.
func (h Handler) MountOpen(r gin.IRouter) {
	r.GET("/health", web.Tenant(http.StatusOK, h.health))
	r.GET("/.well-known/jwks.json", web.Tenant(http.StatusOK, h.jwks))
}

// Health is the answer of /health. Name is what SDKs and tools look for.
type Health struct {
	Version     string `json:"version"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (h Handler) health(context.Context, *tenants.Scope, *web.None) (Health, error) {
	return Health{Version: h.Version, Name: "GoTrue", Description: "Reeve, speaking the protocol of Supabase Auth"}, nil
}

// Settings is the answer of /settings.
type Settings struct {
	External                  map[string]bool `json:"external"`
	DisableSignup             bool            `json:"disable_signup"`
	MailerAutoconfirm         bool            `json:"mailer_autoconfirm"`
	PhoneAutoconfirm          bool            `json:"phone_autoconfirm"`
	SMSProvider               string          `json:"sms_provider"`
	SAMLEnabled               bool            `json:"saml_enabled"`
	SAMLPrivateKeyNextPresent bool            `json:"saml_private_key_next_configured"`
	PasskeysEnabled           bool            `json:"passkeys_enabled"`
}

// providers are the members of Settings.External besides email, all of them
// off: those flows are not offered.
var providers = []string{
	"anonymous_users", "apple", "azure", "bitbucket", "discord", "facebook", "snapchat", "figma", "fly", "github",
	"gitlab", "google", "keycloak", "kakao", "linkedin", "linkedin_oidc", "notion", "spotify", "slack", "slack_oidc",
	"workos", "twitch", "twitter", "phone", "zoom",
}

func (h Handler) settings(_ context.Context, sc *tenants.Scope, _ *web.None) (*Settings, error) {
	cfg := &sc.Tenant.Config
	external := make(map[string]bool, len(providers)+1)
	for _, p := range providers {
		external[p] = false
	}
	external["email"] = cfg.ExternalEmailEnabled
	return &Settings{External: external, DisableSignup: cfg.DisableSignup, MailerAutoconfirm: cfg.MailerAutoconfirm}, nil
}

func (h Handler) jwks(_ context.Context, sc *tenants.Scope, _ *web.None) (*KeySet, error) {
	return &KeySet{Keys: token.PublicKeys(sc.Tenant).Keys}, nil
}

// KeySet is a JWKS that caches may keep for ten minutes.
type KeySet struct {
	Keys []json.RawMessage `json:"keys"`
}

// SetHeaders implements web.HeaderSetter.
func (*KeySet) SetHeaders(h http.Header) { h.Set("Cache-Control", "public, max-age=600") }

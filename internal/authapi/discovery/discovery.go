// Package discovery tells apps what a project offers and how to verify its
// tokens: /health, /settings and /.well-known/jwks.json. None of them touches
// the project's database, so they answer while it is away.
package discovery

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the three routes.
type Handler struct{ Version string }

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Open.GET("/health", web.Tenant(http.StatusOK, h.health))
	r.Open.GET("/.well-known/jwks.json", web.Tenant(http.StatusOK, h.jwks))
	r.Keyed.GET("/settings", web.Tenant(http.StatusOK, h.settings))
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
	External                  External `json:"external"`
	DisableSignup             bool     `json:"disable_signup"`
	MailerAutoconfirm         bool     `json:"mailer_autoconfirm"`
	PhoneAutoconfirm          bool     `json:"phone_autoconfirm"`
	SMSProvider               string   `json:"sms_provider"`
	SAMLEnabled               bool     `json:"saml_enabled"`
	SAMLPrivateKeyNextPresent bool     `json:"saml_private_key_next_configured"`
	PasskeysEnabled           bool     `json:"passkeys_enabled"`
}

// External says which ways to sign in a project offers. Only email is built;
// the others are members that SDKs look for.
type External struct {
	AnonymousUsers bool `json:"anonymous_users"`
	Apple          bool `json:"apple"`
	Azure          bool `json:"azure"`
	Bitbucket      bool `json:"bitbucket"`
	Discord        bool `json:"discord"`
	Facebook       bool `json:"facebook"`
	Snapchat       bool `json:"snapchat"`
	Figma          bool `json:"figma"`
	Fly            bool `json:"fly"`
	GitHub         bool `json:"github"`
	GitLab         bool `json:"gitlab"`
	Google         bool `json:"google"`
	Keycloak       bool `json:"keycloak"`
	Kakao          bool `json:"kakao"`
	LinkedIn       bool `json:"linkedin"`
	LinkedInOIDC   bool `json:"linkedin_oidc"`
	Notion         bool `json:"notion"`
	Spotify        bool `json:"spotify"`
	Slack          bool `json:"slack"`
	SlackOIDC      bool `json:"slack_oidc"`
	WorkOS         bool `json:"workos"`
	Twitch         bool `json:"twitch"`
	Twitter        bool `json:"twitter"`
	Email          bool `json:"email"`
	Phone          bool `json:"phone"`
	Zoom           bool `json:"zoom"`
}

func (h Handler) settings(_ context.Context, sc *tenants.Scope, _ *web.None) (*Settings, error) {
	cfg := &sc.Tenant.Config
	return &Settings{
		External:      External{Email: cfg.ExternalEmailEnabled},
		DisableSignup: cfg.DisableSignup, MailerAutoconfirm: cfg.MailerAutoconfirm,
	}, nil
}

func (h Handler) jwks(_ context.Context, sc *tenants.Scope, _ *web.None) (*KeySet, error) {
	return &KeySet{Keys: token.PublicKeys(sc.Tenant).Keys}, nil
}

// KeySet is a JWKS that caches may keep for ten minutes.
type KeySet struct {
	Keys []json.RawMessage `json:"keys"`
}

// SetHeaders implements web.HeaderSetter.
func (*KeySet) SetHeaders(h http.Header) {
	h.Set("Cache-Control", "public, max-age=600")
	h.Add("Vary", "apikey, Authorization") // on the bare host they say whose keys these are
}

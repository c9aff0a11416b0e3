// Package authconfig is a project's auth configuration in the Management API:
// reading it, and changing it field by field, each change a new version. It owns
// which values a field may have. What a field does is read off tenants.Config by
// the flows.
package authconfig

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Handler is the configuration's routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	h.mountResource(api)
	const path = "/v1/projects/{ref}/config/auth"
	control.Register(api, control.Operation{
		ID: "get-auth-config", Method: http.MethodGet, Path: path, Tag: "Auth configuration",
		Summary: "Get the auth configuration of a project",
	}, h.get)
	control.Register(api, control.Operation{
		ID: "update-auth-config", Method: http.MethodPatch, Path: path, Tag: "Auth configuration",
		Summary: "Change fields of the auth configuration; null brings a default back", Body: UpdateBody{},
	}, h.update)
}

// Config is the whole configuration on the wire. SMTPPass is not the password:
// it is its SHA-256 in hex, or "" while there is none.
type Config struct {
	tenants.Config
	SMTPPass string `json:"smtp_pass" doc:"SHA-256 of the password in hex; empty when there is none."`
}

type getInput struct {
	Ref string `path:"ref"`
}

type updateInput struct {
	Ref  string `path:"ref"`
	Body control.Object
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *getInput) (*Config, error) {
	config, secrets, err := h.Service.Get(ctx, actor, in.Ref)
	return onWire(config, secrets), err
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Config, error) {
	config, secrets, err := h.Service.Update(ctx, actor, in.Ref, in.Body)
	return onWire(config, secrets), err
}

func onWire(config tenants.Config, secrets controldb.AuthSecrets) *Config {
	return &Config{Config: config, SMTPPass: fingerprint(secrets.SMTPPass)}
}

// fingerprint shows that a secret is there, and whether it is the one expected.
func fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

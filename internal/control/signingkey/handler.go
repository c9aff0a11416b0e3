// Package signingkey serves the JWT signing keys of a project in the Management
// API: creating, importing, rotating, revoking. Package tenants
// defines the keys, and package token signs and verifies with them.
package signingkey

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the signing keys' routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	const keys = "/v1/projects/{ref}/config/auth/signing-keys"
	op := func(id, method, path, summary string) control.Operation {
		return control.Operation{ID: id, Method: method, Path: path, Summary: summary, Tag: "Signing keys"}
	}
	create := op("create-signing-key", http.MethodPost, keys, "Make or import a signing key")
	create.Status, create.Creates = http.StatusCreated, true
	control.Register(api, create, h.create)
	control.Register(api, op("list-signing-keys", http.MethodGet, keys, "List the signing keys of a project"), h.list)
	legacy := op("create-legacy-signing-key", http.MethodPost, keys+"/legacy",
		"Make the HS256 secret that legacy API keys are signed with")
	legacy.Status, legacy.Creates = http.StatusCreated, true
	control.Register(api, legacy, h.createLegacy)
	control.Register(api, op("get-legacy-signing-key", http.MethodGet, keys+"/legacy",
		"Get the HS256 secret that legacy API keys are signed with"), h.legacy)
	control.Register(api, op("get-signing-key-rotation", http.MethodGet, keys+"/rotation", "Get where the rotation of the signing keys is"), h.rotation)
	control.Register(api, op("update-signing-key-rotation", http.MethodPatch, keys+"/rotation", "Plan, hold or release the rotation of the signing keys"), h.plan)
	control.Register(api, op("advance-signing-key-rotation", http.MethodPost, keys+"/rotation/advance", "Make the next step of the rotation now"), h.advance)
	control.Register(api, op("get-signing-key", http.MethodGet, keys+"/{id}", "Get a signing key"), h.get)
	control.Register(api, op("update-signing-key", http.MethodPatch, keys+"/{id}", "Move a signing key to another status"), h.update)
	control.Register(api, op("delete-signing-key", http.MethodDelete, keys+"/{id}",
		"Delete a signing key that is on standby or revoked"), h.remove)
}

// Key is a signing key on the wire. PublicJWK is null for HS256.
type Key struct {
	ID        string         `json:"id" format:"uuid"`
	Algorithm string         `json:"algorithm" enum:"EdDSA,ES256,RS256,HS256"`
	Status    string         `json:"status" enum:"in_use,previously_used,revoked,standby"`
	PublicJWK map[string]any `json:"public_jwk" nullable:"true"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
	// Warning says what does not work with tokens of the key.
	Warning string `json:"warning,omitempty"`
}

// warnEdDSA is the warning of EdDSA keys: auth-js verifies RS256 and ES256 only.
const warnEdDSA = "getClaims() of supabase-js cannot verify EdDSA: it fails with \"Invalid alg claim\". Use ES256 unless no client calls it."

// List is the answer to list.
type List struct {
	Keys []Key `json:"keys"`
}

// CreateBody is the body of create. PrivateJWK is a key to import (RFC 7517),
// an HS256 secret with kty oct; without it a key is generated.
type CreateBody struct {
	Algorithm  string         `json:"algorithm" enum:"EdDSA,ES256,RS256,HS256"`
	Status     string         `json:"status,omitempty" enum:"in_use,standby" default:"standby"`
	PrivateJWK map[string]any `json:"private_jwk,omitempty"`
}

type refInput struct {
	Ref string `path:"ref"`
}

type createInput struct {
	Ref  string `path:"ref"`
	Body CreateBody
}

type keyInput struct {
	Ref string `path:"ref"`
	ID  string `path:"id"`
}

type updateInput struct {
	Ref  string `path:"ref"`
	ID   string `path:"id"`
	Body UpdateBody
}

// UpdateBody is the body of update.
type UpdateBody struct {
	Status string `json:"status" enum:"in_use,previously_used,revoked,standby"`
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Key, error) {
	return h.Service.Create(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *refInput) (*List, error) {
	rows, err := h.Service.List(ctx, actor, in.Ref)
	if err != nil {
		return nil, err
	}
	out := &List{Keys: make([]Key, len(rows))}
	for i, row := range rows {
		out.Keys[i] = onWire(row)
	}
	return out, nil
}

func (h *Handler) createLegacy(ctx context.Context, actor control.Actor, in *refInput) (*Key, error) {
	return h.Service.CreateLegacy(ctx, actor, in.Ref)
}

func (h *Handler) legacy(ctx context.Context, actor control.Actor, in *refInput) (*Key, error) {
	return answer(h.Service.Legacy(ctx, actor, in.Ref))
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *keyInput) (*Key, error) {
	return answer(h.Service.Get(ctx, actor, in.Ref, in.ID))
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Key, error) {
	return answer(h.Service.Move(ctx, actor, in.Ref, in.ID, in.Body.Status))
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *keyInput) (*Key, error) {
	return answer(h.Service.Delete(ctx, actor, in.Ref, in.ID))
}

func answer(row controldb.SigningKey, err error) (*Key, error) {
	if err != nil {
		return nil, err
	}
	out := onWire(row)
	return &out, nil
}

func onWire(k controldb.SigningKey) Key {
	out := Key{
		ID: k.ID.String(), Algorithm: k.Algorithm, Status: string(k.Status),
		CreatedAt: k.CreatedAt.UTC(), UpdatedAt: k.UpdatedAt.UTC(),
	}
	if k.Algorithm == "EdDSA" {
		out.Warning = warnEdDSA
	}
	if k.PublicJWK != nil {
		_ = json.Unmarshal(k.PublicJWK, &out.PublicJWK) // Postgres keeps it as jsonb: it is an object
	}
	return out
}

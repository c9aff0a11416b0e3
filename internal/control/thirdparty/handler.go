// Package thirdparty serves the issuers whose access tokens a project trusts: an
// app whose users sign in at Clerk, Auth0, Firebase, Cognito, WorkOS or any OpenID
// provider sends those tokens, and the project's policies decide by their claims.
// It owns which issuers a project trusts, and the check of a token; policies see
// its claims where SQL runs for a caller.
package thirdparty

import (
	"context"
	"net/http"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	const path = "/v1/projects/{ref}/config/auth/third-party-auth"
	op := func(id, method, path, summary string) control.Operation {
		return control.Operation{ID: id, Method: method, Path: path, Summary: summary, Tag: "Auth configuration"}
	}
	create := op("create-third-party-auth", http.MethodPost, path, "Trust the access tokens of an issuer")
	create.Status, create.Creates = http.StatusCreated, true
	control.Register(api, create, h.create)
	control.Register(api, op("list-third-party-auth", http.MethodGet, path, "List the issuers whose access tokens the project trusts"), h.list)
	control.Register(api, op("get-third-party-auth", http.MethodGet, path+"/{id}", "Get an issuer whose access tokens the project trusts"), h.get)
	control.Register(api, op("delete-third-party-auth", http.MethodDelete, path+"/{id}", "Trust the access tokens of an issuer no longer"), h.remove)
}

// Issuer is a trusted issuer on the wire.
type Issuer struct {
	ID           string     `json:"id" format:"uuid"`
	Type         string     `json:"type" enum:"oidc,jwks"`
	OIDCIssuer   *string    `json:"oidc_issuer_url" nullable:"true"`
	JWKSURL      *string    `json:"jwks_url" nullable:"true"`
	CustomJWKS   KeySet     `json:"custom_jwks" nullable:"true"`
	ResolvedJWKS KeySet     `json:"resolved_jwks" nullable:"true" doc:"The keys as they were when the issuer was added; they are fetched again for tokens"`
	Audiences    []string   `json:"audiences" nullable:"false" doc:"One of which a token must be for; empty for any"`
	InsertedAt   time.Time  `json:"inserted_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	ResolvedAt   *time.Time `json:"resolved_at" nullable:"true"`
}

// KeySet is a JWKS (RFC 7517, section 5).
type KeySet map[string]any

// CreateBody is the body of create: an issuer, whose discovery document names its
// keys unless jwks_url does; or keys alone, at an address or given.
type CreateBody struct {
	OIDCIssuer string    `json:"oidc_issuer_url,omitempty" maxLength:"2048"`
	JWKSURL    string    `json:"jwks_url,omitempty" maxLength:"2048"`
	CustomJWKS *GivenSet `json:"custom_jwks,omitempty"`
	Audiences  []string  `json:"audiences,omitempty" maxItems:"20" doc:"One of which a token must be for. Give it where the issuer serves other apps too."`
}

// GivenSet is a JWKS in a request.
type GivenSet struct {
	Keys []map[string]any `json:"keys" maxItems:"32"`
}

type refInput struct {
	Ref string `path:"ref"`
}

type createInput struct {
	Ref  string `path:"ref"`
	Body CreateBody
}

type idInput struct {
	Ref string `path:"ref"`
	ID  string `path:"id"`
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Issuer, error) {
	return h.Service.Create(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *refInput) (*[]Issuer, error) {
	rows, err := h.Service.List(ctx, actor, in.Ref)
	if err != nil {
		return nil, err
	}
	out := make([]Issuer, len(rows))
	for i, row := range rows {
		out[i] = onWire(row)
	}
	return &out, nil
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *idInput) (*Issuer, error) {
	return answer(h.Service.Get(ctx, actor, in.Ref, in.ID))
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *idInput) (*Issuer, error) {
	return answer(h.Service.Delete(ctx, actor, in.Ref, in.ID))
}

func answer(p controldb.ThirdParty, err error) (*Issuer, error) {
	if err != nil {
		return nil, err
	}
	out := onWire(p)
	return &out, nil
}

func onWire(p controldb.ThirdParty) Issuer {
	out := Issuer{
		ID: p.ID.String(), Type: "jwks", OIDCIssuer: textOf(p.Issuer), JWKSURL: textOf(p.JWKSURL), Audiences: p.Audiences,
		InsertedAt: p.CreatedAt.UTC(), UpdatedAt: p.CreatedAt.UTC(), ResolvedAt: p.ResolvedAt,
	}
	if p.Issuer != "" {
		out.Type = "oidc"
	}
	if p.CustomJWKS != nil {
		out.CustomJWKS = KeySet{"keys": p.CustomJWKS}
	}
	if p.Resolved != nil {
		out.ResolvedJWKS = KeySet{"keys": p.Resolved}
	}
	if out.Audiences == nil {
		out.Audiences = []string{}
	}
	return out
}

func textOf(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

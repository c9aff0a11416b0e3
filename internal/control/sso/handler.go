// Package sso serves the enterprise connections of projects in the Management API: the
// routes of the hosted service, which its command line uses, and those of the
// dashboard, which tell more. What a connection must be is decided by the service behind
// the project's own admin routes, through Connections, so that there is one set of rules.
package sso

import (
	"context"
	"fmt"
	"net/http"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const (
	hostedPath = "/v1/projects/{ref}/config/auth/sso/providers"
	path       = "/v1/projects/{ref}/sso"
	one        = path + "/connections/{id}"
)

func op(id, method, path, summary string) control.Operation {
	return control.Operation{ID: id, Method: method, Path: path, Summary: summary, Tag: "Enterprise SSO"}
}

func writes(id, method, path, summary string, status int) control.Operation {
	o := op(id, method, path, summary)
	o.Status, o.Recorded = status, recorded
	return o
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, op("list-sso-providers", http.MethodGet, hostedPath, "List the connections of a project that are of a type, the oldest first"), h.hostedList)
	control.Register(api, writes("create-sso-provider", http.MethodPost, hostedPath, "Create a connection", http.StatusCreated), h.hostedCreate)
	control.Register(api, op("get-sso-provider", http.MethodGet, hostedPath+"/{id}", "Get a connection"), h.hostedGet)
	control.Register(api, writes("update-sso-provider", http.MethodPut, hostedPath+"/{id}", "Change members of a connection", http.StatusOK), h.hostedUpdate)
	control.Register(api, op("delete-sso-provider", http.MethodDelete, hostedPath+"/{id}", "Delete a connection; its users stay, their sessions end"), h.hostedDelete)

	control.Register(api, op("get-sso", http.MethodGet, path, "The project as identity providers know it"), h.overview)
	control.Register(api, op("list-sso-connections", http.MethodGet, path+"/connections", "List the enterprise connections of a project, the oldest first, and how each is used"), h.list)
	control.Register(api, writes("create-sso-connection", http.MethodPost, path+"/connections", "Create an enterprise connection", http.StatusCreated), h.create)
	control.Register(api, op("get-sso-connection", http.MethodGet, one, "Get an enterprise connection"), h.get)
	control.Register(api, writes("update-sso-connection", http.MethodPatch, one, "Change members of an enterprise connection; one that is switched off loses its sessions", http.StatusOK), h.update)
	control.Register(api, op("delete-sso-connection", http.MethodDelete, one, "Delete an enterprise connection; its users stay, their sessions end"), h.remove)
	control.Register(api, op("refresh-sso-connection", http.MethodPost, one+"/refresh", "Fetch the connection's metadata anew from its address"), h.refresh)
	control.Register(api, op("test-sso-connection", http.MethodPost, one+"/test", "Begin a dry run: a sign-in at the identity provider that changes nothing, and reports each step"), h.test)
	control.Register(api, op("list-sso-attempts", http.MethodGet, one+"/attempts", "List the attempts to sign in or out by a connection, the newest first"), h.attempts)
	control.Register(api, op("get-sso-attempt", http.MethodGet, one+"/attempts/{attempt_id}", "Get an attempt, step by step"), h.attempt)
	control.Register(api, op("list-sso-keys", http.MethodGet, path+"/keys", "List the keys of the project's service provider"), h.keys)
	control.Register(api, writes("add-sso-key", http.MethodPost, path+"/keys", "Add a second key, which is published in the metadata and does not sign yet", http.StatusCreated), h.addKey)
	control.Register(api, op("remove-sso-key", http.MethodDelete, path+"/keys/{id}", "Remove a key of two; the other one signs from then on"), h.removeKey)
	h.mountDomains(api)
	h.mountDirectory(api)
}

func (h *Handler) hostedList(ctx context.Context, actor control.Actor, in *hostedListInput) (*ProviderList, error) {
	return h.Service.HostedList(ctx, actor, in.Ref, auth.SSOKind(in.Kind))
}

func (h *Handler) hostedCreate(ctx context.Context, actor control.Actor, in *hostedCreateInput) (*Provider, error) {
	return hostedAnswer(h.Service.create(ctx, actor, in.Ref, CreateBody{Kind: in.Body.Type, Change: in.Body.change()}))
}

func (h *Handler) hostedGet(ctx context.Context, actor control.Actor, in *ConnectionInput) (*Provider, error) {
	_, p, err := h.Service.find(ctx, actor, in.Ref, in.ID)
	return hostedAnswer(p, err)
}

func (h *Handler) hostedUpdate(ctx context.Context, actor control.Actor, in *hostedUpdateInput) (*Provider, error) {
	return hostedAnswer(h.Service.update(ctx, actor, in.Ref, in.ID, in.Body.change()))
}

func (h *Handler) hostedDelete(ctx context.Context, actor control.Actor, in *ConnectionInput) (*Provider, error) {
	return hostedAnswer(h.Service.remove(ctx, actor, in.Ref, in.ID))
}

func (h *Handler) overview(ctx context.Context, actor control.Actor, in *refInput) (*Overview, error) {
	return h.Service.Overview(ctx, actor, in.Ref)
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *refInput) (*ConnectionList, error) {
	return h.Service.List(ctx, actor, in.Ref)
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Connection, error) {
	return h.Service.Create(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *ConnectionInput) (*Connection, error) {
	return h.Service.Get(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Connection, error) {
	return h.Service.Update(ctx, actor, in.Ref, in.ID, in.Body)
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *ConnectionInput) (*Connection, error) {
	return h.Service.Delete(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) refresh(ctx context.Context, actor control.Actor, in *ConnectionInput) (*Connection, error) {
	return h.Service.Refresh(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) test(ctx context.Context, actor control.Actor, in *ConnectionInput) (*DryRun, error) {
	return h.Service.DryRun(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) attempts(ctx context.Context, actor control.Actor, in *attemptsInput) (*AttemptList, error) {
	return h.Service.ListAttempts(ctx, actor, in)
}

func (h *Handler) attempt(ctx context.Context, actor control.Actor, in *attemptInput) (*Attempt, error) {
	return h.Service.Attempt(ctx, actor, in)
}

func (h *Handler) keys(ctx context.Context, actor control.Actor, in *refInput) (*KeyList, error) {
	return h.Service.ListKeys(ctx, actor, in.Ref)
}

func (h *Handler) addKey(ctx context.Context, actor control.Actor, in *refInput) (*KeyList, error) {
	return h.Service.AddKey(ctx, actor, in.Ref)
}

func (h *Handler) removeKey(ctx context.Context, actor control.Actor, in *ConnectionInput) (*KeyList, error) {
	return h.Service.RemoveKey(ctx, actor, in.Ref, in.ID)
}

// recorded is a request for the audit log of the control plane: metadata, which is long,
// by its size, and a client secret not at all.
func recorded(request map[string]any) map[string]any {
	out := make(map[string]any, len(request))
	for name, value := range request {
		if text, ok := value.(string); ok && name == "metadata_xml" {
			value = fmt.Sprintf("%d bytes", len(text))
		}
		if members, ok := value.(map[string]any); ok && name == "oidc" {
			value = recordedOIDC(members)
		}
		out[name] = value
	}
	return out
}

func recordedOIDC(members map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"issuer", "client_id", "scopes"} {
		if value, ok := members[name]; ok {
			out[name] = value
		}
	}
	if _, ok := members["client_secret"]; ok {
		out["client_secret"] = "replaced"
	}
	return out
}

// Package project serves the projects of the Management API: list, create, get,
// rename, delete, pause, branch, health. It checks permissions; internal/provision creates and
// drops databases.
package project

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the projects' routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	op := func(id, method, path, summary string) control.Operation {
		return control.Operation{ID: id, Method: method, Path: path, Summary: summary, Tag: "Projects"}
	}
	create := op("create-project", http.MethodPost, "/v1/projects", "Create a project")
	create.Status, create.Creates = http.StatusCreated, true
	control.Register(api, create, h.create)
	control.Register(api, op("list-projects", http.MethodGet, "/v1/projects",
		"List the projects of your organizations"), h.list)
	control.Register(api, op("list-organization-projects", http.MethodGet, "/v1/organizations/{slug}/projects",
		"List the projects of an organization, page by page"), h.listOf)
	control.Register(api, op("list-project-cards", http.MethodGet, "/v1/organizations/{slug}/projects/cards",
		"List the projects of an organization with what an overview shows"), h.cards)
	control.Register(api, op("get-project", http.MethodGet, "/v1/projects/{ref}", "Get a project"), h.get)
	control.Register(api, op("update-project", http.MethodPatch, "/v1/projects/{ref}", "Rename a project, or change when it deletes itself"), h.update)
	control.Register(api, op("delete-project", http.MethodDelete, "/v1/projects/{ref}",
		"Delete a project with its database"), h.remove)
	branch := op("branch-project", http.MethodPost, "/v1/projects/{ref}/branch",
		"Copy a project with its database into a new one, whose messages are captured")
	branch.Status, branch.Creates = http.StatusCreated, true
	control.Register(api, branch, h.branch)
	control.Register(api, op("list-project-branches", http.MethodGet, "/v1/projects/{ref}/branch", "List the branches of a project"), h.branches)
	control.Register(api, op("reset-branch", http.MethodPost, "/v1/projects/{ref}/reset",
		"Replace the database of a branch by a new copy of its source"), h.reset)
	control.Register(api, op("pause-project", http.MethodPost, "/v1/projects/{ref}/pause",
		"Stop serving a project and close its database, until it is restored"), h.pause)
	control.Register(api, op("restore-project", http.MethodPost, "/v1/projects/{ref}/restore",
		"Serve a paused project again"), h.restore)
	control.Register(api, op("update-database-password", http.MethodPatch, "/v1/projects/{ref}/database/password",
		"Change the password of the owner role"), h.setPassword)
	control.Register(api, op("get-project-health", http.MethodGet, "/v1/projects/{ref}/health",
		"Check the services of a project"), h.health)
	control.Register(api, op("get-pooler-config", http.MethodGet, "/v1/projects/{ref}/config/database/pooler",
		"Tell how the owner role connects, in the hosted service's form"), h.pooler)
	h.mountHostedBranches(api)
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Created, error) {
	return h.Service.Create(ctx, actor, in.Body, in.Reveal)
}

func (h *Handler) list(ctx context.Context, actor control.Actor, _ *struct{}) (*[]WithDatabase, error) {
	found, err := h.Service.List(ctx, actor)
	return &found, err
}

func (h *Handler) cards(ctx context.Context, actor control.Actor, in *cardsInput) (*Cards, error) {
	return h.Service.Cards(ctx, actor, in)
}

func (h *Handler) listOf(ctx context.Context, actor control.Actor, in *pageInput) (*Page, error) {
	return h.Service.ListOf(ctx, actor, in)
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *refInput) (*WithDatabase, error) {
	return h.Service.Get(ctx, actor, in.Ref)
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Reference, error) {
	return h.Service.Update(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *refInput) (*Reference, error) {
	return h.Service.Delete(ctx, actor, in.Ref)
}

func (h *Handler) branch(ctx context.Context, actor control.Actor, in *branchInput) (*Created, error) {
	return h.Service.Branch(ctx, actor, in.Ref, in.Body, in.Reveal)
}

func (h *Handler) branches(ctx context.Context, actor control.Actor, in *refInput) (*[]Project, error) {
	found, err := h.Service.Branches(ctx, actor, in.Ref)
	return &found, err
}

func (h *Handler) reset(ctx context.Context, actor control.Actor, in *refInput) (*Project, error) {
	return h.Service.Reset(ctx, actor, in.Ref)
}

func (h *Handler) pause(ctx context.Context, actor control.Actor, in *refInput) (*Project, error) {
	return h.Service.Pause(ctx, actor, in.Ref)
}

func (h *Handler) restore(ctx context.Context, actor control.Actor, in *refInput) (*Project, error) {
	return h.Service.Restore(ctx, actor, in.Ref)
}

func (h *Handler) health(ctx context.Context, actor control.Actor, in *healthInput) (*[]ServiceHealth, error) {
	found, err := h.Service.Health(ctx, actor, in)
	return &found, err
}

func (h *Handler) setPassword(ctx context.Context, actor control.Actor, in *passwordInput) (*Message, error) {
	if err := h.Service.SetPassword(ctx, actor, in.Ref, in.Body.Password); err != nil {
		return nil, err
	}
	return &Message{"Successfully updated password"}, nil
}

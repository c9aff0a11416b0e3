// Package org serves the organizations of the Management API: list, create,
// get. It does not own members other than the first owner, nor projects.
package org

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the organizations' routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-organizations", Method: http.MethodGet, Path: "/v1/organizations",
		Summary: "List the organizations that you are a member of", Tag: "Organizations",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "create-organization", Method: http.MethodPost, Path: "/v1/organizations",
		Summary: "Create an organization and become its owner", Tag: "Organizations",
		Status: http.StatusCreated, Creates: true,
	}, h.create)
	control.Register(api, control.Operation{
		ID: "get-organization", Method: http.MethodGet, Path: "/v1/organizations/{slug}",
		Summary: "Get an organization", Tag: "Organizations",
	}, h.get)
	control.Register(api, control.Operation{
		ID: "update-organization", Method: http.MethodPatch, Path: "/v1/organizations/{slug}",
		Summary: "Rename an organization, or require a second factor of its members", Tag: "Organizations",
	}, h.update)
	control.Register(api, control.Operation{
		ID: "delete-organization", Method: http.MethodDelete, Path: "/v1/organizations/{slug}",
		Summary: "Delete an organization without projects", Tag: "Organizations",
	}, h.delete)
}

// Organization is an organization on the wire. ID is the slug: the name is kept
// for clients that still send it.
type Organization struct {
	ID   string `json:"id" deprecated:"true"`
	Slug string `json:"slug"`
	Name string `json:"name"`
	Role string `json:"role,omitempty" doc:"Yours; empty for a role in single projects only, and for a service token."`
	// MFARequired admits only members who proved a second factor.
	MFARequired bool `json:"mfa_required" doc:"Whether people need a second factor to see or do anything in it."`
}

// Detail is the answer to get.
type Detail struct {
	ID                     string   `json:"id"`
	Name                   string   `json:"name"`
	Plan                   string   `json:"plan" enum:"free,pro,team,enterprise,platform"`
	OptInTags              []string `json:"opt_in_tags"`
	AllowedReleaseChannels []string `json:"allowed_release_channels"`
	MFARequired            bool     `json:"mfa_required"`
}

type listInput struct{}

type createInput struct {
	Body CreateBody
}

// CreateBody is the body of create.
type CreateBody struct {
	Name string `json:"name" minLength:"1" maxLength:"256"`
}

type updateInput struct {
	Slug string `path:"slug"`
	Body UpdateBody
}

// UpdateBody is the body of update; what is left out stays.
type UpdateBody struct {
	Name        *string `json:"name,omitempty" minLength:"1" maxLength:"256"`
	MFARequired *bool   `json:"mfa_required,omitempty" doc:"Only a person who signed in with a second factor, or has one, can change it."`
}

type getInput struct {
	Slug string `path:"slug"`
}

func (h *Handler) list(ctx context.Context, actor control.Actor, _ *listInput) (*[]Organization, error) {
	out, err := h.Service.List(ctx, actor)
	return &out, err
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*Organization, error) {
	return h.Service.Update(ctx, actor, in.Slug, in.Body)
}

func (h *Handler) delete(ctx context.Context, actor control.Actor, in *getInput) (*Organization, error) {
	return h.Service.Delete(ctx, actor, in.Slug)
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*Organization, error) {
	return h.Service.Create(ctx, actor, in.Body.Name)
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *getInput) (*Detail, error) {
	o, err := h.Service.Get(ctx, actor, in.Slug)
	if err != nil {
		return nil, err
	}
	return &Detail{
		ID: o.Slug, Name: o.Name, Plan: o.Plan,
		OptInTags: []string{}, AllowedReleaseChannels: []string{"ga"}, MFARequired: o.MFARequired,
	}, nil
}

func onWire(o controldb.Organization, role controldb.Role) Organization {
	return Organization{ID: o.Slug, Slug: o.Slug, Name: o.Name, Role: string(role), MFARequired: o.MFARequired}
}

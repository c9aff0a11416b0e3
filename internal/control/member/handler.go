package member

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const (
	organization = "/v1/organizations/{slug}"
	project      = "/v1/projects/{ref}"
)

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	h.mountMembers(api)
	h.mountRoles(api)
	h.mountInvitations(api)
}

func (h *Handler) mountMembers(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-organization-members", Method: http.MethodGet, Path: organization + "/members",
		Summary: "List the members of an organization", Tag: "Members",
	}, h.list)
	control.Register(api, control.Operation{
		ID: "update-organization-member", Method: http.MethodPatch, Path: organization + "/members/{id}",
		Summary: "Give a member another role", Tag: "Members",
	}, h.change)
	control.Register(api, control.Operation{
		ID: "remove-organization-member", Method: http.MethodDelete, Path: organization + "/members/{id}",
		Summary: "Remove a member, or leave", Tag: "Members",
	}, h.remove)
	control.Register(api, control.Operation{
		ID: "transfer-organization", Method: http.MethodPost, Path: organization + "/transfer",
		Summary: "Make another member the owner in your place", Tag: "Members",
	}, h.transfer)
	control.Register(api, control.Operation{
		ID: "list-project-members", Method: http.MethodGet, Path: project + "/members",
		Summary: "List who has a role in a project of its own", Tag: "Members",
	}, h.listProject)
	control.Register(api, control.Operation{
		ID: "set-project-member", Method: http.MethodPut, Path: project + "/members/{id}",
		Summary: "Give a user a role in a project", Tag: "Members",
	}, h.setProject)
	control.Register(api, control.Operation{
		ID: "remove-project-member", Method: http.MethodDelete, Path: project + "/members/{id}",
		Summary: "End a user's role in a project", Tag: "Members",
	}, h.removeProject)
}

func (h *Handler) mountRoles(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-roles", Method: http.MethodGet, Path: organization + "/roles",
		Summary: "List the roles of an organization with their permissions", Tag: "Members",
	}, h.roles)
	control.Register(api, control.Operation{
		ID: "create-role", Method: http.MethodPost, Path: organization + "/roles",
		Summary: "Define a role", Tag: "Members", Status: http.StatusCreated, Creates: true,
	}, h.createRole)
	control.Register(api, control.Operation{
		ID: "update-role", Method: http.MethodPut, Path: organization + "/roles/{name}",
		Summary: "Replace the description and permissions of a role", Tag: "Members",
	}, h.updateRole)
	control.Register(api, control.Operation{
		ID: "delete-role", Method: http.MethodDelete, Path: organization + "/roles/{name}",
		Summary: "Delete a role that nobody has", Tag: "Members",
	}, h.deleteRole)
}

func (h *Handler) mountInvitations(api control.API) {
	control.Register(api, control.Operation{
		ID: "list-invitations", Method: http.MethodGet, Path: organization + "/invitations",
		Summary: "List the open invitations", Tag: "Members",
	}, h.invitations)
	control.Register(api, control.Operation{
		ID: "create-invitation", Method: http.MethodPost, Path: organization + "/invitations",
		Summary: "Invite an address", Tag: "Members", Status: http.StatusCreated, Creates: true,
	}, h.invite)
	control.Register(api, control.Operation{
		ID: "resend-invitation", Method: http.MethodPost, Path: organization + "/invitations/{id}/resend",
		Summary: "Mail an invitation again, with a new link", Tag: "Members",
	}, h.resend)
	control.Register(api, control.Operation{
		ID: "revoke-invitation", Method: http.MethodDelete, Path: organization + "/invitations/{id}",
		Summary: "Revoke an invitation", Tag: "Members",
	}, h.revoke)
	control.Register(api, control.Operation{
		ID: "accept-invitation", Method: http.MethodPost, Path: "/v1/invitations/accept",
		Summary: "Accept an invitation that was mailed to you", Tag: "Members", Creates: true,
	}, h.accept)
}

type bySlug struct {
	Slug string `path:"slug"`
}

type byMember struct {
	Slug string `path:"slug"`
	ID   string `path:"id"`
}

type changeInput struct {
	Slug string `path:"slug"`
	ID   string `path:"id"`
	Body struct {
		Role string `json:"role" maxLength:"63"`
	}
}

type transferInput struct {
	Slug string `path:"slug"`
	Body struct {
		UserID string `json:"user_id" maxLength:"36"`
	}
}

type byRef struct {
	Ref string `path:"ref"`
}

type byProjectMember struct {
	Ref string `path:"ref"`
	ID  string `path:"id"`
}

type setProjectInput struct {
	Ref  string `path:"ref"`
	ID   string `path:"id"`
	Body struct {
		Role string `json:"role" maxLength:"63"`
	}
}

type createRoleInput struct {
	Slug string `path:"slug"`
	Body RoleBody
}

type byRole struct {
	Slug string `path:"slug"`
	Name string `path:"name" maxLength:"63"`
}

type updateRoleInput struct {
	Slug string `path:"slug"`
	Name string `path:"name" maxLength:"63"`
	Body RoleBody
}

type inviteInput struct {
	Slug string `path:"slug"`
	Body InviteBody
}

type acceptInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100"`
	}
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *bySlug) (*[]Member, error) {
	return membersOnWire(h.Service.List(ctx, actor, in.Slug))
}

func (h *Handler) listProject(ctx context.Context, actor control.Actor, in *byRef) (*[]Member, error) {
	return membersOnWire(h.Service.ListProject(ctx, actor, in.Ref))
}

func membersOnWire(found []Person, err error) (*[]Member, error) {
	out := make([]Member, len(found))
	for i, p := range found {
		out[i] = memberOnWire(p)
	}
	return &out, err
}

func (h *Handler) change(ctx context.Context, actor control.Actor, in *changeInput) (*Changed, error) {
	p, err := h.Service.Change(ctx, actor, in.Slug, in.ID, controldb.Role(in.Body.Role))
	return changedOnWire(p), err
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *byMember) (*Changed, error) {
	p, err := h.Service.Remove(ctx, actor, in.Slug, in.ID)
	return changedOnWire(p), err
}

func (h *Handler) transfer(ctx context.Context, actor control.Actor, in *transferInput) (*Changed, error) {
	p, err := h.Service.Transfer(ctx, actor, in.Slug, in.Body.UserID)
	return changedOnWire(p), err
}

func (h *Handler) setProject(ctx context.Context, actor control.Actor, in *setProjectInput) (*Changed, error) {
	p, err := h.Service.SetProjectRole(ctx, actor, in.Ref, in.ID, controldb.Role(in.Body.Role))
	return changedOnWire(p), err
}

func (h *Handler) removeProject(ctx context.Context, actor control.Actor, in *byProjectMember) (*Changed, error) {
	p, err := h.Service.RemoveProjectRole(ctx, actor, in.Ref, in.ID)
	return changedOnWire(p), err
}

func (h *Handler) roles(ctx context.Context, actor control.Actor, in *bySlug) (*[]Role, error) {
	found, err := h.Service.Roles(ctx, actor, in.Slug)
	out := make([]Role, len(found))
	for i, r := range found {
		out[i] = roleOnWire(r)
	}
	return &out, err
}

func (h *Handler) createRole(ctx context.Context, actor control.Actor, in *createRoleInput) (*Role, error) {
	return h.Service.CreateRole(ctx, actor, in.Slug, in.Body)
}

func (h *Handler) updateRole(ctx context.Context, actor control.Actor, in *updateRoleInput) (*Role, error) {
	return h.Service.UpdateRole(ctx, actor, in.Slug, in.Name, in.Body)
}

func (h *Handler) deleteRole(ctx context.Context, actor control.Actor, in *byRole) (*Role, error) {
	return h.Service.DeleteRole(ctx, actor, in.Slug, in.Name)
}

func (h *Handler) invitations(ctx context.Context, actor control.Actor, in *bySlug) (*[]Invitation, error) {
	out, err := h.Service.Invitations(ctx, actor, in.Slug)
	return &out, err
}

func (h *Handler) invite(ctx context.Context, actor control.Actor, in *inviteInput) (*Invitation, error) {
	return h.Service.Invite(ctx, actor, in.Slug, in.Body)
}

func (h *Handler) resend(ctx context.Context, actor control.Actor, in *byMember) (*Invitation, error) {
	return h.Service.Resend(ctx, actor, in.Slug, in.ID)
}

func (h *Handler) revoke(ctx context.Context, actor control.Actor, in *byMember) (*Invitation, error) {
	return h.Service.Revoke(ctx, actor, in.Slug, in.ID)
}

func (h *Handler) accept(ctx context.Context, actor control.Actor, in *acceptInput) (*Accepted, error) {
	return h.Service.Accept(ctx, actor, in.Body.Token)
}

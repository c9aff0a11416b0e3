// Package user serves the users of a project in the Management API, for the members of
// its organization. It finds and shows users; whatever changes one is done by the
// services behind the project's own admin routes, through Accounts, so that there is
// one set of rules.
package user

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Handler serves the routes.
type Handler struct {
	Service *Service
}

const path = "/v1/projects/{ref}/auth/users"

func op(id, method, below, summary string) control.Operation {
	return control.Operation{ID: id, Method: method, Path: path + below, Summary: summary, Tag: "Users"}
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	control.Register(api, op("list-users", http.MethodGet, "", "List the users of a project"), h.list)
	control.Register(api, op("get-user", http.MethodGet, "/{id}", "Get a user with identities, factors, sessions, pending messages, and why they are refused"), h.get)
	control.Register(api, op("get-user-timeline", http.MethodGet, "/{id}/timeline", "List what a user did, what was done to them, and why they were refused, the newest first"), h.timeline)

	create := op("create-user", http.MethodPost, "", "Create a user")
	create.Status, create.Recorded = http.StatusCreated, recorded
	control.Register(api, create, h.create)
	invite := op("invite-user", http.MethodPost, "/invite", "Create a user and mail them an invitation")
	invite.Status, invite.Recorded = http.StatusCreated, recorded
	control.Register(api, invite, h.invite)
	update := op("update-user", http.MethodPatch, "/{id}", "Change a user")
	update.Recorded = recorded
	control.Register(api, update, h.update)
	control.Register(api, op("ban-user", http.MethodPost, "/{id}/ban", "Ban a user"), h.ban)
	control.Register(api, op("unban-user", http.MethodDelete, "/{id}/ban", "Lift the ban of a user"), h.unban)
	remove := op("delete-user", http.MethodDelete, "/{id}", "Delete a user")
	control.Register(api, remove, h.remove)
	control.Register(api, op("send-user-mail", http.MethodPost, "/{id}/mail", "Mail a user a link"), h.mail)
	control.Register(api, op("create-user-link", http.MethodPost, "/{id}/link", "Create a link that signs a user in, without a mail; this answer alone shows it"), h.link)
	control.Register(api, op("end-user-sessions", http.MethodDelete, "/{id}/sessions", "Sign a user out everywhere"), h.endSessions)
	control.Register(api, op("end-user-session", http.MethodDelete, "/{id}/sessions/{session_id}", "End a session of a user"), h.endSession)
	control.Register(api, op("unlink-user-identity", http.MethodDelete, "/{id}/identities/{identity_id}", "Remove an identity of a user"), h.unlink)
	control.Register(api, op("rename-user-factor", http.MethodPatch, "/{id}/factors/{factor_id}", "Give a second factor of a user another name"), h.renameFactor)
	control.Register(api, op("delete-user-factor", http.MethodDelete, "/{id}/factors/{factor_id}", "Remove a second factor of a user"), h.deleteFactor)
	control.Register(api, op("delete-user-passkey", http.MethodDelete, "/{id}/passkeys/{passkey_id}", "Remove a passkey of a user"), h.deletePasskey)

	bulk := op("change-users", http.MethodPost, "/bulk", "Ban, unban, delete or sign out up to 1000 users")
	bulk.Recorded = recordedBulk
	control.Register(api, bulk, h.bulk)
	export := op("export-users", http.MethodGet, "/export", "Download users as CSV or NDJSON, in the order of their ids")
	export.Audited = true
	control.RegisterStream(api, export, h.export)
}

func (h *Handler) list(ctx context.Context, actor control.Actor, in *listInput) (*Page, error) {
	return h.Service.List(ctx, actor, in)
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *userInput) (*Detail, error) {
	return h.Service.Get(ctx, actor, in.Ref, in.ID)
}

func (h *Handler) timeline(ctx context.Context, actor control.Actor, in *timelineInput) (*Timeline, error) {
	return h.Service.Timeline(ctx, actor, in)
}

func (h *Handler) create(ctx context.Context, actor control.Actor, in *createInput) (*User, error) {
	return h.Service.Create(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) invite(ctx context.Context, actor control.Actor, in *inviteInput) (*User, error) {
	return h.Service.Invite(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*User, error) {
	return h.Service.Update(ctx, actor, in)
}

func (h *Handler) ban(ctx context.Context, actor control.Actor, in *banInput) (*User, error) {
	return h.Service.Ban(ctx, actor, in.ChangeInput, in.Body.Duration)
}

func (h *Handler) unban(ctx context.Context, actor control.Actor, in *ChangeInput) (*User, error) {
	return h.Service.Ban(ctx, actor, *in, unbanned)
}

func (h *Handler) remove(ctx context.Context, actor control.Actor, in *deleteInput) (*Done, error) {
	return done(h.Service.Delete(ctx, actor, in.ChangeInput, in.Soft))
}

func (h *Handler) mail(ctx context.Context, actor control.Actor, in *mailInput) (*Done, error) {
	return done(h.Service.Mail(ctx, actor, in))
}

func (h *Handler) link(ctx context.Context, actor control.Actor, in *mailInput) (*Link, error) {
	return h.Service.Link(ctx, actor, in)
}

func (h *Handler) endSessions(ctx context.Context, actor control.Actor, in *userInput) (*Done, error) {
	return done(h.Service.EndSessions(ctx, actor, in.Ref, in.ID))
}

func (h *Handler) endSession(ctx context.Context, actor control.Actor, in *sessionInput) (*Done, error) {
	return done(h.Service.part(ctx, actor, in.Ref, in.ID, in.SessionID, "session_id", h.Service.Accounts.EndSession))
}

func (h *Handler) unlink(ctx context.Context, actor control.Actor, in *identityInput) (*Done, error) {
	return done(h.Service.part(ctx, actor, in.Ref, in.ID, in.IdentityID, "identity_id", h.Service.Accounts.Unlink))
}

func (h *Handler) renameFactor(ctx context.Context, actor control.Actor, in *renameFactorInput) (*Done, error) {
	return done(h.Service.part(ctx, actor, in.Ref, in.ID, in.FactorID, "factor_id", func(ctx context.Context, sc *tenants.Scope, id, factor uuid.UUID) error {
		return h.Service.Accounts.RenameFactor(ctx, sc, id, factor, in.Body.FriendlyName)
	}))
}

func (h *Handler) deleteFactor(ctx context.Context, actor control.Actor, in *factorInput) (*Done, error) {
	return done(h.Service.part(ctx, actor, in.Ref, in.ID, in.FactorID, "factor_id", h.Service.Accounts.DeleteFactor))
}

func (h *Handler) deletePasskey(ctx context.Context, actor control.Actor, in *passkeyInput) (*Done, error) {
	return done(h.Service.part(ctx, actor, in.Ref, in.ID, in.PasskeyID, "passkey_id", h.Service.Accounts.DeletePasskey))
}

func (h *Handler) bulk(ctx context.Context, actor control.Actor, in *bulkInput) (*BulkResult, error) {
	return h.Service.Bulk(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) export(ctx context.Context, actor control.Actor, in *exportInput, out *control.Stream) error {
	return h.Service.Export(ctx, actor, in, out)
}

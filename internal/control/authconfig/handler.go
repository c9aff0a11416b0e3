// Package authconfig serves a project's auth configuration in the Management
// API: reading it, and changing single settings, where each change is a new
// version. It owns how secret settings are answered. Package setting declares
// the settings and their values.
package authconfig

import (
	"context"
	"net/http"

	"github.com/reevehq/reeve/internal/web/control"
)

// Handler serves the configuration's routes.
type Handler struct {
	Service *Service
}

// Mount registers the routes.
func (h *Handler) Mount(api control.API) {
	h.mountResource(api)
	const path = "/v1/projects/{ref}/config/auth"
	answer := answerSchema()
	control.Register(api, control.Operation{
		ID: "get-auth-config", Method: http.MethodGet, Path: path, Tag: "Auth configuration",
		Summary: "Get the auth configuration of a project", Answer: &answer,
	}, h.get)
	control.Register(api, control.Operation{
		ID: "update-auth-config", Method: http.MethodPatch, Path: path, Tag: "Auth configuration",
		Summary: "Change fields of the auth configuration; null brings a default back. With dry_run the answer has the changes and warnings",
		Body:    bodySchema(), Answer: &answer,
	}, h.update)
	control.Register(api, control.Operation{
		ID: "list-auth-config-versions", Method: http.MethodGet, Path: path + "/history", Tag: "Auth configuration",
		Summary: "List the versions of the auth configuration, the newest first",
	}, h.history)
	control.Register(api, control.Operation{
		ID: "compare-auth-config-versions", Method: http.MethodGet, Path: path + "/history/{version}", Tag: "Auth configuration",
		Summary: "Compare a version of the auth configuration with another one",
	}, h.compare)
	control.Register(api, control.Operation{
		ID: "rollback-auth-config", Method: http.MethodPost, Path: path + "/history/{version}/rollback", Tag: "Auth configuration",
		Summary: "Make the values of an earlier version a new version in force", Answer: &answer,
	}, h.rollback)
	h.mountMetadata(api, path)
	h.mountRateLimits(api, path)
	h.mountRedirect(api, path)
	h.mountTemplates(api, path)
	h.mountSMTP(api, path)
	h.mountProvider(api, path)
}

type getInput struct {
	Ref string `path:"ref"`
}

// TermsInput has the parameters of a change.
type TermsInput struct {
	Reason  string `query:"reason" maxLength:"500" doc:"Why, for the history."`
	DryRun  bool   `query:"dry_run" doc:"Change nothing; answer what would change, and warnings."`
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The ETag of the version that must be in force; otherwise 409."`
}

func (in TermsInput) terms() Terms {
	return Terms{Reason: in.Reason, DryRun: in.DryRun, Version: in.IfMatch}
}

type updateInput struct {
	TermsInput
	Ref  string `path:"ref"`
	Body control.Object
}

type historyInput struct {
	Ref    string `path:"ref"`
	Before int    `query:"before" minimum:"0" doc:"Only versions below this one."`
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"20"`
}

type compareInput struct {
	Ref     string `path:"ref"`
	Version int    `path:"version" minimum:"1" maximum:"2147483647"`
	From    int    `query:"from" minimum:"0" maximum:"2147483647" doc:"The version to compare with; the one before it when left out."`
}

type rollbackInput struct {
	TermsInput
	Ref     string `path:"ref"`
	Version int    `path:"version" minimum:"1" maximum:"2147483647"`
}

func (h *Handler) get(ctx context.Context, actor control.Actor, in *getInput) (*Config, error) {
	config, err := h.Service.Get(ctx, actor, in.Ref)
	return &config, err
}

func (h *Handler) update(ctx context.Context, actor control.Actor, in *updateInput) (*any, error) {
	out, err := h.Service.Update(ctx, actor, in.Ref, in.Body, in.terms())
	return &out, err
}

func (h *Handler) history(ctx context.Context, actor control.Actor, in *historyInput) (*[]Version, error) {
	out, err := h.Service.History(ctx, actor, in.Ref, in.Before, in.Limit)
	return &out, err
}

func (h *Handler) compare(ctx context.Context, actor control.Actor, in *compareInput) (*Difference, error) {
	return h.Service.Compare(ctx, actor, in.Ref, in.From, in.Version)
}

func (h *Handler) rollback(ctx context.Context, actor control.Actor, in *rollbackInput) (*any, error) {
	out, err := h.Service.Rollback(ctx, actor, in.Ref, in.Version, in.terms())
	return &out, err
}

package sso

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Directory administers how the directory of a connection's company provisions users by
// SCIM, by the service of the project's own admin routes. Faults are its own.
type Directory interface {
	Tokens(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]auth.SCIMToken, error)
	// NewToken makes a token and returns its text, which is not stored.
	NewToken(ctx context.Context, sc *tenants.Scope, id uuid.UUID, expires *time.Time) (auth.SCIMToken, string, error)
	RevokeToken(ctx context.Context, sc *tenants.Scope, id, token uuid.UUID) error
	// Log returns entries that are older than one, or the newest if it is 0.
	Log(ctx context.Context, sc *tenants.Scope, id uuid.UUID, before int64, failed bool, most int) ([]auth.SCIMLogEntry, error)
	// Replay makes the request of an entry again, and returns what was answered.
	Replay(ctx context.Context, sc *tenants.Scope, id uuid.UUID, entry int64) (status int, body any, err error)
}

// DirectoryTokens is what a directory is given, and the tokens that it has been given.
type DirectoryTokens struct {
	BaseURL string           `json:"base_url"`
	Items   []auth.SCIMToken `json:"items"`
}

// NewToken is a token that was made now.
type NewToken struct {
	BaseURL string         `json:"base_url"`
	Token   string         `json:"token" doc:"Shown this once."`
	Entry   auth.SCIMToken `json:"entry"`
}

// PushList is a page of the requests of a directory.
type PushList struct {
	Items []auth.SCIMLogEntry `json:"items"`
}

// Replayed is the answer to a request that was made again.
type Replayed struct {
	Status int `json:"status"`
	Body   any `json:"body"`
}

// NewTokenBody is a token to make.
type NewTokenBody struct {
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Never if it is left out."`
}

type newTokenInput struct {
	ConnectionInput
	Body NewTokenBody
}

type tokenInput struct {
	ConnectionInput
	Token string `path:"token_id" maxLength:"64"`
}

type pushesInput struct {
	ConnectionInput
	Limit  int   `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Before int64 `query:"before" minimum:"0" doc:"Entries that are older than this one."`
	Failed bool  `query:"failed" doc:"Those that were refused alone."`
}

type pushInput struct {
	ConnectionInput
	Entry string `path:"entry" maxLength:"20"`
}

func (h *Handler) mountDirectory(api control.API) {
	const at = one + "/scim"
	control.Register(api, op("list-scim-tokens", http.MethodGet, at+"/tokens", "List the SCIM tokens of a connection"), h.tokens)
	create := op("create-scim-token", http.MethodPost, at+"/tokens", "Make a SCIM token, which is shown once")
	create.Status = http.StatusCreated
	control.Register(api, create, h.newToken)
	control.Register(api, op("revoke-scim-token", http.MethodDelete, at+"/tokens/{token_id}", "End a SCIM token at once"), h.revokeToken)
	control.Register(api, op("list-scim-log", http.MethodGet, at+"/log", "List the requests of a connection's directory, the newest first"), h.pushes)
	control.Register(api, op("replay-scim-request", http.MethodPost, at+"/log/{entry}/replay", "Make a request of the directory again"), h.replay)
}

func (s *Service) directoryTokens(ctx context.Context, sc *tenants.Scope, id uuid.UUID) (*DirectoryTokens, error) {
	list, err := s.Directory.Tokens(ctx, sc, id)
	if err != nil {
		return nil, worded(err)
	}
	return &DirectoryTokens{BaseURL: directoryURL(sc), Items: append([]auth.SCIMToken{}, list...)}, nil
}

func directoryURL(sc *tenants.Scope) string { return sc.Tenant.Issuer() + "/scim/v2" }

func (h *Handler) tokens(ctx context.Context, actor control.Actor, in *ConnectionInput) (*DirectoryTokens, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.ReadAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	return h.Service.directoryTokens(ctx, sc, id)
}

func (h *Handler) newToken(ctx context.Context, actor control.Actor, in *newTokenInput) (*NewToken, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	if at := in.Body.ExpiresAt; at != nil && (at.Year() < 1 || at.Year() > 9999) {
		return nil, auth.ErrValidation.Saying("expires_at is out of range")
	}
	entry, text, err := h.Service.Directory.NewToken(ctx, sc, id, in.Body.ExpiresAt)
	if err != nil {
		return nil, worded(err)
	}
	return &NewToken{BaseURL: directoryURL(sc), Token: text, Entry: entry}, nil
}

func (h *Handler) revokeToken(ctx context.Context, actor control.Actor, in *tokenInput) (*DirectoryTokens, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteAuthConfig, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	token, err := uuid.Parse(in.Token)
	if err != nil {
		return nil, auth.ErrSCIMTokenNotFound.Because(err)
	}
	if err := h.Service.Directory.RevokeToken(ctx, sc, id, token); err != nil {
		return nil, worded(err)
	}
	return h.Service.directoryTokens(ctx, sc, id)
}

// pushes needs the right to read users: the requests are about them.
func (h *Handler) pushes(ctx context.Context, actor control.Actor, in *pushesInput) (*PushList, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.ReadUsers, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := h.Service.Directory.Log(ctx, sc, id, in.Before, in.Failed, in.Limit)
	if err != nil {
		return nil, worded(err)
	}
	return &PushList{Items: append([]auth.SCIMLogEntry{}, list...)}, nil
}

// replay needs the right to change users: it makes, changes and removes them.
func (h *Handler) replay(ctx context.Context, actor control.Actor, in *pushInput) (*Replayed, error) {
	sc, id, err := h.Service.openOne(ctx, actor, authz.WriteUsers, in.Ref, in.ID)
	if err != nil {
		return nil, err
	}
	entry, err := strconv.ParseInt(in.Entry, 10, 64)
	if err != nil {
		return nil, auth.ErrSCIMLogNotFound.Because(err)
	}
	status, body, err := h.Service.Directory.Replay(ctx, sc, id, entry)
	if err != nil {
		return nil, worded(err)
	}
	return &Replayed{Status: status, Body: body}, nil
}

package sso

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/connection"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Attempts in an answer.
const (
	defaultAttempts = 50
	maxAttempts     = 200
)

// attemptsRequest is the path and query of GET /admin/sso/providers/{id}/attempts.
type attemptsRequest struct {
	connection.Path
	page AttemptPage
}

// BindQuery implements web.QueryBinder.
func (r *attemptsRequest) BindQuery(q url.Values, param func(string) string) (err error) {
	if err := r.Path.BindQuery(q, param); err != nil {
		return err
	}
	r.page.Most = defaultAttempts
	if text := q.Get("limit"); text != "" {
		if r.page.Most, err = strconv.Atoi(text); err != nil || r.page.Most < 1 || r.page.Most > maxAttempts {
			return invalid("limit must be a number from 1 to %d", maxAttempts)
		}
	}
	if text := q.Get("before"); text != "" {
		if r.page.Before, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return auth.ErrValidation.Because(err).Saying("before must be a time as in RFC 3339")
		}
	}
	return nil
}

type attemptList struct {
	Items []auth.SSOAttempt `json:"items"`
}

func (h Handler) attempts(ctx context.Context, sc *tenants.Scope, req *attemptsRequest) (attemptList, error) {
	list, err := h.Service.Attempts(ctx, sc, req.Connection(), req.page)
	return attemptList{list}, inAdmin(err)
}

type keyList struct {
	Items []Key `json:"items"`
}

func (h Handler) keys(ctx context.Context, sc *tenants.Scope, _ *web.None) (keyList, error) {
	list, err := h.Service.Keys(ctx, sc)
	return keyList{list}, err
}

// addKeyRequest is the body of POST /admin/sso/keys, which says nothing.
type addKeyRequest struct{}

// BodyOptional implements web.BodyOptional.
func (*addKeyRequest) BodyOptional() {}

func (h Handler) addKey(ctx context.Context, sc *tenants.Scope, _ *addKeyRequest) (keyList, error) {
	list, err := h.Service.AddKey(ctx, sc)
	return keyList{list}, err
}

// namedKey is the path of DELETE /admin/sso/keys/{key_id}.
type namedKey struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *namedKey) BindQuery(_ url.Values, param func(string) string) (err error) {
	if r.id, err = uuid.Parse(param("key_id")); err != nil {
		return auth.ErrSAMLKeyNotFound.Because(err)
	}
	return nil
}

func (h Handler) removeKey(ctx context.Context, sc *tenants.Scope, req *namedKey) (keyList, error) {
	list, err := h.Service.RemoveKey(ctx, sc, req.id)
	return keyList{list}, err
}

package scim

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/connection"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

func (h Handler) mountAdmin(r web.Routes) {
	const at = "/admin/sso/providers/:id/scim"
	r.Admin(tenants.ScopeProvidersRead).GET(at+"/tokens", web.Tenant(http.StatusOK, connection.Found(h.tokens)))
	// What a token, the log and a replay reach are users.
	r.Admin(tenants.ScopeUsersWrite).POST(at+"/tokens", web.Tenant(http.StatusCreated, connection.Found(h.createToken)))
	r.Admin(tenants.ScopeProvidersWrite).DELETE(at+"/tokens/:token_id", web.Tenant(http.StatusNoContent, connection.Found(h.revokeToken)))
	r.Admin(tenants.ScopeUsersRead).GET(at+"/log", web.Tenant(http.StatusOK, connection.Found(h.log)))
	r.Admin(tenants.ScopeUsersWrite).POST(at+"/log/:entry/replay", web.Tenant(http.StatusOK, connection.Found(h.replay)))
}

func parse(text string, otherwise error) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(id.String()) {
		return id, otherwise
	}
	return id, nil
}

type tokenList struct {
	BaseURL string           `json:"base_url"` // what directories are given
	Items   []auth.SCIMToken `json:"items"`
}

func (h Handler) tokens(ctx context.Context, sc *tenants.Scope, req *connection.Path) (tokenList, error) {
	list, err := h.Service.Tokens(ctx, sc, req.Connection())
	return tokenList{base(sc), list}, err
}

// tokenRequest is the body and path of POST /admin/sso/providers/{id}/scim/tokens.
type tokenRequest struct {
	ExpiresAt *time.Time `json:"expires_at"`
	connection.Path
}

// BodyOptional implements web.BodyOptional.
func (*tokenRequest) BodyOptional() {}

// createdToken is the answer, with what the directory is given.
type createdToken struct {
	*Created
	BaseURL string `json:"base_url"`
}

func (h Handler) createToken(ctx context.Context, sc *tenants.Scope, req *tokenRequest) (*createdToken, error) {
	if at := req.ExpiresAt; at != nil && (at.Year() < 1 || at.Year() > 9999) {
		return nil, auth.ErrValidation.Saying("expires_at is out of range")
	}
	t, err := h.Service.CreateToken(ctx, sc, req.Connection(), req.ExpiresAt)
	if err != nil {
		return nil, err
	}
	return &createdToken{t, base(sc)}, nil
}

// namedToken names a token in its path too.
type namedToken struct {
	connection.Path
	token uuid.UUID
}

// BindQuery implements web.QueryBinder.
func (r *namedToken) BindQuery(q url.Values, param func(string) string) error {
	if err := r.Path.BindQuery(q, param); err != nil {
		return err
	}
	var err error
	r.token, err = parse(param("token_id"), auth.ErrSCIMTokenNotFound)
	return err
}

func (h Handler) revokeToken(ctx context.Context, sc *tenants.Scope, req *namedToken) (web.NoContent, error) {
	return web.NoContent{}, h.Service.RevokeToken(ctx, sc, req.Connection(), req.token)
}

// logQuery is the query of GET /admin/sso/providers/{id}/scim/log.
type logQuery struct {
	connection.Path
	before int64 // entries that are older than this one; 0 for all
	failed bool
	limit  int
}

// BindQuery implements web.QueryBinder.
func (r *logQuery) BindQuery(q url.Values, param func(string) string) error {
	if err := r.Path.BindQuery(q, param); err != nil {
		return err
	}
	r.limit = maxLogPage
	for name, into := range map[string]func(int64){"before": func(n int64) { r.before = n }, "limit": func(n int64) { r.limit = int(min(n, maxLogPage)) }} {
		if text := q.Get(name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 1 {
				return auth.ErrValidation.Saying(name + ": must be a positive integer")
			}
			into(n)
		}
	}
	if text := q.Get("failed"); text != "" {
		var err error
		if r.failed, err = strconv.ParseBool(text); err != nil {
			return auth.ErrValidation.Saying("failed: must be true or false")
		}
	}
	return nil
}

type logList struct {
	Items []auth.SCIMLogEntry `json:"items"`
}

func (h Handler) log(ctx context.Context, sc *tenants.Scope, req *logQuery) (logList, error) {
	list, err := h.Service.Log(ctx, sc, req.Connection(), req.before, req.failed, req.limit)
	return logList{list}, err
}

// logEntry names an entry of the log.
type logEntry struct {
	connection.Path
	entry int64
}

// BindQuery implements web.QueryBinder.
func (r *logEntry) BindQuery(q url.Values, param func(string) string) (err error) {
	if err := r.Path.BindQuery(q, param); err != nil {
		return err
	}
	if r.entry, err = strconv.ParseInt(param("entry"), 10, 64); err != nil {
		return auth.ErrSCIMLogNotFound
	}
	return nil
}

func (h Handler) replay(ctx context.Context, sc *tenants.Scope, req *logEntry) (*Replayed, error) {
	return h.Service.Replay(ctx, sc, req.Connection(), req.entry)
}

package account

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Sessions in an answer, and pages.
const (
	defaultSessions = 50
	maxSessions     = 100
	maxPage         = 1_000_000
)

// sessionsRequest is the query of GET /user/sessions.
type sessionsRequest struct{ page, size int }

// BindQuery implements web.QueryBinder.
func (r *sessionsRequest) BindQuery(q url.Values, _ func(string) string) (err error) {
	if r.page, err = number(q, "page", 1, maxPage); err != nil {
		return err
	}
	r.size, err = number(q, "per_page", defaultSessions, maxSessions)
	return err
}

// number reads a number from 1 to most.
func number(q url.Values, name string, unset, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return unset, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, auth.ErrValidation.Saying(fmt.Sprintf("%s: must be a number from 1 to %d", name, most))
	}
	return n, nil
}

// sessionList is a page of the user's sessions.
type sessionList struct {
	Sessions []session.View `json:"sessions"`
	Total    int64          `json:"total"`
}

func (h Handler) sessions(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *sessionsRequest) (sessionList, error) {
	page := session.Page{Skip: (req.page - 1) * req.size, Most: req.size}
	list, total, err := h.Service.Sessions.List(ctx, sc, &p.User, page, p.Session.ID)
	return sessionList{list, total}, err
}

// sessionRequest names a session in its path.
type sessionRequest struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder. What is not the id of a session is nobody's.
func (r *sessionRequest) BindQuery(_ url.Values, param func(string) string) error {
	text := param("id")
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 { // Parse also accepts other forms
		return session.ErrNoSuchSession
	}
	r.id = id
	return nil
}

func (h Handler) endSession(ctx context.Context, sc *tenants.Scope, p *auth.Principal, req *sessionRequest) (web.NoContent, error) {
	return web.NoContent{}, h.Service.EndSession(ctx, sc, p, req.id)
}

// EndSession ends a session of the user, which may be the caller's own.
// session.ErrNoSuchSession.
func (s Service) EndSession(ctx context.Context, sc *tenants.Scope, p *auth.Principal, id uuid.UUID) error {
	return sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		return s.Sessions.EndOne(ctx, tx, sc, &p.User, id, session.CauseLogout)
	})
}

package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	// maxSessions bounds a page of sessions.
	maxSessions = 100
	// maxHistory bounds the ended sessions, and the refreshes, in an answer.
	maxHistory = 50
	// maxRotations bounds the ordinary refreshes in an answer.
	maxRotations = 500
	// maxMatched bounds the sessions that are looked at for those of a provider.
	maxMatched = 10_000
)

// sessionsRequest is the path and query of GET /admin/users/{id}/sessions.
type sessionsRequest struct {
	byID
	page
}

// BindQuery implements web.QueryBinder.
func (r *sessionsRequest) BindQuery(q url.Values, param func(string) string) (err error) {
	if err := r.byID.BindQuery(q, param); err != nil {
		return err
	}
	r.page, err = bindPage(q, usersPath+"/"+r.id.String()+"/sessions")
	r.size = min(r.size, maxSessions)
	return err
}

// sessionList is a page of a user's sessions, and those that ended last.
type sessionList struct {
	Sessions []session.View      `json:"sessions"`
	Ended    []session.EndedView `json:"ended"`
	// Refreshes are those by tokens that had been used.
	Refreshes []session.RefreshView `json:"refreshes"`
	// Rotations are the ordinary refreshes of these sessions, ended ones included.
	Rotations []session.ChainView `json:"rotations"`
	page      page
	total     int64
}

// SetHeaders implements web.HeaderSetter.
func (l sessionList) SetHeaders(h http.Header) { l.page.headers(h, l.total) }

func (h Handler) sessions(ctx context.Context, sc *tenants.Scope, req *sessionsRequest) (out sessionList, err error) {
	u, err := h.Service.User(ctx, sc, req.id)
	if err != nil {
		return out, err
	}
	out.page = req.page
	at := session.Page{Skip: (req.number - 1) * req.size, Most: req.size}
	if out.Sessions, out.total, err = h.Service.Sessions.List(ctx, sc, u, at, uuid.Nil); err != nil {
		return out, err
	}
	if out.Ended, out.Refreshes, err = h.Service.Sessions.History(ctx, sc, u.ID, maxHistory); err != nil {
		return out, err
	}
	ids := make([]uuid.UUID, 0, len(out.Sessions)+len(out.Ended))
	for _, s := range out.Sessions {
		ids = append(ids, s.ID)
	}
	for _, s := range out.Ended {
		ids = append(ids, s.ID)
	}
	out.Rotations, err = h.Service.Sessions.Chain(ctx, sc, ids, maxRotations)
	return out, err
}

// sessionRequest names a session and its user in the path.
type sessionRequest struct {
	byID
	session uuid.UUID
}

// BindQuery implements web.QueryBinder.
func (r *sessionRequest) BindQuery(q url.Values, param func(string) string) error {
	if err := r.byID.BindQuery(q, param); err != nil {
		return err
	}
	id, ok := parseID(param("session_id"))
	if !ok {
		return session.ErrNoSuchSession
	}
	r.session = id
	return nil
}

func (h Handler) endSession(ctx context.Context, sc *tenants.Scope, req *sessionRequest) (web.NoContent, error) {
	return web.NoContent{}, h.Service.EndSession(ctx, sc, req.id, req.session)
}

// matching selects sessions by how they began; empty fields select all.
type matching struct{ provider, method string }

// endRequest is the path and query of DELETE /admin/users/{id}/sessions.
type endRequest struct {
	byID
	matching
}

// BindQuery implements web.QueryBinder.
func (r *endRequest) BindQuery(q url.Values, param func(string) string) error {
	if err := r.byID.BindQuery(q, param); err != nil {
		return err
	}
	r.provider, r.method = q.Get("provider"), q.Get("method")
	if len(r.provider) > maxSearch || len(r.method) > maxSearch {
		return auth.ErrValidation.Saying("provider, method: too long")
	}
	return nil
}

// ended is how many sessions a request ended.
type ended struct {
	Ended int `json:"ended"`
}

func (h Handler) endSessions(ctx context.Context, sc *tenants.Scope, req *endRequest) (ended, error) {
	n, err := h.Service.EndMatching(ctx, sc, req.id, req.matching)
	return ended{n}, err
}

// EndMatching ends the sessions of a user that began in a way, and returns how many.
// The rows of sessions do not name the provider, so the sessions of a provider are all
// that any external provider began, if the user has an identity of that one.
// auth.ErrUserNotFound.
func (s Service) EndMatching(ctx context.Context, sc *tenants.Scope, id uuid.UUID, m matching) (n int, err error) {
	err = s.change(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User) error {
		list, err := tx.SessionsOf(ctx, u.ID, maxMatched)
		if err != nil {
			return err
		}
		ids := []uuid.UUID{}
		for i := range list {
			if m.matches(u, &list[i]) {
				ids = append(ids, list[i].ID)
			}
		}
		if n = len(ids); n == 0 {
			return nil
		}
		which := session.These(ids)
		if m == (matching{}) {
			which = session.All
		}
		if err := s.Sessions.End(ctx, tx, sc, u, which, session.CauseAdmin); err != nil {
			return err
		}
		traits := audit.Traits{"sessions": n}
		if m.provider != "" {
			traits["provider"] = m.provider
		}
		if m.method != "" {
			traits["method"] = m.method
		}
		return audit.AdminWith(ctx, tx, sc, u, auth.ActionLogout, traits, s.Now())
	})
	return n, err
}

func (m matching) matches(u *auth.User, s *auth.Session) bool {
	if m.method != "" && string(s.Method()) != m.method {
		return false
	}
	if m.provider == "" {
		return true
	}
	return s.Method() == auth.MethodOAuth && slices.ContainsFunc(u.Identities, func(i auth.Identity) bool { return i.Provider == m.provider })
}

// logoutRequest is the path and query of POST /admin/users/{id}/logout.
type logoutRequest struct {
	byID
	which session.Which
}

// BindQuery implements web.QueryBinder.
func (r *logoutRequest) BindQuery(q url.Values, param func(string) string) error {
	if err := r.byID.BindQuery(q, param); err != nil {
		return err
	}
	id, named := parseID(q.Get("session_id"))
	switch scope := q.Get("scope"); {
	case scope == "" || scope == "global":
		r.which = session.All
	case scope != "local" && scope != "others":
		return auth.ErrValidation.Saying("scope: must be global, local or others")
	case !named:
		return auth.ErrValidation.Saying("session_id: must be the id of the session that the scope is about")
	case scope == "local":
		r.which = session.Only(id)
	default:
		r.which = session.AllBut(id)
	}
	return nil
}

func (h Handler) logout(ctx context.Context, sc *tenants.Scope, req *logoutRequest) (web.NoContent, error) {
	return web.NoContent{}, h.Service.Logout(ctx, sc, req.id, req.which)
}

// Logout ends sessions of a user. A session that which names must be the user's:
// session.ErrNoSuchSession; auth.ErrUserNotFound.
func (s Service) Logout(ctx context.Context, sc *tenants.Scope, id uuid.UUID, which session.Which) error {
	return s.change(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User) error {
		if named, ok := which.Names(); ok {
			has, err := tx.HasSession(ctx, u.ID, named)
			if err != nil {
				return err
			}
			if !has {
				return session.ErrNoSuchSession
			}
		}
		if err := s.Sessions.End(ctx, tx, sc, u, which, session.CauseAdmin); err != nil {
			return err
		}
		return audit.Admin(ctx, tx, sc, u, auth.ActionLogout, s.Now())
	})
}

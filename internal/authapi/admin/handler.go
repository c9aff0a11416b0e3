package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Handler serves /admin/users and /admin/audit.
type Handler struct{ Service Service }

const (
	usersPath = "/admin/users"
	auditPath = "/admin/audit"
)

// Mount adds the routes.
func (h Handler) Mount(r web.Routes) {
	r.Admin(tenants.ScopeUsersRead).GET(usersPath, web.Tenant(http.StatusOK, h.list))
	r.Admin(tenants.ScopeUsersWrite).POST(usersPath, web.Tenant(http.StatusOK, h.create))
	r.Admin(tenants.ScopeUsersRead).GET(usersPath+"/:id", web.Tenant(http.StatusOK, h.get))
	r.Admin(tenants.ScopeUsersWrite).PUT(usersPath+"/:id", web.Tenant(http.StatusOK, h.update))
	r.Admin(tenants.ScopeUsersWrite).DELETE(usersPath+"/:id", web.Tenant(http.StatusOK, h.delete))
	r.Admin(tenants.ScopeUsersRead).GET(usersPath+"/:id/sessions", web.Tenant(http.StatusOK, h.sessions))
	r.Admin(tenants.ScopeUsersWrite).DELETE(usersPath+"/:id/sessions", web.Tenant(http.StatusOK, h.endSessions))
	r.Admin(tenants.ScopeUsersWrite).DELETE(usersPath+"/:id/sessions/:session_id", web.Tenant(http.StatusNoContent, h.endSession))
	r.Admin(tenants.ScopeUsersWrite).POST(usersPath+"/:id/logout", web.Tenant(http.StatusNoContent, h.logout))
	r.Admin(tenants.ScopeUsersRead).GET(usersPath+"/:id/factors", web.Tenant(http.StatusOK, h.factors))
	r.Admin(tenants.ScopeUsersWrite).PUT(usersPath+"/:id/factors/:factor_id", web.Tenant(http.StatusOK, h.renameFactor))
	r.Admin(tenants.ScopeUsersWrite).DELETE(usersPath+"/:id/factors/:factor_id", web.Tenant(http.StatusOK, h.deleteFactor))
	r.Admin(tenants.ScopeUsersWrite).DELETE(usersPath+"/:id/factors/recovery-codes", web.Tenant(http.StatusOK, h.deleteCodes))
	r.Admin(tenants.ScopeAuditRead).GET(auditPath, web.Tenant(http.StatusOK, h.audit))
}

// errBadID is the reference's answer to an id that is not a UUID.
var errBadID = fault.New(fault.NotFound, "validation_failed", "The user id must be a UUID")

func parseID(s string) (uuid.UUID, bool) {
	id, err := uuid.Parse(s)
	// Parse also accepts braces, urn: and no hyphens; the wire has one form.
	return id, err == nil && len(s) == 36
}

// byID is a request that names a user in its path.
type byID struct{ id uuid.UUID }

// BindQuery implements web.QueryBinder.
func (r *byID) BindQuery(_ url.Values, param func(string) string) error {
	id, ok := parseID(param("id"))
	if !ok {
		return errBadID
	}
	r.id = id
	return nil
}

func (h Handler) get(ctx context.Context, sc *tenants.Scope, req *byID) (*auth.User, error) {
	return h.Service.User(ctx, sc, req.id)
}

func (h Handler) create(ctx context.Context, sc *tenants.Scope, req *Attributes) (*auth.User, error) {
	return h.Service.Create(ctx, sc, req)
}

// updateRequest is the body and path of PUT /admin/users/{id}.
type updateRequest struct {
	Attributes
	byID
}

func (h Handler) update(ctx context.Context, sc *tenants.Scope, req *updateRequest) (*auth.User, error) {
	return h.Service.Update(ctx, sc, req.id, &req.Attributes)
}

// deleteRequest is the body and path of DELETE /admin/users/{id}.
type deleteRequest struct {
	SoftDelete bool `json:"should_soft_delete"`
	byID
}

type empty struct{}

func (h Handler) delete(ctx context.Context, sc *tenants.Scope, req *deleteRequest) (empty, error) {
	if req.SoftDelete {
		return empty{}, h.Service.SoftDelete(ctx, sc, req.id, nil)
	}
	return empty{}, h.Service.Delete(ctx, sc, req.id, nil)
}

// listRequest is the query of GET /admin/users.
type listRequest struct {
	page
	filter string
	oldest bool
}

// BindQuery implements web.QueryBinder.
func (r *listRequest) BindQuery(q url.Values, _ func(string) string) (err error) {
	if r.page, err = bindPage(q, usersPath); err != nil {
		return err
	}
	if r.oldest, err = r.oldestFirst(q); err != nil {
		return err
	}
	r.filter, err = r.searchFor(q, "filter")
	return err
}

// userList is a page of users; their identities are null, as in the reference.
type userList struct {
	Users []auth.User `json:"users"`
	Aud   string      `json:"aud"`
	page  page
	total int64
}

// SetHeaders implements web.HeaderSetter.
func (l userList) SetHeaders(h http.Header) { l.page.headers(h, l.total) }

func (h Handler) list(ctx context.Context, sc *tenants.Scope, req *listRequest) (userList, error) {
	users, total, err := h.Service.List(ctx, sc, tenantdb.UserPage{Page: req.number, PerPage: req.size, Filter: req.filter, OldestFirst: req.oldest})
	if users == nil {
		users = []auth.User{}
	}
	return userList{Users: users, Aud: auth.Audience, page: req.page, total: total}, err
}

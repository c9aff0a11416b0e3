package web

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/token"
)

// Routes are the groups that the flows of the tenant plane mount their routes on.
// A group says who may call; limits are named with each route.
type Routes struct {
	Open  Group[Endpoint]     // anyone; an API key that is sent must be good
	Keyed Group[Endpoint]     // with an API key
	User  Group[UserEndpoint] // with an API key and a user's access token
	Admin Group[Endpoint]     // with a secret key
}

// Endpoint is a function that Tenant adapted to HTTP.
type Endpoint gin.HandlerFunc

// UserEndpoint is a function that User adapted to HTTP. It can be mounted only
// where there is a user.
type UserEndpoint gin.HandlerFunc

// Group is a set of routes that the same callers may use.
type Group[E Endpoint | UserEndpoint] struct {
	router gin.IRouter
	limits Limits
	// counted are the limits of the routes; admit refuses callers after them.
	counted, admit []gin.HandlerFunc
}

// NewRoutes makes the groups. open and keyed give a request its scope; keyed
// refuses requests without an API key.
func NewRoutes(open, keyed gin.IRouter, v *token.Verifier, l Limits) Routes {
	return Routes{
		Open:  Group[Endpoint]{router: open, limits: l},
		Keyed: Group[Endpoint]{router: keyed, limits: l},
		User:  Group[UserEndpoint]{router: keyed, limits: l, admit: []gin.HandlerFunc{requireUser(v)}},
		Admin: Group[Endpoint]{router: keyed, limits: l, admit: []gin.HandlerFunc{requireAdmin(v)}},
	}
}

// With returns the group for routes that the limits count, each for itself.
func (g Group[E]) With(limits ...Limit) Group[E] {
	g.counted = slices.Clone(g.counted)
	for _, l := range limits {
		g.counted = append(g.counted, g.limits.ByAddress(l))
	}
	return g
}

// GET adds a route.
func (g Group[E]) GET(path string, e E) { g.add(http.MethodGet, path, e) }

// POST adds a route.
func (g Group[E]) POST(path string, e E) { g.add(http.MethodPost, path, e) }

// PUT adds a route.
func (g Group[E]) PUT(path string, e E) { g.add(http.MethodPut, path, e) }

// PATCH adds a route.
func (g Group[E]) PATCH(path string, e E) { g.add(http.MethodPatch, path, e) }

// DELETE adds a route.
func (g Group[E]) DELETE(path string, e E) { g.add(http.MethodDelete, path, e) }

func (g Group[E]) add(method, path string, e E) {
	g.router.Handle(method, path, slices.Concat(g.counted, g.admit, []gin.HandlerFunc{gin.HandlerFunc(e)})...)
}

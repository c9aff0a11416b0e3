package web

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// Routes are the groups on which the flows of the tenant plane mount their
// routes. A group determines who may call; limits are set for each route.
type Routes struct {
	// Always is Open for what a project answers while it is paused too.
	Always Group[Endpoint]
	Open   Group[Endpoint]     // anyone; an API key, if sent, must be valid
	Keyed  Group[Endpoint]     // with an API key
	User   Group[UserEndpoint] // with an API key and a user's access token
	// Owing is User for sessions too that owe the second factor of the project's MFA
	// policy: for what they need to enroll or prove one, or to leave.
	Owing Group[UserEndpoint]
	// OwingPasskey is User, and Owing for users without a factor where a sign-in with a
	// passkey reaches aal2.
	OwingPasskey Group[UserEndpoint]
	// Admin is the group for a secret key that has the scope.
	Admin func(tenants.KeyScope) Group[Endpoint]
}

// Endpoint is a function adapted to HTTP by Tenant.
type Endpoint gin.HandlerFunc

// UserEndpoint is a function adapted to HTTP by User. It can be mounted only on
// groups with a user.
type UserEndpoint gin.HandlerFunc

// Group is a set of routes that the same callers may use.
type Group[E Endpoint | UserEndpoint] struct {
	router  gin.IRouter
	limits  Limits
	captcha Captcha
	// counted are the limits of the routes; admit checks callers after them.
	counted, admit []gin.HandlerFunc
}

// NewRoutes returns the groups. always, open and keyed set a request's scope; open
// and keyed refuse those of paused projects, keyed those without an API key.
func NewRoutes(always, open, keyed gin.IRouter, v *token.Verifier, l Limits, captcha Captcha) Routes {
	return Routes{
		Always: Group[Endpoint]{router: always, limits: l},
		Open:   Group[Endpoint]{router: open, limits: l},
		Keyed:  Group[Endpoint]{router: keyed, limits: l, captcha: captcha},
		User:   Group[UserEndpoint]{router: keyed, limits: l, admit: []gin.HandlerFunc{requireUser(v, nil)}},
		Owing:  Group[UserEndpoint]{router: keyed, limits: l, admit: []gin.HandlerFunc{requireUser(v, func(*tenants.Config, token.Owed) bool { return true })}},
		OwingPasskey: Group[UserEndpoint]{router: keyed, limits: l, admit: []gin.HandlerFunc{requireUser(v, func(c *tenants.Config, owed token.Owed) bool {
			return owed.What == token.OwesEnroll && c.PasskeyCounts()
		})}},
		Admin: func(s tenants.KeyScope) Group[Endpoint] {
			return Group[Endpoint]{router: keyed, limits: l, admit: []gin.HandlerFunc{requireAdmin(v, s)}}
		},
	}
}

// With returns the group with limits, each counted separately.
func (g Group[E]) With(limits ...Limit) Group[E] {
	g.counted = slices.Clone(g.counted)
	for _, l := range limits {
		g.counted = append(g.counted, g.limits.ByAddress(l))
	}
	return g
}

// WithCaptcha returns the group of Routes.Keyed with routes that need a solved
// captcha where the project says so. It is checked after the limits; unless
// excepts requests.
func (g Group[E]) WithCaptcha(unless ...func(*http.Request) bool) Group[E] {
	g.counted = append(slices.Clone(g.counted), requireCaptcha(g.captcha, unless))
	return g
}

// GET adds a route.
func (g Group[E]) GET(path string, e E) { g.add(http.MethodGet, path, e) }

// HEAD adds a route.
func (g Group[E]) HEAD(path string, e E) { g.add(http.MethodHead, path, e) }

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

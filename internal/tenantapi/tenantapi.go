// Package tenantapi lists the flows of the tenant plane and gives each service
// what it needs. A new flow gets its line here, for the server and for the flows'
// own tests alike.
package tenantapi

import (
	"time"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/authapi/account"
	"github.com/reevehq/reeve/internal/authapi/admin"
	"github.com/reevehq/reeve/internal/authapi/adminlink"
	"github.com/reevehq/reeve/internal/authapi/discovery"
	"github.com/reevehq/reeve/internal/authapi/grant"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/recovery"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/signup"
	"github.com/reevehq/reeve/internal/authapi/verify"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
)

// Flows is what the flows need.
type Flows struct {
	Mailer    *mail.Mailer
	Passwords *password.Hasher
	Verifier  *token.Verifier
	// Guesses counts wrong passwords and codes.
	Guesses *ratelimit.Limiter
	// Limits counts requests by address.
	Limits  web.Limits
	Version string
	Now     func() time.Time
}

// flow is what serves some routes of the tenant plane.
type flow interface{ Mount(web.Routes) }

// Mount adds every route of the tenant plane. The groups give a request its
// tenant; keyed refuses those without an API key.
func (f Flows) Mount(open, keyed gin.IRouter) {
	routes := web.NewRoutes(open, keyed, f.Verifier, f.Limits)
	for _, flow := range f.all() {
		flow.Mount(routes)
	}
}

// all lists the flows; each handler's Mount says which routes it has, who may
// call them and what limits them.
func (f Flows) all() []flow {
	sessions := session.Sessions{Tokens: token.Issuer{Now: f.Now}, Now: f.Now}
	return []flow{
		discovery.Handler{Version: f.Version},
		signup.Handler{Service: signup.Service{Sessions: sessions, Mailer: f.Mailer, Hasher: f.Passwords, Now: f.Now}},
		grant.Handler{Service: grant.Service{Sessions: sessions, Hasher: f.Passwords, Guesses: f.Guesses, Now: f.Now}},
		verify.Handler{Service: verify.Service{Sessions: sessions, Guesses: f.Guesses, Now: f.Now}},
		recovery.Handler{Service: recovery.Service{Mailer: f.Mailer, Now: f.Now}},
		account.Handler{Service: account.Service{Mailer: f.Mailer, Hasher: f.Passwords, Now: f.Now}},
		admin.Handler{Service: admin.Service{Hasher: f.Passwords, Now: f.Now}},
		adminlink.Handler{Service: adminlink.Service{Mailer: f.Mailer, Hasher: f.Passwords, Now: f.Now}},
	}
}

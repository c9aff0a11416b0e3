// Package tenantapi puts the flows of the tenant plane together: which service
// gets what, and which routes are open, keyed and limited. A new flow is mounted
// here, for the server and for the flows' own tests alike.
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
	"github.com/reevehq/reeve/tenants"
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

// Mount adds every route of the tenant plane. The groups give a request its
// tenant; keyed refuses those without an API key.
func (f Flows) Mount(open, keyed gin.IRouter) {
	sessions := session.Sessions{Tokens: token.Issuer{Now: f.Now}, Now: f.Now}
	users, admins := web.Users{Verifier: f.Verifier}, web.Admins{Verifier: f.Verifier}

	about := discovery.Handler{Version: f.Version}
	about.MountOpen(open)
	about.Mount(keyed)

	redeem := verify.Handler{Service: verify.Service{Sessions: sessions, Guesses: f.Guesses, Now: f.Now}}
	redeem.MountLink(open.Group("", f.verify()))
	redeem.Mount(keyed.Group("", f.verify()))

	signup.Handler{Service: signup.Service{Sessions: sessions, Mailer: f.Mailer, Hasher: f.Passwords, Now: f.Now}}.
		Mount(keyed.Group("", f.otp("signup")))
	grant.Handler{Service: grant.Service{Sessions: sessions, Hasher: f.Passwords, Guesses: f.Guesses, Now: f.Now}}.
		Mount(keyed.Group("", f.token()))
	account.Handler{Service: account.Service{Mailer: f.Mailer, Hasher: f.Passwords, Now: f.Now}, Users: users}.
		Mount(keyed, f.otp("user"))
	recovery.Handler{Service: recovery.Service{Mailer: f.Mailer, Now: f.Now}}.
		Mount(keyed, f.otp("recover"), f.otp("resend"))
	admin.Handler{Service: admin.Service{Hasher: f.Passwords, Now: f.Now}, Admins: admins}.Mount(keyed)
	adminlink.Handler{Service: adminlink.Service{Mailer: f.Mailer, Hasher: f.Passwords, Now: f.Now}, Admins: admins}.Mount(keyed)
}

// otp is the limit of routes that send mails: one rule, a bucket a route.
func (f Flows) otp(route string) gin.HandlerFunc {
	return f.Limits.ByAddress(func(c *tenants.Config) ratelimit.Rule { return ratelimit.OTP(c.RateLimitOTP).For(route) })
}

func (f Flows) verify() gin.HandlerFunc {
	return f.Limits.ByAddress(func(c *tenants.Config) ratelimit.Rule { return ratelimit.Verify(c.RateLimitVerify) })
}

func (f Flows) token() gin.HandlerFunc {
	return f.Limits.ByAddress(func(c *tenants.Config) ratelimit.Rule { return ratelimit.Token(c.RateLimitTokenRefresh) })
}

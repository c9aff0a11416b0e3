// Package tenantapi lists the flows of the tenant plane and passes each service
// its dependencies. A new flow is added here, both for the server and for the
// flows' own tests.
package tenantapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authapi/account"
	"github.com/reevehq/reeve/internal/authapi/admin"
	"github.com/reevehq/reeve/internal/authapi/adminlink"
	"github.com/reevehq/reeve/internal/authapi/customprovider"
	"github.com/reevehq/reeve/internal/authapi/discovery"
	"github.com/reevehq/reeve/internal/authapi/external"
	"github.com/reevehq/reeve/internal/authapi/factor"
	"github.com/reevehq/reeve/internal/authapi/grant"
	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/newdevice"
	"github.com/reevehq/reeve/internal/authapi/otp"
	"github.com/reevehq/reeve/internal/authapi/passkey"
	"github.com/reevehq/reeve/internal/authapi/recovery"
	"github.com/reevehq/reeve/internal/authapi/revoked"
	"github.com/reevehq/reeve/internal/authapi/scim"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/setuplink"
	"github.com/reevehq/reeve/internal/authapi/signup"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/authapi/verify"
	"github.com/reevehq/reeve/internal/geo"
	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/keyset"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/tenants"
)

// Flows are the dependencies of the flows.
type Flows struct {
	Mailer    *mail.Mailer
	Texter    *sms.Texter
	Passwords *password.Hasher
	Verifier  *token.Verifier
	// Guesses counts wrong passwords and codes.
	Guesses *ratelimit.Limiter
	// Captcha verifies captchas; needed for projects that require them.
	Captcha web.Captcha
	// Leaked is the list of leaked passwords; nil for none.
	Leaked strength.List
	// Limits counts requests by address.
	Limits web.Limits
	// Active records the users already counted in the billing period.
	Active *session.Activity
	// Providers finds the external identity providers of a project.
	Providers idp.Providers
	// Hooks calls the hooks of projects; nil calls none.
	Hooks *hook.Hooks
	// Places finds where sessions are; nil for nowhere.
	Places *geo.Places
	// Revoked keeps lists of ended sessions for a moment; nil for none.
	Revoked *revoked.Kept
	// Metadata fetches the metadata of identity providers.
	Metadata *http.Client
	// OpenID speaks with identity providers of enterprise connections.
	OpenID sso.OpenID
	// Resolver looks up the records that prove domains; the machine's when nil.
	Resolver sso.Resolver
	// PlainHTTP allows custom providers and metadata without TLS, for development.
	PlainHTTP bool
	// OldSets collects who asks for old key sets; nil for nobody.
	OldSets *keyset.Requests
	// SetupPage is the address of the pages of setup links, without the project's ref.
	SetupPage string
	Version   string
	Now       func() time.Time
}

// flow is a handler with routes.
type flow interface{ Mount(web.Routes) }

// Mount adds every route of the tenant plane. The groups assign a request its
// tenant; open and keyed refuse those of paused projects, keyed those without an
// API key.
func (f Flows) Mount(always, open, keyed gin.IRouter) {
	routes := web.NewRoutes(always, open, keyed, f.Verifier, f.Limits, f.Captcha)
	for _, flow := range f.all() {
		flow.Mount(routes)
	}
}

// Sessions returns the session service that the flows use.
func (f Flows) Sessions() session.Sessions {
	s := session.Sessions{Tokens: token.Issuer{Now: f.Now}, Active: f.Active, Places: f.Places, Now: f.Now}
	if f.Hooks != nil {
		s.Hook = hook.TokenHook{Hooks: f.Hooks}
	}
	if f.Mailer != nil {
		s.Devices = newdevice.Watcher{Mailer: f.Mailer, Places: f.Places, Now: f.Now}
	}
	return s
}

// Users returns the service of users that the flows use.
func (f Flows) Users() users.Users {
	u := users.Users{Sessions: f.Sessions(), Now: f.Now}
	if f.Hooks != nil {
		u.Hooks = hook.UserHooks{Hooks: f.Hooks}
	}
	return u
}

// attempts is told tries of passwords; nil without hooks.
func (f Flows) attempts() grant.Attempts {
	if f.Hooks == nil {
		return nil
	}
	return f.Hooks
}

// factorAttempts is told tries of second factors; nil without hooks.
func (f Flows) factorAttempts() factor.Attempts {
	if f.Hooks == nil {
		return nil
	}
	return f.Hooks
}

// Connections are the enterprise connections of projects.
func (f Flows) Connections() sso.Service { return f.connections(f.Users()) }

func (f Flows) connections(people users.Users) sso.Service {
	resolver := f.Resolver
	if resolver == nil {
		resolver = sso.ResolverAt("")
	}
	return sso.Service{Users: people, Mailer: f.Mailer, Client: f.Metadata, Resolver: resolver, OpenID: f.OpenID, PlainHTTP: f.PlainHTTP}
}

// SetupLinks returns the service of setup links that the flows use.
func (f Flows) SetupLinks() setuplink.Service {
	people := f.Users()
	directories := scim.Service{Users: people}
	token := func(ctx context.Context, sc *tenants.Scope, connection uuid.UUID) (string, error) {
		made, err := directories.CreateToken(ctx, sc, connection, nil)
		if err != nil {
			return "", err
		}
		return made.Token, nil
	}
	return setuplink.Service{Connections: f.connections(people), CreateSCIMToken: token, PageURL: f.SetupPage, Limiter: f.Limits.Limiter, Now: f.Now}
}

// all lists the flows; each handler's Mount says which routes it has, who may
// call them and what limits them.
func (f Flows) all() []flow {
	sessions := f.Sessions()
	people := f.Users()
	persons := idp.Service{Users: people, Mailer: f.Mailer}
	passwords := strength.Checker{Leaked: f.Leaked}
	connections := f.connections(people)
	return []flow{
		discovery.Handler{Version: f.Version, OldSets: f.OldSets, Now: f.Now},
		revoked.Handler{Now: f.Now, Kept: f.Revoked},
		signup.Handler{
			Service: signup.Service{Users: people, Mailer: f.Mailer, Texter: f.Texter, Hasher: f.Passwords, Strength: passwords}, Limiter: f.Limits.Limiter,
		},
		grant.Handler{Grants: map[string]grant.Grant{
			"password":      grant.Password{Sessions: sessions, Hasher: f.Passwords, Strength: passwords, Guesses: f.Guesses, Attempts: f.attempts()},
			"refresh_token": grant.Refresh{Sessions: sessions},
			"pkce":          grant.PKCE{Sessions: sessions},
			"id_token":      grant.IDToken{Service: persons, Providers: f.Providers, Verifier: f.Verifier},
		}},
		external.Handler{Service: external.Service{Service: persons, Providers: f.Providers}},
		verify.Handler{Service: verify.Service{Users: people, Guesses: f.Guesses, Texter: f.Texter}},
		otp.Handler{Service: otp.Service{Users: people, Mailer: f.Mailer, Texter: f.Texter}},
		recovery.Handler{Service: recovery.Service{Users: people, Mailer: f.Mailer, Texter: f.Texter}},
		account.Handler{Service: account.Service{
			Users: people, Mailer: f.Mailer, Texter: f.Texter, Hasher: f.Passwords, Strength: passwords, Guesses: f.Guesses, Remote: connections,
		}},
		factor.Handler{Service: factor.Service{Sessions: sessions, Guesses: f.Guesses, Attempts: f.factorAttempts(), Hasher: f.Passwords, Mailer: f.Mailer, Texter: f.Texter}},
		admin.Handler{Service: admin.Service{Users: people, Hasher: f.Passwords, Strength: passwords, Mailer: f.Mailer}},
		newdevice.Handler{Sessions: sessions, Mailer: f.Mailer},
		passkey.Handler{Service: passkey.Service{Sessions: sessions}},
		customprovider.Handler{Service: customprovider.Service{PlainHTTP: f.PlainHTTP, Now: f.Now}},
		sso.Handler{Service: connections},
		scim.Handler{Service: scim.Service{Users: people}},
		setuplink.Handler{Service: f.SetupLinks()},
		adminlink.Handler{Service: adminlink.Service{Users: people, Mailer: f.Mailer, Hasher: f.Passwords, Strength: passwords}},
	}
}

package server

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	tenantside "github.com/reevehq/reeve/internal/authapi/customprovider"
	"github.com/reevehq/reeve/internal/authapi/revoked"
	"github.com/reevehq/reeve/internal/authapi/scim"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/control/accesstoken"
	"github.com/reevehq/reeve/internal/control/advisor"
	"github.com/reevehq/reeve/internal/control/apikey"
	"github.com/reevehq/reeve/internal/control/auditlog"
	"github.com/reevehq/reeve/internal/control/authconfig"
	"github.com/reevehq/reeve/internal/control/billing"
	"github.com/reevehq/reeve/internal/control/customprovider"
	"github.com/reevehq/reeve/internal/control/database"
	controlhook "github.com/reevehq/reeve/internal/control/hook"
	"github.com/reevehq/reeve/internal/control/hosted"
	"github.com/reevehq/reeve/internal/control/inbox"
	"github.com/reevehq/reeve/internal/control/leak"
	"github.com/reevehq/reeve/internal/control/logs"
	"github.com/reevehq/reeve/internal/control/member"
	"github.com/reevehq/reeve/internal/control/operator"
	"github.com/reevehq/reeve/internal/control/org"
	"github.com/reevehq/reeve/internal/control/permission"
	"github.com/reevehq/reeve/internal/control/profile"
	"github.com/reevehq/reeve/internal/control/project"
	"github.com/reevehq/reeve/internal/control/servicetoken"
	"github.com/reevehq/reeve/internal/control/setuplink"
	"github.com/reevehq/reeve/internal/control/signingkey"
	controlsso "github.com/reevehq/reeve/internal/control/sso"
	"github.com/reevehq/reeve/internal/control/thirdparty"
	"github.com/reevehq/reeve/internal/control/usage"
	"github.com/reevehq/reeve/internal/control/user"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/tenantapi"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// handler wires every route of the main port.
func (s *Server) handler() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.Use(web.Common{Logger: s.log, AccessLog: s.config.HTTP.AccessLog, Errors: errorShapes()}.Handler(), web.CORS())

	engine.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	engine.GET("/readyz", s.readyz)

	s.mountFront(engine)
	s.mountApp(engine)
	engine.NoMethod(web.MethodNotAllowed)

	s.mountBrowsers(engine)
	s.mountControl(engine)
	// At /auth/v1 a project is addressed by its host or by its key, elsewhere
	// by its path.
	s.mountTenants(engine.Group("/auth/v1"))
	s.mountTenants(engine.Group("/p/:ref/auth/v1"))
	return engine
}

// errorShapes are the error shapes of the groups of routes.
func errorShapes() web.Errors {
	return web.Errors{
		{Path: "/", Write: web.Pages(control.WriteError)},
		{Path: "/v1", Write: control.WriteError},
		{Path: "/v2", Write: control.WriteError},
		{Path: "/dashboard", Write: control.WriteError},
		{Path: "/auth/v1", Write: web.Pages(web.AuthErrors)},
		{Path: "/auth/v1" + scim.Path, Write: scim.WriteError},
		{Path: "/p", Write: web.Pages(web.AuthErrors)},
	}
}

// frontPaths are the paths of Options.Front.
var frontPaths = []string{"/dev/*path", "/landing/:ref"}

// mountFront adds the pages for people to the main host. Projects' hosts and
// programs get the answer for a path without a route.
func (s *Server) mountFront(engine *gin.Engine) {
	if s.front == nil {
		return
	}
	front := web.ForPeople(s.isMain, s.front)
	for _, path := range frontPaths {
		engine.GET(path, front)
		engine.POST(path, front)
	}
}

// Ping reports whether the control database can be reached.
func (s *Server) Ping(ctx context.Context) error { return s.control.Ping(ctx) }

// readyz answers 200 when requests can be served.
func (s *Server) readyz(c *gin.Context) {
	if !s.ready.Load() {
		c.Header("Retry-After", "1")
		c.String(http.StatusServiceUnavailable, "not ready yet\n")
		return
	}
	if err := s.Ping(c.Request.Context()); err != nil {
		c.Header("Retry-After", "1")
		c.String(http.StatusServiceUnavailable, "the control database cannot be reached\n")
		return
	}
	c.String(http.StatusOK, "ready\n")
}

// mountControl adds the Management API.
func (s *Server) mountControl(engine *gin.Engine) control.API {
	management := &control.Server{DB: s.control, Keyring: s.keyring, Log: s.log, Version: s.version, Session: s.sessionActor, Cookie: s.browsers.Credential, Person: s.checkPerson, ClientIP: s.clientIP, Now: s.now, Changed: func(ref tenants.Ref) {
		s.registry.Changed(tenants.Change{Ref: ref})
	}}
	api := management.Mount(engine)
	describeBrowsers(api)
	management.Open(engine, control.Operation{ID: "report-leaked-keys", Method: http.MethodPost, Path: leak.Path, Status: http.StatusAccepted}, s.leaks.Report)
	access := s.access
	limits := s.config.Limits
	(&org.Handler{Service: &org.Service{
		DB: s.control, Authz: access, MaxOrganizations: limits.MaxOrganizationsPerUser, MaxProjects: limits.MaxProjectsPerOrganization,
		MaxEphemeral: limits.MaxEphemeralPerOrganization, Now: s.now,
	}}).Mount(api)
	(&permission.Handler{Authz: access}).Mount(api)
	(&project.Handler{Service: &project.Service{
		DB: s.control, Authz: access, Provision: s.provision, Servers: s.cluster, URL: s.projectURL, Mail: s.mailOfProjects(), Now: s.now, Log: s.log,
	}}).Mount(api)
	(&apikey.Handler{Service: &apikey.Service{DB: s.control, Authz: access, Now: s.now, Log: s.log}}).Mount(api)
	checker := message.NewChecker(1)
	(&authconfig.Handler{Service: &authconfig.Service{
		DB: s.control, Authz: access, CheckTemplate: checker.Check, WaysIn: s.waysIn, Trials: s.trials(checker), Now: s.now,
	}}).Mount(api)
	(&signingkey.Handler{Service: &signingkey.Service{DB: s.control, Authz: access, Now: s.now}}).Mount(api)
	(&controlhook.Handler{Service: &controlhook.Service{
		DB: s.control, Authz: access, Open: s.memberScope, Tenant: s.registry.Tenant, Changed: s.registry.Changed,
		Hooks: s.hooks, Now: s.now,
	}}).Mount(api)
	messages := &inbox.Service{DB: s.control, Authz: access, Dev: s.dev}
	(&inbox.Handler{Service: messages}).Mount(api)
	(&inbox.PlatformHandler{Service: messages}).Mount(api)
	(&logs.Handler{Service: &logs.Service{DB: s.control, Authz: access, Stopping: s.stopping, Audit: s.recentAudit}}).Mount(api)
	(&usage.Handler{Service: &usage.Service{DB: s.control, Authz: access, Now: s.now}}).Mount(api)
	(&billing.Handler{Service: &billing.Service{DB: s.control, Authz: access, Ledgers: s.ledgers(), Now: s.now}}).Mount(api)
	(&hosted.Handler{Authz: access}).Mount(api)
	(&advisor.Handler{DB: s.control, Authz: access, Inspect: s.provision.Inspect}).Mount(api)
	trusted := &thirdparty.Service{DB: s.control, Authz: access, OIDC: s.oidc, Ours: s.ours, PlainHTTP: s.dev, Now: s.now}
	(&database.Handler{Service: &database.Service{
		Authz: access, Now: s.now, Session: s.provision.Session, Catalogs: s.provision.Catalogs, Token: bearers{s, trusted}.Claims,
	}}).Mount(api)
	(&thirdparty.Handler{Service: trusted}).Mount(api)
	(&profile.Handler{User: s.platformUser, Account: s.newDashboardAccounts(), Factors: s.newDashboardFactors(), Operator: s.isOperator}).Mount(api)
	(&auditlog.Handler{Service: &auditlog.Service{DB: s.control, Authz: access}}).Mount(api)
	(&accesstoken.Handler{Service: &accesstoken.Service{DB: s.control, Authz: access, Now: s.now}}).Mount(api)
	(&servicetoken.Handler{Service: &servicetoken.Service{DB: s.control, Authz: access, Now: s.now}}).Mount(api)
	(&user.Handler{Service: &user.Service{
		DB: s.control, Authz: access, Open: s.memberScope, Index: s.indexUsers, Accounts: s.newAccounts(s.flows().Users()), Places: s.places, Now: s.now,
	}}).Mount(api)
	(&customprovider.Handler{Service: &customprovider.Service{
		Authz: access, Open: s.memberScope, Providers: customProviders{tenantside.Service{PlainHTTP: s.dev, Now: s.now}},
	}}).Mount(api)
	(&controlsso.Handler{Service: &controlsso.Service{
		Authz: access, Open: s.memberScope, Connections: connections{s.flows().Connections()}, Domains: s.flows().Connections(),
		Directory: directory{scim.Service{Users: s.flows().Users()}}, Page: s.connectionPage, Now: s.now,
	}}).Mount(api)
	(&setuplink.Handler{Service: &setuplink.Service{
		Authz: access, Open: s.memberScope, Visit: s.visitorScope, Allow: s.allowVisit, Links: s.flows().SetupLinks(),
	}}).Mount(api)
	(&member.Handler{Service: s.newMembers()}).Mount(api)
	(&operator.Handler{Service: &operator.Service{
		DB: s.control, Authz: access, Version: s.version, Server: s.provision.State, Schema: s.provision.KnownSchema,
		Retry: func(ctx context.Context, id int64) error { return s.jobs.Retry(ctx, id) },
	}}).Mount(api)
	return api
}

// clientIP is a request's client address, "" when it is unknown.
func (s *Server) clientIP(r *http.Request) string {
	if a := s.proxies.Client(r); a.IsValid() {
		return a.WithZone("").String()
	}
	return ""
}

// activeSessions is the least number of sessions that a process remembers as
// counted active; each costs about a hundred bytes.
const activeSessions = 50_000

// mountTenants adds the tenant plane's routes to a group.
func (s *Server) mountTenants(group *gin.RouterGroup) {
	router := web.TenantRouter{
		Router: s.router, Hasher: s.hasher, Database: s.Database, Proxies: s.proxies, Log: s.projectLog, Usage: s.usage, Keys: s.keyUses, Now: s.now,
	}
	s.flows().Mount(
		group.Group("", router.RouteAny(), router.OptionalKey()),
		group.Group("", router.RouteTenant(), router.OptionalKey()),
		group.Group("", router.RouteTenant(), router.RequireKey()),
	)
}

// flows are the flows of the tenant plane.
func (s *Server) flows() tenantapi.Flows {
	return tenantapi.Flows{
		Mailer: s.mailer, Texter: s.texter, Passwords: s.passwords, Verifier: s.verifier, Guesses: s.guesses, Limits: web.Limits{Limiter: s.limiter},
		Captcha: s.captcha, Leaked: s.leaked,
		OldSets: s.oldSets, Active: session.NewActivity(activeSessions), Revoked: &revoked.Kept{}, Places: s.places, Providers: s.providers, Metadata: s.outbound.HTTP(providerTimeout), Resolver: s.resolver, OpenID: s.openID, Hooks: s.hooks, PlainHTTP: s.dev, Version: s.version, Now: s.now,
		SetupPage: s.config.HTTP.Origin() + "/setup",
	}
}

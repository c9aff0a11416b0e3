package server

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/account"
	"github.com/reevehq/reeve/internal/authapi/factor"
	"github.com/reevehq/reeve/internal/authapi/passkey"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/strength"
	"github.com/reevehq/reeve/internal/authapi/users"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/member"
	"github.com/reevehq/reeve/internal/dashboard"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// sessionActor returns the actor of a request of the Management API with an
// access token of the platform project, which Service.Who checks.
func (s *Server) sessionActor(ctx context.Context, token string) (authz.Actor, error) {
	sc, err := s.platformScope(ctx)
	if err != nil {
		return authz.Actor{}, err
	}
	who, err := s.browsers.Service.Who(ctx, sc, token)
	if err != nil {
		return authz.Actor{}, err
	}
	return authz.Actor{UserID: who.User.ID, SessionID: who.Session.ID, SecondFactor: who.Session.AAL == auth.AAL2}, nil
}

// platformScope is a scope of the platform project without a client.
func (s *Server) platformScope(ctx context.Context) (*tenants.Scope, error) {
	p, err := s.control.PlatformProject(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.registry.Tenant(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	return &tenants.Scope{Tenant: t, DB: s.Database(t)}, nil
}

// newBrowsers returns the sessions of browsers on the main host.
func (s *Server) newBrowsers() dashboard.Handler {
	origin := s.config.HTTP.Origin()
	sessions := session.Sessions{Tokens: token.Issuer{Now: s.now}, Active: session.NewActivity(activeBrowsers), Now: s.now}
	return dashboard.Handler{
		Service: dashboard.Service{Verifier: s.verifier, Limiter: s.limiter, Now: s.now, Sessions: sessions},
		Setup: dashboard.Setup{
			DB: s.control, Users: users.Users{Sessions: sessions, Now: s.now}, Strength: strength.Checker{Leaked: s.leaked}, Hasher: s.passwords,
			Limiter: s.limiter, Seeded: operatorEmail, Organization: firstOrgSlug, Now: s.now,
		},
		Configure: s.dashboardConfig, Factors: s.ownFactors(sessions),
		Invitations: dashboard.Invitations{
			Members: s.newMembers(), Users: users.Users{Sessions: sessions, Now: s.now}, Strength: strength.Checker{Leaked: s.leaked}, Hasher: s.passwords,
			Limiter: s.limiter, Now: s.now,
		},
		Cookies: dashboard.NewCookies(origin), Guard: dashboard.NewGuard(origin), Main: s.isMain,
		Scope: func(r *http.Request) (*tenants.Scope, error) {
			sc, err := s.platformScope(r.Context())
			if err != nil {
				return nil, err
			}
			sc.ClientIP, sc.UserAgent = s.proxies.Client(r), web.UserAgent(r)
			sc.Usage = s.usage.Project(string(sc.Tenant.Ref))
			return sc, nil
		},
	}
}

// activeBrowsers is the least number of browsers' sessions that a process
// remembers as counted active.
const activeBrowsers = 1000

// isMain reports whether a Host is the main host's.
func (s *Server) isMain(host string) bool {
	address, err := s.router.Address(host, "/")
	return err == nil && address.Kind == tenants.AddressKey
}

// Browsers are the sessions of browsers on the main host.
func (s *Server) Browsers() dashboard.Handler { return s.browsers }

// SignInOperator gives a browser a session of the first operator, for `reeve
// dev`.
func (s *Server) SignInOperator(w http.ResponseWriter, r *http.Request) error {
	p, err := s.control.PlatformProject(r.Context())
	if err != nil {
		return err
	}
	operator, err := s.ensureOperator(r.Context(), p.Ref)
	if err != nil {
		return err
	}
	return s.browsers.SignIn(w, r, operator)
}

func (s *Server) mountBrowsers(engine *gin.Engine) {
	engine.GET(dashboard.Path, web.Plain(s.browsers.Show))
	engine.POST(dashboard.Path, web.Plain(s.browsers.Begin))
	engine.DELETE(dashboard.Path, web.Plain(s.browsers.End))
	engine.POST(dashboard.RefreshPath, web.Plain(s.browsers.Refresh))
	engine.POST(dashboard.ProvePath, web.Plain(s.browsers.Prove))
	engine.GET(dashboard.ConfigPath, web.Plain(s.browsers.ShowConfig))
	engine.POST(dashboard.FirstRunPath, web.Plain(s.browsers.FinishFirstRun))
	engine.POST(dashboard.InvitationPath, web.Plain(s.browsers.ShowInvitation))
	engine.POST(dashboard.JoinPath, web.Plain(s.browsers.AcceptInvitation))
}

// describeBrowsers adds the routes of browsers to the OpenAPI document.
func describeBrowsers(api control.API) { dashboard.Describe(api) }

// newDashboardAccounts returns the changes that people make to their own accounts by
// the Management API.
func (s *Server) newDashboardAccounts() dashboard.Accounts {
	people := users.Users{Sessions: s.browsers.Service.Sessions, Now: s.now}
	return dashboard.Accounts{
		Service: account.Service{
			Users: people, Mailer: s.mailer, Texter: s.texter, Hasher: s.passwords, Strength: strength.Checker{Leaked: s.leaked}, Guesses: s.guesses,
		},
		Limiter: s.limiter, Now: s.now,
		Scope: func(ctx context.Context) (*tenants.Scope, error) {
			sc, err := s.platformScope(ctx)
			if err != nil {
				return nil, err
			}
			var ip string
			sc.RequestID, ip = control.Origin(ctx)
			sc.ClientIP, _ = netip.ParseAddr(ip) // unknown otherwise
			sc.Usage = s.usage.Project(string(sc.Tenant.Ref))
			return sc, nil
		},
	}
}

// newDashboardFactors returns the changes that people make to their own second
// factors by the Management API.
func (s *Server) newDashboardFactors() dashboard.Factors {
	accounts := s.newDashboardAccounts()
	sessions := accounts.Service.Sessions
	return dashboard.Factors{
		Accounts: accounts, Passkeys: passkey.Service{Sessions: sessions},
		Service: s.ownFactors(sessions),
	}
}

// ownFactors is the service of second factors for people of the dashboard.
func (s *Server) ownFactors(sessions session.Sessions) factor.Service {
	return factor.Service{Sessions: sessions, Guesses: s.guesses, Hasher: s.passwords, Mailer: s.mailer, Texter: s.texter}
}

// newMembers returns the service of members and invitations.
func (s *Server) newMembers() *member.Service {
	return &member.Service{DB: s.control, Authz: s.access, Users: s.platformUsers, SecondFactors: s.secondFactors, Invited: s.invited.wake, Now: s.now}
}

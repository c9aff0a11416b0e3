// Package server wires the product, and is the only package that does: it
// creates every part from the configuration, mounts the routes and runs the
// background work. It has no rules of its own.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/authapi/idp"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/captcha"
	"github.com/reevehq/reeve/internal/config"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/connector/oidc"
	"github.com/reevehq/reeve/internal/connector/social"
	"github.com/reevehq/reeve/internal/control/leak"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/dashboard"
	"github.com/reevehq/reeve/internal/geo"
	"github.com/reevehq/reeve/internal/guard"
	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/job"
	"github.com/reevehq/reeve/internal/keyset"
	"github.com/reevehq/reeve/internal/keyusage"
	"github.com/reevehq/reeve/internal/leaked"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/internal/outbound"
	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/provision"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/internal/usage"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/pool"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Options configure New.
type Options struct {
	Config  config.Config // validated
	Logger  *slog.Logger
	Version string
	// Dev allows outbound calls to this machine, and any name for the main
	// host.
	Dev bool
	// Front serves what is below frontPaths on the main host, for reeve dev.
	Front http.Handler
	// Settings returns the settings that a project begins with;
	// tenants.DefaultConfig when nil.
	Settings func(tenants.Ref) tenants.Config
	// HoldReady keeps /readyz at 503 until Ready is called, for a caller that
	// has further work to do.
	HoldReady bool
	// Listener replaces the configured address, for a caller that had to
	// reserve a port early. It is closed with the Server.
	Listener net.Listener
	// HashCost is the bcrypt cost of new passwords; 0 is password.DefaultCost.
	// It makes tests faster.
	HashCost int
}

// Server is one process of Reeve.
type Server struct {
	config  config.Config
	log     *slog.Logger
	version string
	dev     bool
	front   http.Handler
	now     func() time.Time

	keyring      *secret.Keyring
	control      *controldb.DB
	provision    *provision.Service
	guard        *guard.Guard
	registry     *tenants.Registry
	router       *tenants.Router
	hasher       tenants.KeyHasher
	budget       *pool.Budget
	proxies      ratelimit.Proxies
	limiter      *ratelimit.Limiter
	guesses      *ratelimit.Limiter // of passwords and codes
	passwords    *password.Hasher
	verifier     *token.Verifier
	outbound     *outbound.Client
	openID       sso.OpenID
	resolver     sso.Resolver     // of records that prove domains
	named        *outbound.Client // to addresses of the operator's choice
	captcha      *captcha.Verifier
	leaked       *leaked.List
	places       *geo.Places
	hooks        *hook.Hooks
	hookCalls    *hook.Journal
	providers    idp.Registry
	oidc         *oidc.Client // for issuers that projects trust
	outbox       *outbox.Dispatcher
	jobs         *job.Runner
	projectLog   *projectlog.Log
	usage        *usage.Counters
	leaks        *leak.Service
	leakNoted    nudge
	keyUses      *keyusage.Counters
	oldSets      *keyset.Requests
	mailer       *mail.Mailer
	invited      nudge // invitations were committed
	texter       *sms.Texter
	cluster      servers
	access       *authz.Authorizer
	browsers     dashboard.Handler
	persons      persons
	installation installation
	ready        atomic.Bool

	listener net.Listener
	stopping chan struct{} // closed when requests in progress are to end
}

// New connects, migrates, creates the initial contents of an installation
// (roles, template, platform project) and listens. It serves nothing until Run.
func New(ctx context.Context, o Options) (*Server, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	s.listener = o.Listener
	if err := s.setUp(ctx); err != nil {
		s.close(context.WithoutCancel(ctx))
		return nil, err
	}
	return s, nil
}

func (s *Server) setUp(ctx context.Context) error {
	var err error
	if s.listener == nil {
		if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.HTTP.Listen); err != nil {
			return fmt.Errorf("listen on %s: %w", s.config.HTTP.Listen, err)
		}
	}
	if err := s.provision.Bootstrap(ctx); err != nil {
		return fmt.Errorf("prepare the cluster: %w", err)
	}
	if err := s.provision.Recover(ctx); err != nil {
		// Unfinished work is retried every minute.
		s.log.WarnContext(ctx, "recovery is not complete", "error", err)
	}
	if s.cluster, err = s.servers(ctx); err != nil {
		return err
	}
	return s.ensurePlatform(ctx)
}

// Ready makes /readyz answer 200 from now on.
func (s *Server) Ready() { s.ready.Store(true) }

// now is the clock: UTC and in microseconds, as Postgres stores times, so that
// an answer has the same time before and after it was stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// connect creates every part; the control database must exist.
func connect(ctx context.Context, o Options) (*Server, error) {
	s := &Server{config: o.Config, log: o.Logger, version: o.Version, dev: o.Dev, front: o.Front, now: now, stopping: make(chan struct{})}
	c := &s.config
	var err error
	if s.keyring, err = secret.NewKeyring(c.Secrets.MasterKeys...); err != nil {
		return nil, err
	}
	if s.proxies, err = ratelimit.ParseProxies(c.HTTP.TrustedProxies); err != nil {
		return nil, err
	}
	if c.Migrate {
		// A control database that cannot be created may exist.
		if err := controldb.Ensure(ctx, c.Database.ControlURL); err != nil {
			s.log.WarnContext(ctx, "control database", "error", err)
		}
	}
	s.control, err = controldb.Open(ctx, c.Database.ControlURL, s.keyring, controldb.Options{
		Logger: s.log, ProjectURL: s.projectURL,
	})
	if err != nil {
		return nil, fmt.Errorf("control database: %w", err)
	}
	if err := s.migrateControl(ctx); err != nil {
		s.control.Close()
		return nil, err
	}
	s.projectLog = projectlog.New(s.control, projectlog.Options{Logger: s.log, MaxEntries: c.Logs.MaxEntries})
	s.usage = usage.New(s.control, s.log, s.now)
	s.keyUses = keyusage.New(s.control, s.log)
	s.oldSets = keyset.NewRequests(s.control, s.log)
	s.provision = &provision.Service{
		Control: s.control, Keyring: s.keyring, Logger: s.log, Log: s.projectLog, NoMigrate: !c.Migrate,
		Cluster:   provision.Cluster{ID: "default", AdminURL: c.Database.AdminURL, PublicHost: c.Database.PublicHost},
		RoleConns: c.Database.RoleConnections(), OwnerConns: c.Database.OwnerConnections,
		WarmTarget: c.Database.WarmDatabases, CreateStrategy: c.Database.TemplateStrategy,
		Settings: o.Settings,
	}
	s.provision.Closing = s.closeLedger
	s.ready.Store(!o.HoldReady)
	if err := s.assemble(o.HashCost); err != nil {
		s.provision.Close()
		s.control.Close()
		return nil, err
	}
	return s, nil
}

// migrateControl migrates the control database or, if migrations are a separate
// step (reeve migrate), refuses to run on one that is behind.
func (s *Server) migrateControl(ctx context.Context) error {
	if !s.config.Migrate {
		pending, err := s.control.Pending(ctx)
		if err == nil && !pending {
			pending, err = job.Pending(ctx, s.control.Pool())
		}
		if err != nil {
			return fmt.Errorf("control database: %w", err)
		}
		if pending {
			return errors.New("the control database is behind this version: run reeve migrate")
		}
		return nil
	}
	if err := s.control.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate the control database: %w", err)
	}
	if err := job.Migrate(ctx, s.control.Pool()); err != nil {
		return fmt.Errorf("migrate the control database: %w", err)
	}
	return nil
}

func (s *Server) assemble(hashCost int) (err error) {
	c := &s.config
	s.hasher = s.control.Hasher()
	s.registry = tenants.NewRegistry(s.control, s.hasher, tenants.RegistryOptions{MaxTenants: c.Cache.Tenants, Log: s.log})
	s.router = &tenants.Router{Registry: s.registry, BaseDomain: c.HTTP.BaseDomain, MainHosts: s.mainHosts(), Now: s.now}
	admin, err := s.provision.AdminPool()
	if err != nil {
		return err
	}
	s.guard = &guard.Guard{
		Admin: admin, Mark: s.provision.Mark(), Store: s.control, Logins: s.provision, Log: s.projectLog, Logger: s.log,
		Limits: guard.ConnectionLimits{Owner: c.Database.OwnerConnections, Reeve: c.Database.RoleConnections(), Query: provision.QueryConns},
	}
	s.provision.Terminate = s.guard.Terminate
	s.budget = pool.New(s.dial, pool.Options{
		Total: c.Database.TenantConnections, PerTenant: c.Database.TenantConnectionsPerProject, IdleTTL: c.Database.IdleTTL,
		Terminate: s.guard.Terminate,
	})
	s.limiter = ratelimit.New(ratelimit.Options{})
	s.guesses = ratelimit.New(ratelimit.Options{Keeper: s.control, DigestKey: s.keyring.Derive("failed guesses"), Logger: s.log})
	s.registry.OnChange(s.changed)
	s.invited, s.leakNoted = make(nudge, 1), make(nudge, 1)
	s.leaks = s.newLeaks()
	s.passwords = &password.Hasher{Gate: password.NewGate(c.Hash.Slots, 0), Cost: hashCost}
	s.outbound = outbound.New(outbound.Options{AllowPrivate: s.dev, AllowPlainHTTP: s.dev})
	s.named = outbound.New(outbound.Options{AllowPrivate: true, AllowPlainHTTP: true})
	s.resolver = sso.ResolverAt(c.Services.Resolver)
	s.captcha = &captcha.Verifier{
		HTTP: s.service(captcha.Timeout, c.Services.HCaptchaURL+c.Services.TurnstileURL),
		URLs: captcha.URLs(c.Services.HCaptchaURL, c.Services.TurnstileURL),
	}
	s.leaked = &leaked.List{HTTP: s.service(leaked.Timeout, c.Services.LeakedPasswordsURL), URL: c.Services.LeakedPasswordsURL}
	s.hookCalls = &hook.Journal{Store: hookCalls{s.control}, Logger: s.log}
	s.hooks = hook.New(hook.Options{Client: s.outbound.HTTP(hook.Timeout), Now: s.now, Record: s.hookCalls.Add})
	if s.places, err = geo.Open(c.Geo.Database); err != nil {
		return err
	}
	providers := s.outbound.HTTP(providerTimeout)
	s.oidc = oidc.New(providers, s.now)
	s.openID = sso.NewOpenID(providers, s.now)
	s.providers = idp.Registry{Connectors: social.Connectors(providers, s.now), Custom: custom.New(providers, s.now)}
	if s.verifier, err = token.NewVerifier(c.Cache.Tokens, s.now, s.ours); err != nil {
		return err
	}
	s.access = &authz.Authorizer{DB: s.control}
	s.browsers = s.newBrowsers()
	s.outbox = &outbox.Dispatcher{
		Store: outbox.Projects{Tenant: s.registry.Tenant, Database: s.Database},
		Marks: marks{s.control}, Logger: s.log, // Now is time.Now: its intervals need the monotonic reading
	}
	mails := s.outbox.Register(message.Mails, message.Consumer{Sender: s.sender}, outbox.Options{
		Observer: countMails(s.usage, usage.MailsSent, usage.MailsFailed, message.NewReporter(s.projectLog, s.hasSMTP)),
	})
	texts := s.outbox.Register(message.Texts, message.Consumer{Sender: s.textSender}, outbox.Options{
		RetryAfter: textRetry,
		Observer:   countMails(s.usage, usage.TextsSent, usage.TextsFailed, message.TextReporter{Log: s.projectLog, Secrets: s.gatewaySecrets}),
	})
	if s.jobs, err = s.newJobs(); err != nil {
		return err
	}
	s.mailer = &mail.Mailer{Dispatcher: mails, Limiter: s.limiter, Now: s.now, Logger: s.log}
	s.provision.Restored = func(ref tenants.Ref) { // what waits goes out without the next sweep
		s.registry.Changed(tenants.Change{Ref: ref})
		mails.Wake(ref)
		texts.Wake(ref)
	}
	s.texter = &sms.Texter{
		Dispatcher: texts, Limiter: s.limiter, Now: s.now, Client: s.outbound.HTTP(checkTimeout), Capture: c.Mail.Capture,
	}
	if !c.Mail.Capture {
		s.mailer.SharedPerHour = c.Mail.MaxPerHour
		if c.Mail.SMTPURL == "" {
			s.log.Warn("mails of projects without a mail server of their own stay unsent", "cause", message.ErrNoServer)
		}
	}
	return nil
}

// service returns the client for a service; the addresses that the operator named
// for it may be private. It follows no redirect, which would get the secrets of
// the request too.
func (s *Server) service(timeout time.Duration, address string) *http.Client {
	from := s.outbound
	if address != "" {
		from = s.named
	}
	client := from.HTTP(timeout)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// Database returns the project's database over the shared connection budget. A
// database that is behind is migrated before a place of the budget is taken.
func (s *Server) Database(t *tenants.Tenant) *tenantdb.DB {
	ref := t.Ref
	return &tenantdb.DB{
		Capability: t.Secrets.Capability,
		Acquire: func(ctx context.Context) (tenantdb.Conn, error) {
			if t.Status.Paused() {
				return nil, tenants.ErrPaused
			}
			if err := s.provision.EnsureSchema(ctx, t); err != nil {
				return nil, err
			}
			conn, err := s.budget.Acquire(ctx, ref)
			if err != nil {
				return nil, err // never a typed nil
			}
			return conn, nil
		},
	}
}

func (s *Server) dial(ctx context.Context, ref tenants.Ref) (*pgx.Conn, error) {
	t, err := s.registry.Tenant(ctx, ref)
	if err != nil {
		return nil, err
	}
	if t.Status.Paused() {
		return nil, tenants.ErrPaused
	}
	return s.provision.Dial(ctx, t)
}

// changed drops the outdated state of a project in this process after its snapshot
// was replaced.
func (s *Server) changed(old, now *tenants.Tenant) {
	switch {
	case old == nil, now == nil: // a snapshot that was only evicted keeps its connections
	case now.Status != tenants.StatusActive:
		s.budget.Forget(old.Ref)
		if now.Status == tenants.StatusDeleting {
			s.limiter.Forget(old.Ref)
			s.guesses.Forget(old.Ref)
		}
	case old.SchemaVersion != now.SchemaVersion, old.Secrets.AuthPassword != now.Secrets.AuthPassword:
		s.budget.Forget(old.Ref)
	}
}

// projectURL is a project's canonical URL: its own host under the base domain,
// or, without one, a path of the main host.
func (s *Server) projectURL(ref tenants.Ref) string {
	return s.config.HTTP.ProjectURL(string(ref))
}

// mainHosts are the names of the main host. In development any name is
// accepted.
func (s *Server) mainHosts() []string {
	u, err := url.Parse(s.config.HTTP.PublicURL)
	if s.dev || err != nil {
		return nil
	}
	return []string{u.Hostname()}
}

// ours reports whether an issuer is a project of this installation.
func (s *Server) ours(issuer string) bool {
	u, err := url.Parse(issuer)
	main, _ := url.Parse(s.config.HTTP.PublicURL)
	if err != nil || main == nil {
		return false
	}
	if strings.EqualFold(u.Host, main.Host) {
		return true
	}
	base := s.config.HTTP.BaseDomain
	return base != "" && strings.HasSuffix(strings.ToLower(u.Hostname()), "."+strings.ToLower(hostOnly(base)))
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

// providerTimeout limits a request to an identity provider: the browser waits.
const providerTimeout = 10 * time.Second

package flowtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Project is one project with its database and its routes.
type Project struct {
	DB          *tenantdb.DB
	Publishable string // API keys
	Secret      string

	f      *Fixture
	tenant atomic.Pointer[tenants.Tenant]
	admin  string // URL of the database for the superuser
	engine *gin.Engine

	statements statements
	lent       func() int
}

// Lent returns how many connections to the project's database are in use.
func (p *Project) Lent() int { return p.lent() }

// maxConns bounds the connections to one project's database.
const maxConns = 6

// unlimited is a rate limit that refills faster than a test can use it.
const unlimited = 1 << 30

func newProject(tb testing.TB, f *Fixture, name string) *Project {
	tb.Helper()
	p := &Project{f: f, Publishable: tenants.NewKey(tenants.KeyPublishable), Secret: tenants.NewKey(tenants.KeySecret)}
	ref := tenants.NewRef()
	signing, _, err := tenants.NewSigningKey("ES256")
	if err != nil {
		tb.Fatal(err)
	}
	signing.Status = tenants.KeyInUse
	t := &tenants.Tenant{
		Ref: ref, Name: "Project " + name, Status: tenants.StatusActive, Version: 1,
		URL: "https://" + string(ref) + ".reeve.test", Config: tenants.DefaultConfig(),
		APIKeys: map[tenants.KeyHash]tenants.APIKey{
			f.keys.Hash(p.Publishable): {ID: "publishable", Type: tenants.KeyPublishable, Name: "default"},
			f.keys.Hash(p.Secret):      {ID: "secret", Type: tenants.KeySecret, Name: "default"},
		},
		SigningKeys: []tenants.SigningKey{signing},
		Secrets: tenants.Secrets{
			AuthPassword: hex.EncodeToString(random(16)), Capability: hex.EncodeToString(random(32)),
			RefreshKey: random(32), OTPKey: random(32), OutboxKey: random(32),
		},
	}
	// Requests by address are counted on the real clock; no test reaches the
	// limits.
	t.Config.RateLimitMFA = unlimited
	t.Config.RateLimitOTP, t.Config.RateLimitVerify, t.Config.RateLimitTokenRefresh = unlimited, unlimited, unlimited
	t.Config.MailerVerifyOnGet = true // most tests do not press the page's button
	p.tenant.Store(t)
	p.admin = newDatabase(tb, t)
	p.Exec(tb, `SELECT reeve.adopt($1, $2, $3)`, ref.AuthRole(), ref.APIRole(), ref.OwnerRole())
	sum := sha256.Sum256([]byte(t.Secrets.Capability))
	p.Exec(tb, `SELECT reeve.set_capability($1)`, sum[:])
	p.DB = &tenantdb.DB{Acquire: p.pool(tb, t), Capability: t.Secrets.Capability, Sent: p.statements.add}
	p.engine = routes(f, p)
	return p
}

// lease is a tenantdb.Conn.
type lease struct{ *pgxpool.Conn }

// Raw implements tenantdb.Conn.
func (l lease) Raw() *pgx.Conn { return l.Conn.Conn() }

// pool connects as the project's auth role, as the server does.
func (p *Project) pool(tb testing.TB, t *tenants.Tenant) func(context.Context) (tenantdb.Conn, error) {
	tb.Helper()
	cfg, err := pgxpool.ParseConfig(p.admin)
	if err != nil {
		tb.Fatal(err)
	}
	cfg.MaxConns, cfg.ConnConfig.Tracer = maxConns, &p.statements
	cfg.ConnConfig.User, cfg.ConnConfig.Password = t.Ref.AuthRole(), t.Secrets.AuthPassword
	conns, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conns.Close)
	p.lent = func() int { return int(conns.Stat().AcquiredConns()) }
	return func(ctx context.Context) (tenantdb.Conn, error) {
		c, err := conns.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		return lease{c}, nil
	}
}

// Tenant is the snapshot that requests currently get; it is immutable.
func (p *Project) Tenant() *tenants.Tenant { return p.tenant.Load() }

// Configure replaces the snapshot by one with a changed configuration.
func (p *Project) Configure(change func(*tenants.Config)) {
	p.Change(func(t *tenants.Tenant) { change(&t.Config) })
}

// Change replaces the snapshot by a changed one.
func (p *Project) Change(change func(*tenants.Tenant)) {
	next := *p.tenant.Load()
	change(&next)
	next.Version++
	p.tenant.Store(&next)
}

// Scope is a service's scope without a caller, for tests of services without
// their routes.
func (p *Project) Scope() *tenants.Scope {
	return &tenants.Scope{
		Tenant: p.Tenant(), DB: p.DB, ClientIP: netip.MustParseAddr("192.0.2.1"), UserAgent: "flowtest",
		Credentials: tenants.Credentials{Role: tenants.RoleAnon},
	}
}

// open is the scope of a route that needs no key.
func (p *Project) open(r *http.Request) (*tenants.Scope, error) {
	sc := p.Scope()
	sc.Credentials = tenants.Credentials{}
	if ua := r.UserAgent(); ua != "" {
		sc.UserAgent = ua
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		sc.ClientIP = from.Addr()
	}
	return sc, nil
}

// keyed is the scope of a route that needs one.
func (p *Project) keyed(r *http.Request) (*tenants.Scope, error) {
	sc, err := p.open(r)
	if err != nil {
		return nil, err
	}
	sc.Credentials, err = sc.Tenant.Authenticate(p.f.keys, p.f.Clock.Now(), r.Header.Get("apikey"),
		r.Header.Get("Authorization"), tenants.LooksLikeBrowser(r.Header))
	return sc, err
}

// Set changes a setting that is not a field of the configuration.
func Set(tb testing.TB, c *tenants.Config, name string, value any) {
	tb.Helper()
	s, ok := setting.ByName(name)
	if !ok {
		tb.Fatalf("no setting %s", name)
	}
	if err := s.Check(value); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	s.Set(c, value)
}

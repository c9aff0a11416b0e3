package flowtest

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/authapi/sms"
	"github.com/reevehq/reeve/internal/connector/custom"
	"github.com/reevehq/reeve/internal/hook"
	"github.com/reevehq/reeve/internal/password"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/testkit/dnstest"
	"github.com/reevehq/reeve/internal/testkit/services"
	"github.com/reevehq/reeve/internal/token"
	"github.com/reevehq/reeve/tenants"
)

// Fixture is two projects and their shared parts in one process.
type Fixture struct {
	A, B       *Project
	Clock      *Clock
	Dispatcher *Dispatcher
	Limiter    *ratelimit.Limiter
	Hasher     *password.Hasher
	Mailer     *mail.Mailer
	Texter     *sms.Texter
	Sessions   session.Sessions
	Active     *session.Activity
	Verifier   *token.Verifier
	Log        *Log // warnings and errors
	// IDP is the identity provider "idp" of both projects.
	IDP *IDP
	// Custom has the connectors of custom providers; nil for none.
	Custom *custom.Providers

	// Hooks calls the projects' hooks; Calls are those that were made.
	Hooks *hook.Hooks
	Calls *Calls

	// Services are captchas and the list of leaked passwords.
	Services *services.Services
	// PlainHTTP allows identity providers without TLS.
	PlainHTTP bool
	// DNS answers lookups of TXT records; nil for no records.
	DNS *dnstest.Server

	keys tenants.KeyHasher
}

// New creates the two projects with the default configuration changed by
// configure. Hashes are as cheap as bcrypt allows. Everything ends with the
// test.
func New(tb testing.TB, configure ...func(*tenants.Config)) *Fixture {
	tb.Helper()
	return start(tb, false, configure)
}

// NewPlain is New with PlainHTTP.
func NewPlain(tb testing.TB, configure ...func(*tenants.Config)) *Fixture {
	tb.Helper()
	return start(tb, true, configure)
}

func start(tb testing.TB, plainHTTP bool, configure []func(*tenants.Config)) *Fixture {
	tb.Helper()
	f := &Fixture{PlainHTTP: plainHTTP, Clock: NewClock(), Dispatcher: &Dispatcher{}, Hasher: &password.Hasher{Cost: 4}, Log: &Log{}, IDP: &IDP{}}
	f.Services = services.Start(tb)
	f.keys = tenants.KeyHasher{Pepper: random(32)}
	f.Limiter = ratelimit.New(ratelimit.Options{Now: f.Clock.Now})
	f.Mailer = &mail.Mailer{Dispatcher: f.Dispatcher, Limiter: f.Limiter, Now: f.Clock.Now, Logger: f.Log.logger()}
	f.Texter = &sms.Texter{Dispatcher: f.Dispatcher, Limiter: f.Limiter, Now: f.Clock.Now, Capture: true}
	f.Active = session.NewActivity(1000)
	f.Sessions = session.Sessions{Tokens: token.Issuer{Now: f.Clock.Now}, Active: f.Active, Now: f.Clock.Now}
	f.Calls = &Calls{}
	f.Hooks = hook.New(hook.Options{Client: f.Services.Client(hook.Timeout), Now: f.Clock.Now, Record: f.Calls.Add})
	verifier, err := token.NewVerifier(1000, f.Clock.Now, func(issuer string) bool {
		return issuer == f.A.Tenant().Issuer() || issuer == f.B.Tenant().Issuer()
	})
	if err != nil {
		tb.Fatal(err)
	}
	f.Verifier = verifier
	f.A, f.B = newProject(tb, f, "A"), newProject(tb, f, "B")
	for _, c := range configure {
		f.A.Configure(c)
		f.B.Configure(c)
	}
	return f
}

// Clock is a clock that tests advance. It starts at the present time, in whole
// microseconds as Postgres stores them.
type Clock struct {
	mu   sync.Mutex
	now  time.Time
	step time.Duration
}

// NewClock returns a stopped clock.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Microsecond)} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.step)
	return c.now
}

// Run makes every call of Now advance the clock, so that two of them differ.
func (c *Clock) Run(step time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step = step
}

// Advance advances the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Dispatcher counts its calls; the outboxes stay full.
type Dispatcher struct {
	Prepared, Woken atomic.Int64
	// Fail, when set, is Prepare's error.
	Fail error
}

// Prepare implements mail.Dispatcher.
func (d *Dispatcher) Prepare(context.Context, tenants.Ref) error {
	d.Prepared.Add(1)
	return d.Fail
}

// Wake implements mail.Dispatcher.
func (d *Dispatcher) Wake(tenants.Ref) { d.Woken.Add(1) }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

package flowtest

import (
	"context"
	"net"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/authapi/scim"
	"github.com/reevehq/reeve/internal/authapi/sso"
	"github.com/reevehq/reeve/internal/captcha"
	"github.com/reevehq/reeve/internal/leaked"
	"github.com/reevehq/reeve/internal/ratelimit"
	"github.com/reevehq/reeve/internal/tenantapi"
	"github.com/reevehq/reeve/internal/web"
)

// quiet keeps gin from printing the routes of every fixture.
var quiet = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

// routes mounts every flow for one project.
func routes(f *Fixture, p *Project) *gin.Engine {
	quiet()
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.NoRoute(web.NotFound)
	engine.NoMethod(web.MethodNotAllowed)
	engine.Use(web.Common{Logger: f.Log.logger(), Errors: web.Errors{{Path: scim.Path, Write: scim.WriteError}}}.Handler())
	flows := f.Flows()
	open := engine.Group("", web.WithScope(p.open))
	flows.Mount(open, open, engine.Group("", web.WithScope(p.keyed)))
	return engine
}

// Flows are the flows of both projects.
func (f *Fixture) Flows() tenantapi.Flows {
	return tenantapi.Flows{
		Mailer: f.Mailer, Texter: f.Texter, Passwords: f.Hasher, Verifier: f.Verifier, Guesses: f.Limiter,
		Limits: web.Limits{Limiter: ratelimit.New(ratelimit.Options{})}, Version: "test", Now: f.Clock.Now,
		Active: f.Active, Hooks: f.Hooks, Providers: providers{f}, Captcha: &captcha.Verifier{
			HTTP: f.Services.Client(captcha.Timeout), URLs: captcha.URLs(f.Services.HCaptcha(), f.Services.Turnstile()),
		},
		Metadata: f.Services.Client(0), Resolver: records{f}, OpenID: sso.NewOpenID(f.Services.Client(0), f.Clock.Now), PlainHTTP: f.PlainHTTP,
		Leaked: &leaked.List{HTTP: f.Services.Client(leaked.Timeout), URL: f.Services.URL},
	}
}

// records are the TXT records of Fixture.DNS.
type records struct{ f *Fixture }

func (r records) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if r.f.DNS == nil {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return sso.ResolverAt(r.f.DNS.Addr).LookupTXT(ctx, name)
}

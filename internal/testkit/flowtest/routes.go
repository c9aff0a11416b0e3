package flowtest

import (
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/authapi/account"
	"github.com/reevehq/reeve/internal/authapi/admin"
	"github.com/reevehq/reeve/internal/authapi/adminlink"
	"github.com/reevehq/reeve/internal/authapi/grant"
	"github.com/reevehq/reeve/internal/authapi/recovery"
	"github.com/reevehq/reeve/internal/authapi/signup"
	"github.com/reevehq/reeve/internal/authapi/verify"
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
	engine.Use(web.Common{Logger: f.Log.logger()}.Handler())

	now := f.Clock.Now
	redeem := verify.Handler{Service: verify.Service{Sessions: f.Sessions, Guesses: f.Limiter, Now: now}}
	redeem.MountLink(engine.Group("", web.WithScope(p.open)))

	r := engine.Group("", web.WithScope(p.keyed))
	unlimited := func(*gin.Context) {}
	redeem.Mount(r)
	signup.Handler{Service: signup.Service{Sessions: f.Sessions, Mailer: f.Mailer, Hasher: f.Hasher, Now: now}}.Mount(r)
	grant.Handler{Service: grant.Service{Sessions: f.Sessions, Hasher: f.Hasher, Guesses: f.Limiter, Now: now}}.Mount(r)
	account.Handler{Service: account.Service{Mailer: f.Mailer, Hasher: f.Hasher, Now: now}, Users: f.Users}.Mount(r, unlimited)
	recovery.Handler{Service: recovery.Service{Mailer: f.Mailer, Now: now}}.Mount(r, unlimited, unlimited)
	admin.Handler{Service: admin.Service{Hasher: f.Hasher, Now: now}, Admins: f.Admins}.Mount(r)
	adminlink.Handler{Service: adminlink.Service{Mailer: f.Mailer, Hasher: f.Hasher, Now: now}, Admins: f.Admins}.Mount(r)
	return engine
}

package server

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/dashboard"
	"github.com/reevehq/reeve/internal/web"
)

// mountApp adds the dashboard to the main host. Its addresses are answered with
// its page where no other route exists, and so are unknown ones, with status 404;
// projects' hosts, programs and paths of APIs get the answer for a path without a
// route.
func (s *Server) mountApp(engine *gin.Engine) {
	app := dashboard.New(dashboard.Options{Projects: s.projectOrigins(), Captcha: s.dashboardCaptcha})
	page := web.ForPeople(s.isMain, app)
	engine.GET("/", page)
	engine.GET(dashboard.AssetPath+"*path", func(c *gin.Context) {
		if !s.isMain(c.Request.Host) {
			web.NotFound(c)
			return
		}
		app.ServeHTTP(c.Writer, c.Request)
	})
	engine.NoRoute(func(c *gin.Context) {
		path := c.Request.URL.Path
		if c.Request.Method == http.MethodGet && (dashboard.IsPage(path) || dashboard.IsUnknown(path)) {
			page(c)
			return
		}
		web.NotFound(c)
	})
}

// dashboardCaptcha names the captcha of the dashboard's own sign-in page; "" for none,
// and while that cannot be found out.
func (s *Server) dashboardCaptcha(ctx context.Context) string {
	c, err := s.dashboardConfig(ctx)
	if err != nil || c.Auth.CaptchaSiteKey == "" {
		return ""
	}
	return c.Auth.Captcha
}

// projectOrigins are the origins of projects on hosts of their own.
func (s *Server) projectOrigins() []string {
	u, err := url.Parse(s.projectURL("x"))
	if err != nil || s.config.HTTP.BaseDomain == "" {
		return nil
	}
	host := "*." + s.config.HTTP.BaseDomain
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	return []string{u.Scheme + "://" + host}
}

// OpenAPI returns the description of the Management API, for what is generated
// of it.
func OpenAPI(version string) ([]byte, error) {
	gin.SetMode(gin.ReleaseMode)
	s := &Server{version: version, now: now} // its handlers are described, and not called
	return s.mountControl(gin.New()).Document()
}

// isOperator reports whether a user runs the installation.
func (s *Server) isOperator(ctx context.Context, id uuid.UUID) (bool, error) {
	return s.control.IsOperator(ctx, id)
}

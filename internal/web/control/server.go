// Package control is the web side of the Management API: it authenticates the
// actor of a request, checks the body, remembers the answers of creates, writes
// errors in the API's shape and describes the operations in the OpenAPI document.
// huma is imported here only. The package holds no rule of any resource.
package control

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// Server is the web side of the Management API: request ids, access tokens,
// body checks, idempotent creates, the error shape and the OpenAPI document.
// Resources define what a route does.
type Server struct {
	DB      *controldb.DB
	Keyring *secret.Keyring // seals the remembered answers
	Log     *slog.Logger
	Version string // of the product, for the OpenAPI document
	// Session returns the user behind an access token of the platform project,
	// for people who are signed in; nil accepts no such token. An error whose
	// fault is Unauthorized, Forbidden or NotFound says that the token is not
	// valid.
	Session func(ctx context.Context, token string) (Actor, error)
	// Person checks that the user behind an access token is still one who may sign
	// in, and reports whether they have a second factor; its error's fault says like
	// Session's that they may not. nil checks nothing.
	Person func(ctx context.Context, user uuid.UUID) (secondFactor bool, err error)
	// Cookie returns the access token of a browser's session, for Session: "" when
	// the request has none that counts. Its error refuses a request that another
	// page may have caused. nil accepts no cookie.
	Cookie func(*http.Request) (string, error)
	// ClientIP returns a request's client address for the audit log; nil leaves it
	// out.
	ClientIP func(*http.Request) string
	Now      func() time.Time // time.Now when nil
	// Changed is called for every project that a request of this process
	// changed, before the answer is sent, so that the change is in force when
	// the client gets the answer.
	Changed func(ref tenants.Ref)
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// API is where resources register their operations.
type API struct {
	huma   huma.API
	server *Server
	engine *gin.Engine
}

// Mount adds the routes under /v1 and /v2 to the engine, including the open GET
// /v1/openapi.json. The engine should have web.Common with WriteError for the
// errors of these paths.
func (s *Server) Mount(engine *gin.Engine) API {
	group := engine.Group("", s.identify, s.rescue, s.announce, s.authenticate, s.checkURL, s.checkBody)
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Reeve Management API", Version: s.Version},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "sbp_<40 hex>"},
					"session": {
						Type: "apiKey", In: "cookie", Name: "__Host-reeve-access",
						Description: "A browser's session on the main host, for its own pages: without Authorization, and with Sec-Fetch-Site or Origin.",
					},
				},
			},
			Security: []map[string][]string{{"bearer": {}}, {"session": {}}},
		},
		Formats: map[string]huma.Format{
			"application/json": huma.DefaultJSONFormat,
			"json":             huma.DefaultJSONFormat,
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{translateError},
	}
	api := API{huma: humagin.NewWithGroup(engine, group, config), server: s, engine: engine}
	api.huma.UseMiddleware(captureStatus)
	engine.GET("/v1/openapi.json", s.identify, s.rescue, api.document())
	return api
}

// announce calls Changed after a request that may have changed a project. The
// answer is small and still in the server's buffer then.
func (s *Server) announce(c *gin.Context) {
	c.Next()
	if s.Changed == nil || c.Request.Method == http.MethodGet || c.Writer.Status() >= http.StatusBadRequest {
		return
	}
	if ref, err := tenants.ParseRef(c.Param("ref")); err == nil {
		s.Changed(ref)
	}
}

// Document returns the OpenAPI description of the operations that are mounted.
func (a API) Document() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) }

// document serves the OpenAPI description. It is encoded once, at the first
// request, when all resources are mounted.
func (a API) document() gin.HandlerFunc {
	encode := sync.OnceValues(a.Document)
	return func(c *gin.Context) {
		raw, err := encode()
		if err != nil {
			a.server.refuse(c, err)
			return
		}
		c.Data(http.StatusOK, "application/json", raw)
	}
}

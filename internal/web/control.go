package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

// ControlServer is the web side of the Management API: request ids, access
// tokens, body checks, idempotent creates, the error shape and the OpenAPI
// document. What a route does is the resources' own.
type ControlServer struct {
	DB      *controldb.DB
	Keyring *secret.Keyring // seals the remembered answers
	Log     *slog.Logger
	Version string // of the product, for the OpenAPI document
	// Changed hears of every project that a request of this process changed,
	// before the answer leaves, so that who changed a setting finds it in force.
	Changed func(ref tenants.Ref)
}

// ControlAPI is where resources register their routes with Control.
type ControlAPI struct {
	huma   huma.API
	server *ControlServer
}

// Mount adds the routes under /v1 to the engine, first of them the open
// GET /v1/openapi.json. The engine should have HandleMethodNotAllowed set, and
// NotFound and MethodNotAllowed as its answers below /v1.
func (s *ControlServer) Mount(engine *gin.Engine) ControlAPI {
	group := engine.Group("", s.identify, s.rescue, s.announce, s.authenticate, s.checkURL, s.checkBody)
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Reeve Management API", Version: s.Version},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "sbp_<40 hex>"},
				},
			},
			Security: []map[string][]string{{"bearer": {}}},
		},
		Formats: map[string]huma.Format{
			"application/json": huma.DefaultJSONFormat,
			"json":             huma.DefaultJSONFormat,
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{translateError},
	}
	api := ControlAPI{huma: humagin.NewWithGroup(engine, group, config), server: s}
	api.huma.UseMiddleware(captureStatus)
	engine.GET("/v1/openapi.json", s.identify, s.rescue, api.document())
	return api
}

// NotFound answers a path that there is not, in the Management API's shape.
func (s *ControlServer) NotFound(c *gin.Context) {
	s.identify(c)
	s.refuse(c, errControlNoRoute)
}

// MethodNotAllowed answers a method that a path does not have.
func (s *ControlServer) MethodNotAllowed(c *gin.Context) {
	s.identify(c)
	s.refuse(c, errControlMethod)
}

// announce tells Changed after a request that may have changed a project. The
// answer is small and still in the server's buffer then.
func (s *ControlServer) announce(c *gin.Context) {
	c.Next()
	if s.Changed == nil || c.Request.Method == http.MethodGet || c.Writer.Status() >= http.StatusBadRequest {
		return
	}
	if ref, err := tenants.ParseRef(c.Param("ref")); err == nil {
		s.Changed(ref)
	}
}

// document serves the OpenAPI description, encoded once, when first asked for:
// by then every resource is mounted.
func (a ControlAPI) document() gin.HandlerFunc {
	encode := sync.OnceValues(func() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) })
	return func(c *gin.Context) {
		raw, err := encode()
		if err != nil {
			a.server.refuse(c, err)
			return
		}
		c.Data(http.StatusOK, "application/json", raw)
	}
}

package control

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
)

// OpenRequest is a request without an actor.
type OpenRequest struct {
	ID, IP string
	Body   []byte // JSON, or empty
}

// Open adds a POST route that needs no access token, and is not in the OpenAPI
// document. The answer of fn is written with status code; an error as everywhere.
func (s *Server) Open(engine *gin.Engine, path string, code int, fn func(context.Context, OpenRequest) (any, error)) {
	engine.Handle(http.MethodPost, path, s.identify, s.rescue, s.checkURL, s.checkBody, func(c *gin.Context) {
		r := requestOf(c.Request.Context())
		out, err := fn(c.Request.Context(), OpenRequest{ID: r.id, IP: r.ip, Body: r.body})
		if err != nil {
			s.refuse(c, err)
			return
		}
		c.JSON(code, out)
	})
}

package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/tenants"
)

// WithScope stands in for RouteTenant and RequireKey where there is one project
// only: in tests of the flows. of tells the request's scope, or the refusal.
func WithScope(of func(*http.Request) (*tenants.Scope, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		sc, err := of(c.Request)
		if err != nil {
			writeError(c, err)
			return
		}
		c.Set(scopeKey, sc)
	}
}

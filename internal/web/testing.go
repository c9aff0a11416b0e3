package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/tenants"
)

// WithScope replaces RouteTenant and RequireKey in tests of the flows. of
// returns the request's scope, or an error.
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

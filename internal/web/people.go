package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// ForPeople mounts pages for people on hosts that main accepts. Requests for
// other hosts, and programs, which do not ask for HTML, get NotFound.
func ForPeople(main func(host string) bool, pages http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !main(c.Request.Host) || !WantsPage(c.Request) {
			NotFound(c)
			return
		}
		c.Writer.Header().Add("Vary", "Accept")
		pages.ServeHTTP(c.Writer, c.Request)
	}
}

// Plain mounts a handler of net/http that returns its error, which is written in
// the shape of the path.
func Plain(handle func(http.ResponseWriter, *http.Request) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := handle(c.Writer, c.Request); err != nil {
			writeError(c, err)
		}
	}
}

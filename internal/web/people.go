package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/page"
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

// Welcome is what a person sees at the main host of a server in production. It
// tells strangers nothing about the server.
func Welcome(w http.ResponseWriter, _ *http.Request) { welcomePage.Write(w, http.StatusOK, nil) }

var welcomePage = page.Parse(`{{define "title"}}Reeve{{end}}
{{define "main"}}<h1>Reeve</h1>
<p>This server signs users in to apps. It has nothing to show in a browser: apps reach it by an SDK, and developers by the command line and the Management API.</p>
<p><a href="https://github.com/reevehq/reeve#readme">About Reeve</a><br>
<a href="https://github.com/reevehq/reeve/blob/main/docs/projects.md">Projects and keys</a><br>
<a href="https://github.com/reevehq/reeve/blob/main/docs/auth.md">Sign-up and sign-in</a></p>{{end}}`, page.Options{})

// Plain mounts a handler of net/http that returns its error, which is written in
// the shape of the path.
func Plain(handle func(http.ResponseWriter, *http.Request) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := handle(c.Writer, c.Request); err != nil {
			writeError(c, err)
		}
	}
}

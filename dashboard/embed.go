// Package dashboard is the single-page app in which developers use Reeve: its
// sources, and the files that `make build` makes of them, which are embedded.
// The app reads everything by the Management API, with the session of the browser.
// A program that was built without Node has no files, and shows how to make them.
package dashboard

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed all:dist
var built embed.FS

// Built reports whether the program has the app's files.
func Built() bool {
	_, err := fs.Stat(files(), index)
	return err == nil
}

func files() fs.FS {
	sub, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // the name is valid
	}
	return sub
}

// New returns the handler of the embedded app.
func New(o Options) http.Handler {
	if !Built() {
		return http.HandlerFunc(notBuilt)
	}
	return handler{files: files(), options: o}
}

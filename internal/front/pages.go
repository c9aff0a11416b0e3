package front

import (
	"embed"
	"net/http"

	"github.com/reevehq/reeve/internal/page"
)

//go:embed pages
var files embed.FS

func read(name string) string {
	text, err := files.ReadFile("pages/" + name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return string(text)
}

var (
	openPage    = page.Parse(read("open.html"), page.Options{Script: read("open.js"), Forms: true, KeepReferrer: true})
	landingPage = page.Parse(read("landing.html"), page.Options{Style: read("landing.css"), Script: read("landing.js")})
	noticePage  = page.Parse(`{{define "title"}}{{.Title}}{{end}}
{{define "main"}}<h1>{{.Title}}</h1>
<p>{{.Advice}}</p>
<p><a href="/">Reeve</a></p>{{end}}`, page.Options{})
)

// notice answers with a page that only says something.
func notice(w http.ResponseWriter, status int, title, advice string) {
	noticePage.Write(w, status, struct{ Title, Advice string }{title, advice})
}

package dev

import (
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/reevehq/reeve/internal/snippet"
)

// banner is the text for a person when the server is ready.
type banner struct {
	Options
	state
	demo *demo
	page string // a link that works once; "" for none
	took time.Duration
}

// page has a program that runs as pasted.
var page = template.Must(template.New("banner").Parse(`
  Reeve is ready ({{.Took}}, version {{.Version}})

    URL            {{.URL}}
    Access token   {{.Token}}
    Postgres       {{.PostgresURL}}
{{- with .Page}}

  Open this in a browser for the dashboard. It works once, for 15 minutes; {{$.URL}} prints a new one:

    {{.}}
{{- end}}
{{- with .Demo}}

  Project "demo"

    URL              {{.URL}}
    Publishable key  {{.Key}}

  Try it: npm install @supabase/supabase-js, and save this as try.mjs

{{.Snippet}}    const email = ` + "`ada.${Date.now()}@example.com`" + `
    const { data, error } = await supabase.auth.signUp({ email, password: 'correct horse battery' })
    console.log(error ?? data.user)

  Mails are captured, not sent. Read them{{if $.Page}} in the project's inbox there or{{end}} by this command, and open the link in one to confirm:

    {{$.CLI}} inbox list --project {{.Ref}}

  For a secret key and SQL, make a project of your own: they are shown this once

    {{$.CLI}} projects create NAME
{{- else}}

  Make a project: its keys and its Postgres are shown this once

    {{.CLI}} projects create NAME
{{- end}}

  Ctrl-C stops.

`))

// view is the data of page.
type view struct {
	Version, Took, URL, Token, PostgresURL, Page, CLI string
	Demo                                              *demoView
}

type demoView struct{ Ref, URL, Key, Snippet string }

func (b banner) print(out io.Writer) error {
	v := view{
		Version: b.Version, Took: b.took.Round(time.Millisecond).String(),
		URL: b.URL, Token: b.AccessToken, PostgresURL: b.PostgresURL, Page: b.page, CLI: b.cli(),
	}
	if b.demo != nil {
		client := snippet.Project{Ref: b.demo.ref, URL: b.demo.url, Key: b.demo.key}.Client()
		v.Demo = &demoView{Ref: b.demo.ref, URL: b.demo.url, Key: b.demo.key, Snippet: indent(client)}
	}
	return page.Execute(out, v)
}

// indent indents the lines of a program as page does.
func indent(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			out.WriteString("    ")
		}
		out.WriteString(line)
	}
	return out.String()
}

// cli is how to call the other commands for this server.
func (o Options) cli() string {
	if o.Data == DefaultData {
		return o.Command
	}
	return o.Command + " --data " + o.Data
}

package dev

import (
	"io"
	"text/template"
	"time"
)

// banner is the text for a person when the server is ready.
type banner struct {
	Options
	state
	demo *demo
	took time.Duration
}

// page has a program that runs as pasted, on every Node that the client
// supports: Node 20 has no WebSocket, which createClient requires.
var page = template.Must(template.New("banner").Parse(`
  Reeve is ready ({{.Took}}, version {{.Version}})

    URL            {{.URL}}
    Access token   {{.Token}}
    Postgres       {{.PostgresURL}}
{{- with .Demo}}

  Project "demo"

    URL              {{.URL}}
    Publishable key  {{.Key}}

  Try it: npm install @supabase/supabase-js, and save this as try.mjs

    import { createClient } from '@supabase/supabase-js'

    const supabase = createClient('{{.URL}}', '{{.Key}}', {
      realtime: { transport: globalThis.WebSocket ?? class {} }, // for Node 20
    })
    const email = ` + "`ada.${Date.now()}@example.com`" + `
    const { data, error } = await supabase.auth.signUp({ email, password: 'correct horse battery' })
    console.log(error ?? data.user)

  Mails are captured, not sent. Read them, and open the link in one to confirm:

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
	Version, Took, URL, Token, PostgresURL, CLI string
	Demo                                        *demoView
}

type demoView struct{ Ref, URL, Key string }

func (b banner) print(out io.Writer) error {
	v := view{
		Version: b.Version, Took: b.took.Round(time.Millisecond).String(),
		URL: b.URL, Token: b.AccessToken, PostgresURL: b.PostgresURL, CLI: b.cli(),
	}
	if b.demo != nil {
		v.Demo = &demoView{Ref: b.demo.ref, URL: b.demo.url, Key: b.demo.key}
	}
	return page.Execute(out, v)
}

// cli is how to call the other commands for this server.
func (b banner) cli() string {
	if b.Data == DefaultData {
		return b.Command
	}
	return b.Command + " --data " + b.Data
}

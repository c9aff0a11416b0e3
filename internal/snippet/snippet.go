// Package snippet writes the code by which an app uses a project, for every
// place that shows it.
package snippet

import (
	"strings"
	"text/template"
)

// Project is a project as an app is configured for it.
type Project struct {
	Ref, URL string
	Key      string // publishable
}

// StorageKey is the name under which an app stores the project's session. By
// default supabase-js derives it from the first label of the URL's host, which
// all projects with path addresses share. For a project with a host of its own
// the default is this name too.
func (p Project) StorageKey() string { return "sb-" + p.Ref + "-auth-token" }

// Client is a client of supabase-js that runs as pasted, on every Node that
// supabase-js supports: Node 20 has no WebSocket, which createClient requires.
func (p Project) Client() string { return p.write("client") }

// Server is a client of @supabase/ssr for a request of a server that renders
// pages. The browser's client of an app must use the same name.
func (p Project) Server() string { return p.write("server") }

func (p Project) write(name string) string {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, p); err != nil {
		panic(err) // the template is part of the program, and writing to memory does not fail
	}
	return out.String()
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{"quote": quote}).Parse(`
{{- define "client"}}import { createClient } from '@supabase/supabase-js'

const supabase = createClient(
  {{quote .URL}},
  {{quote .Key}},
  {
    auth: { storageKey: {{quote .StorageKey}} }, // or projects of one host share a session
    realtime: { transport: globalThis.WebSocket ?? class {} }, // for Node 20
  },
)
{{end}}
{{- define "server"}}import { createServerClient } from '@supabase/ssr'

const supabase = createServerClient(
  {{quote .URL}},
  {{quote .Key}},
  {
    cookieOptions: { name: {{quote .StorageKey}} }, // the same in createBrowserClient
    cookies, // getAll and setAll of the request
  },
)
{{end}}`))

// quote writes a string of JavaScript.
func quote(s string) string { return "'" + quoted.Replace(s) + "'" }

var quoted = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\u2028", `\u2028`, "\u2029", `\u2029`)

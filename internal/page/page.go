// Package page is the frame of the HTML pages that Reeve shows to people: their
// look, and headers that let a page load and run nothing but what its template
// declares. It knows nothing of what a page says.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

//go:embed base.css
var baseStyle string

// Options describe a page beyond its text.
type Options struct {
	// Style is added to the common style.
	Style string
	// Script is the page's only script; usually empty.
	Script string
	// Forms lets the page's forms be sent, to this origin.
	Forms bool
	// AnyForms lifts every restriction on forms. Browsers apply a restriction to
	// the redirect that follows a form too, so a form whose answer leads to an
	// app of unknown address needs it.
	AnyForms bool
	// KeepReferrer tells this origin, and only it, the address of the page. By
	// default nobody learns it, since it may hold a token. Browsers send the
	// Origin of a form only when they may tell it.
	KeepReferrer bool
}

// Template is a page. It is safe for concurrent use.
type Template struct {
	parsed  *template.Template
	policy  string
	options Options
}

// Parse parses a page: text defines the templates "title" and "main", and may
// define "footer". It panics when it is wrong, since pages are part of the
// program.
func Parse(text string, o Options) *Template {
	frame := template.Must(template.New("frame").Funcs(template.FuncMap{
		"style":  func() template.CSS { return template.CSS(baseStyle + o.Style) }, //nolint:gosec // part of the program
		"script": func() template.JS { return template.JS(o.Script) },              //nolint:gosec // part of the program
	}).Parse(frameText))
	return &Template{parsed: template.Must(frame.Parse(text)), policy: policy(o), options: o}
}

// policy forbids a page to load or run anything, and to be framed. Style and
// script are allowed by digest.
func policy(o Options) string {
	directives := []string{"default-src 'none'", "style-src " + digest(baseStyle+o.Style)}
	if o.Script != "" {
		directives = append(directives, "script-src "+digest(o.Script))
	}
	forms := "'none'"
	if o.Forms {
		forms = "'self'"
	}
	if !o.AnyForms {
		directives = append(directives, "form-action "+forms)
	}
	return strings.Join(append(directives, "base-uri 'none'", "frame-ancestors 'none'"), "; ")
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write answers with the page.
func (t *Template) Write(w http.ResponseWriter, status int, data any) {
	var body bytes.Buffer
	if err := t.parsed.Execute(&body, data); err != nil { // the template is wrong, which the tests would show
		body.Reset()
		body.WriteString("Something went wrong")
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", t.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if t.options.KeepReferrer {
		h.Set("Referrer-Policy", "same-origin")
	}
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a client that is gone reads nothing
}

const frameText = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{template "title" .}}</title>
<style>{{style}}</style>
</head>
<body>
<main>
{{template "main" .}}
{{block "footer" .}}{{end}}</main>
{{with script}}<script>{{.}}</script>
{{end}}</body>
</html>
`

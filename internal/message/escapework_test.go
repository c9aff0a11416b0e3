package message

import (
	"errors"
	"html/template"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/reevehq/reeve/internal/fault"
)

// slow are templates within 64 KiB for which html/template reads more than
// 10^8 bytes.
var slow = map[string]string{
	"no tag":              strings.Repeat("<", 65_000),
	"no tag, with spaces": strings.Repeat("< ", 32_000),
	"no end tag":          strings.Repeat("</", 32_000),
	"in ranges":           "{{range 2}}{{range 2}}" + strings.Repeat("<", 9_000) + "{{end}}{{end}}",
	"in a branch":         "{{if .Email}}<title>x</title>{{else}}<title>" + strings.Repeat("<", 60_000) + "</title>{{end}}",
	"after a break":       "{{range 2}}{{if .}}{{break}}{{else}}<title>{{end}}" + strings.Repeat("<a", 30_000) + "</title>{{end}}",
	"title":               "<title>" + strings.Repeat("<a", 30_000) + "</title>",
	"quoted title end":    `<title a="</title>">` + strings.Repeat("<a", 30_000) + "</title>",
	"title in a comment":  "<!--<title>--><textarea></title>" + strings.Repeat("<a", 30_000) + "</textarea>",
	"longer title end":    "<title></titles>" + strings.Repeat("<a", 30_000) + "</title>",
	"textarea":            "<TextArea>" + strings.Repeat("<", 60_000) + "</TEXTAREA >",
	"title's attributes":  "<title " + strings.Repeat("a ", 16_000) + ">" + strings.Repeat("</", 15_000) + "</title>",
	"meta's attributes":   "<meta " + strings.Repeat("a ", 16_000) + ">" + strings.Repeat("</a>", 8_000),
	"style":               "<style>" + strings.Repeat(`""`, 15_000) + strings.Repeat("</", 15_000) + "</style>",
	"style's backslashes": `<style>a{x:"` + strings.Repeat(`\a`, 32_000) + `"}</style>`,
	"attribute's":         `<p style="x:'` + strings.Repeat(`\a`, 32_000) + `{{ .Token }}'">`,
	"script":              "<script>" + strings.Repeat("{};", 10_000) + strings.Repeat("</", 15_000) + "</script>",
	"script end in text":  `<script>"</script>";` + strings.Repeat("{};", 10_000) + strings.Repeat("</", 15_000) + "</script>",
}

func TestSlowTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	for name, source := range slow {
		t.Run(name, func(t *testing.T) {
			err := CheckTemplate(Recovery, false, source)
			if !errors.Is(err, errEscapeWork) {
				t.Fatalf("%v, want %v", err, errEscapeWork)
			}
			if f := fault.From(err); f.Kind != fault.Invalid || !strings.Contains(f.Message, "The content template of recovery mails is invalid: too much work to escape") {
				t.Errorf("fault %s: %s", f.Code, f.Message)
			}
			m, err := Render(Recovery, Template{Content: source}, "jane@example.com", data())
			if err != nil || !errors.Is(m.TemplateError, errEscapeWork) {
				t.Errorf("a stored one: %v, %v", err, m.TemplateError)
			}
		})
	}
	if err := CheckTemplate(Recovery, false, strings.Repeat("{{ $a := 0 }}", maxVariables+1)); !errors.Is(err, errVariables) {
		t.Errorf("many variables: %v", err)
	}
}

// TestLargeMailsHaveSpare: a mail as editors make them, as large as is allowed,
// needs less than a third of the allowed work.
func TestLargeMailsHaveSpare(t *testing.T) {
	t.Parallel()
	source := `<!DOCTYPE html><html><head><title>Hi</title><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="X-UA-Compatible" content="IE=edge"><!--[if mso]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]-->
<style type="text/css">` + strings.Repeat("@media only screen and (max-width:480px) { .column-per-100 > a:hover { width:100% !important; mso-line-height-rule:exactly } }\n", 120) +
		`.x { content: "\201C"; width: 1px\9 }</style></head><body><p>2 < 3 & {{ .Email }}</p><table>`
	row := `<tr><td style="padding:10px 25px;font-family:'Helvetica Neue',Arial" align="center"><b>Hello</b>&nbsp;<a href="https://example.com/?a=1&amp;b=2">x</a></td></tr>` + "\n"
	end := `</table><a href="{{ .ConfirmationURL }}">Confirm</a></body></html>`
	source += strings.Repeat(row, (maxTemplate-len(source)-len(end))/len(row)) + end
	if err := CheckTemplate(Recovery, false, source); err != nil {
		t.Fatal(err)
	}
	tree, err := compile(Recovery, source, &meter{})
	if err != nil {
		t.Fatal(err)
	}
	w := &escapeWork{left: maxEscapeWork}
	if _, err := w.list(tree.Root, markup{}, 0); err != nil || maxEscapeWork-w.left > maxEscapeWork/3 {
		t.Errorf("%d of %d, %v", maxEscapeWork-w.left, maxEscapeWork, err)
	}
}

// FuzzEscapeWork: what html/template takes for a complete document ends in
// text for escapeWork too, so that both agree on where special texts end.
func FuzzEscapeWork(f *testing.F) {
	for _, s := range []string{
		"a < b", "<a href='x>y' b=c>", "<!-- <title> --><p>", `<title a=">">x</b></title >`, "<TextArea></textareas></textarea>",
		"<style>a{b:'</style>'}</style>", `<meta content="a" b>`, "<title->x</title>", "<a-b:c>", "{{if .Email}}<title>{{break}}</title>{{end}}",
		"{{range 3}}{{if .}}<b>{{continue}}{{else}}<title>x</title>{{end}}{{end}}", "<p {{.Email}}={{.Email}}>", "<", "</", "<!-->",
		`<a title={{.Email}} b="{{if .Token}}x{{else}}y{{end}}">`, "<script>'</script>'</script>", "<title>{{.Email}}</title>{{with .Token}}<br/>{{end}}",
	} {
		f.Add(s)
	}
	for _, s := range slow {
		f.Add(s[:min(len(s), 200)])
	}
	f.Fuzz(func(t *testing.T, source string) {
		m := &meter{steps: maxTemplateSteps, bytes: maxTemplateBytes}
		tree, err := compile(Recovery, source, m)
		if err != nil || len(source) > 1000 {
			return
		}
		w := &escapeWork{left: maxEscapeWork}
		at, workErr := w.list(tree.Root.Copy().(*parse.ListNode), markup{}, 0)
		escaped, err := template.New("").Funcs(template.FuncMap(m.funcs())).AddParseTree("x", tree)
		if err != nil {
			return
		}
		var bad *template.Error
		if err := escaped.Execute(&limitedWriter{left: maxRendered}, variables{}); errors.As(err, &bad) {
			return // not escaped
		}
		if w.script || errors.Is(workErr, errVariables) || errors.Is(workErr, errEscapeWork) {
			return
		}
		if at.dead = false; workErr != nil || at != (markup{}) {
			t.Errorf("%q ends in %+v, %v", source, at, workErr)
		}
	})
}

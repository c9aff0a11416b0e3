package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/page"
)

// Prompt is an answer that asks a person in a browser to press a button, before
// something happens that a link alone must not cause.
type Prompt struct {
	Title string
	Text  []string // paragraphs
	// Button submits Fields as a form by POST to Action, which is relative to the
	// page, or an address.
	Button, Action string
	// Submits presses the button at once where scripts run.
	Submits bool
	// Choices are buttons in place of Button: each has the name that it shows and the
	// value that it submits as the field Choice.
	Choice  string
	Choices []PromptField
	Fields  []PromptField
	Note    string // below the button
	Cookies []*http.Cookie
}

// PromptField is a hidden field of a Prompt.
type PromptField struct{ Name, Value string }

var (
	promptPage  = page.Parse(promptText, page.Options{AnyForms: true, Style: promptStyle})
	submitsPage = page.Parse(promptText, page.Options{AnyForms: true, Style: promptStyle, Script: "document.forms[0].submit()"})
)

const promptText = `{{define "title"}}{{.Title}}{{end}}
{{define "main"}}<h1>{{.Title}}</h1>
{{range .Text}}<p>{{.}}</p>
{{end}}{{$choice := .Choice}}{{with .Choices}}<form class="choices" method="post" action="{{$.Action}}">
{{range .}}<p><button type="submit" name="{{$choice}}" value="{{.Value}}">{{.Name}}</button></p>
{{end}}</form>
{{end}}{{if .Button}}<form method="post" action="{{.Action}}">
{{range .Fields}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">
{{end}}<p><button type="submit">{{.Button}}</button></p>
</form>
{{end}}{{with .Note}}<p class="note">{{.}}</p>
{{end}}{{end}}`

const promptStyle = `
form{margin:2rem 0}
button{font:inherit;font-weight:600;padding:.7rem 1.4rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--accent-text);cursor:pointer}
.choices button{width:100%;text-align:left;overflow-wrap:anywhere}
.note{font-size:.875rem;color:var(--text-2)}`

func writePrompt(c *gin.Context, code int, p *Prompt) {
	setCookies(c, p.Cookies)
	if p.Submits {
		submitsPage.Write(c.Writer, code, p)
		return
	}
	promptPage.Write(c.Writer, code, p)
}

func setCookies(c *gin.Context, cookies []*http.Cookie) {
	for _, cookie := range cookies {
		http.SetCookie(c.Writer, cookie)
	}
}

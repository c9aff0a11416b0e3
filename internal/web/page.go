package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/fault"
)

// Pages answers browsers with a page, and all other clients by next: people
// open links in mails and mistype URLs.
func Pages(next ErrorWriter) ErrorWriter {
	return func(w http.ResponseWriter, r *http.Request, e Refusal) {
		w.Header().Add("Vary", "Accept")
		if !wantsPage(r.Header.Values("Accept")) {
			next(w, r, e)
			return
		}
		writePage(w, e)
	}
}

// wantsPage reports whether a client accepts HTML explicitly, and JSON less
// than that: most programs accept */*.
func wantsPage(accept []string) bool {
	var page, data float64
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := quality(params["q"])
		switch {
		case media == "text/html", media == "application/xhtml+xml":
			page = max(page, q)
		case media == "application/json", strings.HasSuffix(media, "+json"):
			data = max(data, q)
		}
	}
	return page > data
}

// quality is the weight of RFC 9110, section 12.4.2; a malformed weight counts
// as absent.
func quality(s string) float64 {
	q, err := strconv.ParseFloat(s, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 1
	}
	return q
}

// pageText is a page's text in addition to the fault's message.
type pageText struct{ Title, Advice string }

func textOf(k fault.Kind) pageText {
	const again = "Go back to the app and try again."
	switch k {
	case fault.NotFound, fault.MethodNotAllowed:
		return pageText{"There is nothing here", "Check the address for missing or additional characters, or go back to the app that sent you here."}
	case fault.TooMany:
		return pageText{"Too many attempts", "Wait a few minutes, then try again."}
	case fault.Unavailable:
		return pageText{"Not available at the moment", "Try again in a minute."}
	case fault.Unauthorized, fault.Forbidden:
		return pageText{"This cannot be opened here", "Go back to the app and sign in again."}
	case fault.Internal:
		return pageText{"Something went wrong", again + " If it goes on, tell the app's support the number below."}
	default:
		return pageText{"This link does not work", "It may be incomplete: open it again from the message, or ask the app for a new one."}
	}
}

func writePage(w http.ResponseWriter, e Refusal) {
	message := e.Fault.Message
	if e.Fault.Kind == fault.Internal { // operators find the request in the log by it
		message = ""
	}
	var body bytes.Buffer
	err := page.Execute(&body, struct {
		pageText
		Style             template.CSS
		Message, Code, ID string
		StatusCode        int
	}{textOf(e.Fault.Kind), pageStyle, message, e.Fault.Code, e.RequestID, e.Status})
	if err != nil { // the template is wrong, which the tests would show
		body.Reset()
		body.WriteString("Something went wrong")
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer") // the address may hold a token
	h.Set("Cache-Control", "no-store")
	h.Set(errorCodeHeader, e.Fault.Code)
	w.WriteHeader(e.Status)
	_, _ = w.Write(body.Bytes()) // a client that is gone reads nothing
}

const pageStyle = `:root{color-scheme:light dark}
body{margin:0;font:1rem/1.6 system-ui,sans-serif;background:#fff;color:#1b1b1f}
main{max-width:34rem;margin:0 auto;padding:15vh 1.5rem 2rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}
footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid #77777d;font-size:.875rem;color:#55555c;overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){body{background:#17171b;color:#ececf1}footer{color:#b4b4bd}}`

// pagePolicy forbids a page to load or run anything and to be framed; its style
// is allowed by digest.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

var page = template.Must(template.New("refusal").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
{{with .Message}}<p>{{.}}</p>
{{end}}<p>{{.Advice}}</p>
<footer>Error {{.StatusCode}}, {{.Code}}<br>Request {{.ID}}</footer>
</main>
</body>
</html>
`))

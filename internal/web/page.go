package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/page"
)

// Pages answers browsers with a page, and all other clients by next: people
// open links in mails and mistype URLs.
func Pages(next ErrorWriter) ErrorWriter {
	return func(w http.ResponseWriter, r *http.Request, e Refusal) {
		w.Header().Add("Vary", "Accept")
		if !WantsPage(r) {
			next(w, r, e)
			return
		}
		writePage(w, e)
	}
}

// WantsPage reports whether a request comes from a browser that shows its
// answer to a person.
func WantsPage(r *http.Request) bool { return wantsPage(r.Header.Values("Accept")) }

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
		return pageText{"This did not work", again + " A link in a message may be incomplete: open it again from there."}
	}
}

func writePage(w http.ResponseWriter, e Refusal) {
	message := e.Fault.Message
	if e.Fault.Kind == fault.Internal { // operators find the request in the log by it
		message = ""
	}
	if message != "" && !strings.HasSuffix(message, ".") {
		message += "."
	}
	w.Header().Set(errorCodeHeader, e.Fault.Code)
	refusalPage.Write(w, e.Status, struct {
		pageText
		Message, Code, ID string
		StatusCode        int
	}{textOf(e.Fault.Kind), message, e.Fault.Code, e.RequestID, e.Status})
}

var refusalPage = page.Parse(`{{define "title"}}{{.Title}}{{end}}
{{define "main"}}<h1>{{.Title}}</h1>
{{with .Message}}<p>{{.}}</p>
{{end}}<p>{{.Advice}}</p>{{end}}
{{define "footer"}}<footer>Error {{.StatusCode}}, {{.Code}}<br>Request {{.ID}}</footer>
{{end}}`, page.Options{})

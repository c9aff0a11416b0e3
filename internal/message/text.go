package message

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// document is the result of readHTML.
type document struct {
	text  string
	links []string
}

// readHTML converts a mail's HTML to its text part and lists its links. It
// works token by token, in linear time, because its input comes from a
// project's template. Elements with display:none or data-text="none" are left
// out of the text; their links are still listed.
func readHTML(source string) document {
	r := &reader{}
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end; a string reader has no other error
			return document{text: r.out.String(), links: r.links}
		case html.TextToken:
			r.words(string(z.Text()))
		case html.StartTagToken:
			r.start(z.Token())
		case html.SelfClosingTagToken:
			t := z.Token()
			r.start(t)
			r.end(t.DataAtom)
		case html.EndTagToken:
			r.end(z.Token().DataAtom)
		}
	}
}

// reader is the state of one readHTML.
type reader struct {
	out   lines
	links []string

	// Inside an element that is left out: its name and how often that name is
	// open. Only the same name counts, so that an unclosed child cannot hide
	// the rest of the mail.
	hidden atom.Atom
	open   int

	href string // of the open link
	from int    // start of its text
}

func (r *reader) start(t html.Token) {
	if t.DataAtom == atom.A {
		r.startLink(attribute(t, "href"))
	}
	if r.open > 0 {
		if t.DataAtom == r.hidden {
			r.open++
		}
		return
	}
	if leftOut(t) {
		r.hidden, r.open = t.DataAtom, 1
		return
	}
	switch t.DataAtom {
	case atom.Br:
		r.out.newline(1)
	case atom.Hr:
		r.out.newline(2)
		r.out.write("----")
		r.out.newline(2)
	case atom.Li:
		r.out.newline(1)
		r.out.write("- ")
	case atom.Img:
		r.words(attribute(t, "alt"))
	default:
		r.out.newline(distance[t.DataAtom])
	}
}

func (r *reader) end(name atom.Atom) {
	if name == atom.A {
		defer func() { r.href = "" }()
	}
	if r.open > 0 {
		if name == r.hidden {
			r.open--
		}
		return
	}
	switch {
	case name == atom.A && r.href != "":
		r.endLink()
	case name == atom.Td || name == atom.Th:
		r.out.space()
	default:
		r.out.newline(distance[name])
	}
}

func (r *reader) words(s string) {
	if r.open == 0 {
		r.out.words(s)
	}
}

func (r *reader) startLink(href string) {
	r.href, r.from = "", r.out.len()
	if !isLink(href) {
		return
	}
	r.href = href
	if !slices.Contains(r.links, href) && len(r.links) < maxLinks {
		r.links = append(r.links, href)
	}
}

// endLink writes the target after the link's text, unless they are the same.
func (r *reader) endLink() {
	switch strings.TrimSpace(r.out.since(r.from)) {
	case r.href:
	case "":
		r.out.words(" " + r.href)
	default:
		r.out.write(":")
		r.out.newline(1)
		r.out.words(r.href)
		r.out.newline(1)
	}
}

// maxLinks bounds Message.Links.
const maxLinks = 50

// isLink excludes targets that cannot be opened from a mail.
func isLink(href string) bool {
	scheme, _, ok := strings.Cut(href, ":")
	if !ok {
		return false
	}
	switch strings.ToLower(scheme) {
	case "javascript", "data", "vbscript", "mailto", "tel", "cid":
		return false
	}
	return !strings.ContainsAny(scheme, "/#?")
}

// leftOut reports whether an element's text is not shown.
func leftOut(t html.Token) bool {
	switch t.DataAtom {
	case atom.Head, atom.Style, atom.Script, atom.Title, atom.Template, atom.Noscript:
		return true
	case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Wbr, 0:
		return false // void or unknown: there may be no end tag
	}
	style := strings.ReplaceAll(strings.ToLower(attribute(t, "style")), " ", "")
	return strings.Contains(style, "display:none") || attribute(t, "data-text") == "none"
}

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

// distance is the number of line ends between an element and its neighbours.
var distance = map[atom.Atom]int{
	atom.P: 2, atom.H1: 2, atom.H2: 2, atom.H3: 2, atom.H4: 2, atom.H5: 2, atom.H6: 2,
	atom.Ul: 2, atom.Ol: 2, atom.Blockquote: 2, atom.Pre: 2, atom.Table: 1,
	atom.Div: 1, atom.Tr: 1, atom.Section: 1, atom.Article: 1, atom.Header: 1, atom.Footer: 1,
	atom.Li: 1, atom.Body: 1, atom.Center: 1,
}

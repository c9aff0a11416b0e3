package message

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrUnknownKind is returned by Render and CheckTemplate for a Kind that is
// not in Kinds.
var ErrUnknownKind = fault.New(fault.Invalid, "validation_failed", "Unknown kind of mail template")

// maxSubject bounds a subject in characters; RFC 5322 allows more, but no mail
// client shows it.
const maxSubject = 200

// Render renders the mail of a kind for the address to. It fails only for an
// unknown kind. A project template that is broken, too large or too slow is
// replaced by the default, and Message.TemplateError says why. ID is random and
// CreatedAt is the wall clock; the caller may set both.
func Render(kind Kind, own Template, to string, d Data) (Message, error) {
	page, ok := defaultPages()[kind]
	if !ok {
		return Message{}, fmt.Errorf("render %q: %w", kind, ErrUnknownKind)
	}
	m := Message{
		ID: uuid.New(), Channel: Email, Kind: kind, To: oneLine(to),
		CreatedAt: time.Now().UTC(),
	}
	vars := d.variables(m.To)
	var err error
	if m.Subject, err = subject(kind, own.Subject, page, vars); err != nil {
		m.TemplateError = fmt.Errorf("subject of %s: %w", kind, err)
	}
	if m.HTML, err = body(kind, own.Content, page, vars); err != nil {
		m.TemplateError = fmt.Errorf("content of %s: %w", kind, err)
	}
	doc := readHTML(m.HTML)
	m.Text = doc.text
	m.Links = actionFirst(doc.links, d)
	if d.Token != "" && strings.Contains(m.Text, d.Token) {
		m.Code = d.Token
	}
	return m, nil
}

// subject renders the project's subject, or returns the default one and the
// reason.
func subject(kind Kind, own string, page defaultPage, vars variables) (string, error) {
	var reason error
	if own != "" {
		out, err := renderSubject(kind, own, vars)
		if out = clip(oneLine(out), maxSubject); err == nil && out != "" {
			return out, nil
		}
		reason = err
	}
	return clip(oneLine(page.subjectFor(vars)), maxSubject), reason
}

// body renders the project's content, or returns the default one and the
// reason.
func body(kind Kind, own string, page defaultPage, vars variables) (string, error) {
	var reason error
	if own != "" {
		out, err := renderBody(kind, own, vars)
		if err == nil {
			return out, nil
		}
		reason = err
	}
	return page.bodyFor(vars), reason
}

// oneLine makes s safe as a header value: control characters (including CR and
// LF), bidirectional marks, and runs of spaces become one space.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// actionFirst moves the links that carry the mail's token to the front.
func actionFirst(links []string, d Data) []string {
	first, rest := make([]string, 0, len(links)), make([]string, 0, len(links))
	for _, l := range links {
		if l == d.ConfirmationURL || d.TokenHash != "" && strings.Contains(l, d.TokenHash) {
			first = append(first, l)
		} else {
			rest = append(rest, l)
		}
	}
	return append(first, rest...)
}

package setting

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

//go:generate go run ./table ../../docs/settings.md

// The marks between which WriteTable writes.
const (
	tableBegin = "<!-- Settings: written by `make generate` -->\n"
	tableEnd   = "<!-- End of settings -->\n"
)

// WriteTable gives a page of the documentation with the tables of all settings
// between its marks.
func WriteTable(page string) (string, error) {
	before, rest, ok := strings.Cut(page, tableBegin)
	if !ok {
		return "", errors.New("the mark before the settings is missing")
	}
	_, after, ok := strings.Cut(rest, tableEnd)
	if !ok {
		return "", errors.New("the mark after the settings is missing")
	}
	var b strings.Builder
	for _, g := range declared.groups {
		g.write(&b)
	}
	return before + tableBegin + b.String() + "\n" + tableEnd + after, nil
}

func (g Group) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n", g.Title)
	var rows, off []string
	for _, s := range g.Settings {
		if s.Available() {
			rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |\n", s.Name, s.shownDefault(), s.shownRange(), s.Effect))
		} else {
			off = append(off, fmt.Sprintf("`%s` (%s)", s.Name, s.Off()))
		}
	}
	if rows != nil {
		b.WriteString("\n| setting | default | values | |\n| --- | --- | --- | --- |\n" + strings.Join(rows, ""))
	}
	for _, r := range g.Rules {
		b.WriteString("\n" + r.Text + "\n")
	}
	if off != nil {
		b.WriteString("\nNot available yet: " + strings.Join(off, ", ") + ".\n")
	}
}

func (s Setting) shownDefault() string {
	if s.Secret || s.Default == "" {
		return "empty"
	}
	if text, ok := s.Default.(string); ok {
		return "`" + text + "`"
	}
	return s.Off()
}

func (s Setting) shownRange() string {
	switch {
	case s.Kind == Bool:
		return "true, false"
	case s.Kind != Text:
		return fmt.Sprintf("%s to %s", grouped(s.Min), grouped(s.Max))
	case s.OneOf != nil:
		return "[see below](#values-of-texts)"
	case s.Secret:
		return fmt.Sprintf("secret, %s bytes", grouped(float64(s.MaxLength)))
	case s.MaxLength > 0:
		return fmt.Sprintf("%s characters", grouped(float64(s.MaxLength)))
	default:
		return "text"
	}
}

// grouped writes a whole number with a comma before each three digits.
func grouped(n float64) string {
	s := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

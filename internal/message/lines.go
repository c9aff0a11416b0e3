package message

import (
	"strings"
)

// lines builds plain text: white space collapses as in HTML, and at most one
// line in a row is empty.
type lines struct {
	b       strings.Builder
	ends    int  // line ends to write before the next word
	gap     bool // write a space before the next word
	started bool
}

// words adds text, collapsing its white space.
func (l *lines) words(s string) {
	fields := strings.FieldsFunc(s, isSpace)
	if len(fields) == 0 {
		l.gap = l.gap || s != ""
		return
	}
	l.gap = l.gap || isSpace(rune(s[0]))
	for i, f := range fields {
		if i > 0 {
			l.gap = true
		}
		l.write(f)
	}
	l.gap = isSpace(rune(s[len(s)-1]))
}

// write adds s unchanged, after pending line ends or space.
func (l *lines) write(s string) {
	if l.started {
		if l.ends > 0 {
			l.b.WriteString(strings.Repeat("\n", l.ends))
		} else if l.gap {
			l.b.WriteByte(' ')
		}
	}
	l.ends, l.gap, l.started = 0, false, true
	l.b.WriteString(s)
}

// newline puts the next word at least n line ends further, at most 2.
func (l *lines) newline(n int) {
	if n > 0 {
		l.ends, l.gap = max(l.ends, min(n, 2)), false
	}
}

// space puts a space before the next word.
func (l *lines) space() { l.gap = true }

// len is the length so far.
func (l *lines) len() int { return l.b.Len() }

// since is what was written after position n.
func (l *lines) since(n int) string { return l.b.String()[n:] }

// String is the text, ending in one line end unless it is empty.
func (l *lines) String() string {
	if !l.started {
		return ""
	}
	return strings.TrimRight(l.b.String(), " \n") + "\n"
}

// isSpace is HTML's white space plus the no-break space.
func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' || r == '\u00a0'
}

package redirect

import "strings"

// maxGlob bounds a pattern. A match costs at most its length times that of the
// URL, whatever they contain: a project's patterns cannot occupy a processor
// that other projects need.
const maxGlob = 512

// glob is a compiled pattern, one atom after the other.
type glob []atom

type atom struct {
	kind  atomKind
	char  byte   // the literal
	set   string // the set: pairs of first and last
	other bool   // the set is negated
}

type atomKind uint8

const (
	literal atomKind = iota
	single           // ? any character but . and /
	run              // * any number of them
	all              // ** anything
	set              // [a-z] one of them, [!a-z] one that is none of them
)

// compile parses a pattern; any character that is not a wildcard is a literal.
func compile(pattern string) glob {
	var g glob
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '?':
			g = append(g, atom{kind: single})
		case '*':
			n := len(pattern[i:]) - len(strings.TrimLeft(pattern[i:], "*"))
			kind := run
			if n > 1 {
				kind = all
			}
			g = append(g, atom{kind: kind})
			i += n - 1
		case '[':
			a, n := readSet(pattern[i:])
			g = append(g, a)
			i += n - 1
		default:
			g = append(g, atom{char: pattern[i]})
		}
	}
	return g
}

// readSet parses a set at the start of s and returns its length. A bracket that
// is not closed, or that begins an IPv6 address, is a literal.
func readSet(s string) (atom, int) {
	end := strings.IndexByte(s, ']')
	if end < 2 || strings.Contains(s[:end], "::") {
		return atom{char: '['}, 1
	}
	body := s[1:end]
	a := atom{kind: set}
	if rest, ok := strings.CutPrefix(body, "!"); ok && rest != "" {
		a.other, body = true, rest
	}
	var pairs []byte
	for len(body) > 0 {
		if len(body) > 2 && body[1] == '-' {
			pairs, body = append(pairs, body[0], body[2]), body[3:]
			continue
		}
		pairs, body = append(pairs, body[0], body[0]), body[1:]
	}
	a.set = string(pairs)
	return a, end + 1
}

func (a atom) repeats() bool { return a.kind == run || a.kind == all }

func (a atom) takes(c byte) bool {
	switch a.kind {
	case all:
		return true
	case run, single:
		return c != '.' && c != '/'
	case set:
		for i := 0; i < len(a.set); i += 2 {
			if a.set[i] <= c && c <= a.set[i+1] {
				return !a.other
			}
		}
		return a.other && c != '/'
	}
	return c == a.char
}

// match reports whether the pattern describes all of s.
func (g glob) match(s string) bool { return g.run(s, -1) }

// matchRest is match for path and query. The path's part of the pattern must
// match the path: only a ? of the pattern, or wildcards at its end, match the
// question mark that begins the query.
func (g glob) matchRest(s string) bool { return g.run(s, strings.IndexByte(s, '?')) }

// run follows all states of the pattern at once, so that no input is slow. The
// query begins at index query; -1 means that there is none.
func (g glob) run(s string, query int) bool {
	end := len(g) // of what wildcards at the end of the pattern do not take
	for end > 0 && g[end-1].repeats() {
		end--
	}
	at, next := make([]bool, len(g)+1), make([]bool, len(g)+1)
	at[0] = true
	g.skip(at)
	for i := range len(s) {
		clear(next)
		alive := false
		for k := range g {
			if !at[k] || !g[k].takes(s[i]) || i == query && g[k].repeats() && k < end {
				continue
			}
			alive = true
			if g[k].repeats() {
				next[k] = true
			} else {
				next[k+1] = true
			}
		}
		if !alive {
			return false
		}
		g.skip(next)
		at, next = next, at
	}
	return at[len(g)]
}

// skip advances over the atoms that may match nothing.
func (g glob) skip(at []bool) {
	for k := range g {
		if at[k] && g[k].repeats() {
			at[k+1] = true
		}
	}
}

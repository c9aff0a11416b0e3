package message

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"text/template/parse"
)

// maxEscapeWork bounds the bytes that html/template reads to find the contexts
// of a template, see escapeWork. Mails of 64 KiB that real editors produce stay
// below a third of it.
const maxEscapeWork = 32 << 20

// maxVariables bounds the variables that a template declares or sets: each use
// of one is found by a walk over all of them.
const maxVariables = 128

var (
	errEscapeWork = errors.New(`too much work to escape: too many "<" that begin no tag, too many backslashes, or too much in style, script, title or textarea`)
	errBranches   = errors.New("branches of an if, with or range end in different contexts")
	errVariables  = fmt.Errorf("more than %d variables are declared or set", maxVariables)
)

// checkEscapeWork returns an error for a template that would take html/template
// too long. html/template reads the rest of a text again at some of its
// characters, so its time is quadratic in hostile texts:
//
//   - at each "<" that begins no tag, and each "<" in title and textarea, it
//     looks for a DOCTYPE and converts the whole rest to upper case;
//   - at each step inside script, style, title, textarea and meta it looks for
//     the end tag;
//   - at each backslash of a CSS string it decodes the string so far.
func checkEscapeWork(list *parse.ListNode) error {
	w := &escapeWork{left: maxEscapeWork}
	_, err := w.list(list, markup{}, 0)
	return err
}

// markup is where in the HTML a text begins or ends.
type markup struct {
	place   place
	element string // of a tag or of special text: "" for elements that are not special
	quote   byte   // of an attribute's value in a tag, or zero
	dead    bool   // after break or continue
}

type place int

const (
	inText place = iota
	inTag
	inComment
	inSpecial // text of style, title or textarea
)

// escapeWork follows the markup of a template like html/template, and subtracts
// the bytes that html/template reads more than once.
type escapeWork struct {
	left      int
	variables int
	passes    int  // log2 of how often the present list is escaped
	script    bool // there was a script tag: where it ends depends on its JavaScript
}

func (w *escapeWork) list(list *parse.ListNode, at markup, ranges int) (markup, error) {
	if list == nil {
		return at, nil
	}
	var err error
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			err = w.declare(n.Pipe)
		case *parse.TextNode:
			at, err = w.text(n.Text, at, ranges)
		case *parse.IfNode:
			at, err = w.branch(&n.BranchNode, at, ranges)
		case *parse.WithNode:
			at, err = w.branch(&n.BranchNode, at, ranges)
		case *parse.RangeNode:
			at, err = w.branch(&n.BranchNode, at, ranges+1)
		case *parse.BreakNode, *parse.ContinueNode:
			at.dead = true
		}
		if err != nil {
			return at, placed(node.Position(), err)
		}
	}
	return at, nil
}

// branch requires, like html/template, that both branches end in the same
// context.
func (w *escapeWork) branch(n *parse.BranchNode, at markup, ranges int) (markup, error) {
	if err := w.declare(n.Pipe); err != nil {
		return at, err
	}
	first, err := w.list(n.List, at, ranges)
	if err != nil {
		return at, err
	}
	second, err := w.list(n.ElseList, at, ranges)
	switch {
	case err != nil:
		return at, err
	case first.dead:
		return second, nil
	case !second.dead && first != second:
		return at, errBranches
	}
	return first, nil
}

// declare counts the variables that a pipeline declares or sets.
func (w *escapeWork) declare(pipe *parse.PipeNode) error {
	if w.variables += len(pipe.Decl); w.variables > maxVariables {
		return errVariables
	}
	return nil
}

// text charges for one text, and returns where it ends. A text in a range is
// escaped twice for each range around it.
func (w *escapeWork) text(s []byte, at markup, ranges int) (markup, error) {
	w.passes = ranges
	if w.script {
		w.chargeSearches(s, len(s))
	}
	w.charge(bytes.Count(s, []byte(`\`)), 2*len(s))
	for len(s) > 0 {
		if w.left < 0 {
			return at, errEscapeWork
		}
		n := 0
		switch at.place {
		case inText:
			at, n = w.plain(s, at)
		case inComment:
			at, n = w.comment(s, at)
		case inSpecial:
			at, n = w.special(s, at)
		default:
			at, n = w.tag(s, at)
		}
		s = s[n:]
	}
	if w.left < 0 {
		return at, errEscapeWork
	}
	return at, nil
}

// charge subtracts n times bytes.
func (w *escapeWork) charge(n, bytes int) {
	// Both are at most 2^20, so that the product cannot overflow.
	w.left = max(w.left-(n*bytes)<<w.passes, -1)
}

// chargeSearches charges for the search of an end tag in s at each of its first
// n bytes that can end a step. A search is fast, but stops at each "</".
func (w *escapeWork) chargeSearches(s []byte, n int) {
	steps := 0
	for _, c := range s[:n] {
		if !alphanumeric(c) {
			steps++
		}
	}
	w.charge(steps, len(s)/16+8*bytes.Count(s, []byte("</")))
}

// plain reads text up to and including the name of the first tag.
func (w *escapeWork) plain(s []byte, at markup) (markup, int) {
	i := bytes.IndexByte(s, '<')
	if i < 0 {
		return at, len(s)
	}
	if bytes.HasPrefix(s[i:], []byte("<!--")) {
		at.place = inComment
		return at, i + 4
	}
	name := i + 1
	closing := name < len(s) && s[name] == '/'
	if closing {
		name++
	}
	end := tagNameEnd(s, name)
	if end == name {
		w.charge(1, len(s)-i)
		return at, i + 1
	}
	at.place, at.element = inTag, ""
	if !closing {
		at.element = specialElement(string(s[name:end]))
	}
	if at.element == "script" && !w.script {
		w.script = true
		w.chargeSearches(s[end:], len(s)-end)
	}
	return at, end
}

// tag reads a tag up to its end, or up to or over the next value in quotes.
func (w *escapeWork) tag(s []byte, at markup) (markup, int) {
	if at.quote != 0 {
		i := bytes.IndexByte(s, at.quote)
		if i < 0 {
			return at, len(s)
		}
		at.quote = 0
		return at, i + 1
	}
	i := bytes.IndexAny(s, `"'>`)
	n := i + 1
	if i < 0 {
		n = len(s)
	}
	if at.element != "" {
		w.chargeSearches(s, n)
	}
	switch {
	case i < 0:
	case s[i] != '>':
		at.quote = s[i]
	case at.element == "" || at.element == "meta" || at.element == "script":
		at.place, at.element = inText, ""
	default:
		at.place = inSpecial
	}
	return at, n
}

func (w *escapeWork) comment(s []byte, at markup) (markup, int) {
	i := bytes.Index(s, []byte("-->"))
	if i < 0 {
		return at, len(s)
	}
	at.place = inText
	return at, i + 3
}

// special reads the text of style, title or textarea up to the end tag.
func (w *escapeWork) special(s []byte, at markup) (markup, int) {
	end := endTag(s, at.element)
	n := end
	if end < 0 {
		n = len(s)
	}
	if at.element == "style" {
		w.chargeSearches(s[:n], n)
	} else {
		w.charge(bytes.Count(s[:n], []byte("<")), len(s))
	}
	if end >= 0 {
		at.place, at.element = inText, ""
	}
	return at, n
}

// endTag is the index of the first end tag of an element, or -1.
func endTag(s []byte, element string) int {
	for from := 0; ; {
		i := bytes.Index(s[from:], []byte("</"))
		if i < 0 {
			return -1
		}
		at := from + i
		name := at + 2
		after := name + len(element)
		if after < len(s) && bytes.EqualFold(s[name:after], []byte(element)) && strings.IndexByte("> \t\n\f/", s[after]) >= 0 {
			return at
		}
		from = name
	}
}

// tagNameEnd is the end of a tag's name that begins at i: i if none does.
func tagNameEnd(s []byte, i int) int {
	if i >= len(s) || !alphanumeric(s[i]) || s[i] <= '9' {
		return i
	}
	for i++; i < len(s); i++ {
		joint := (s[i] == ':' || s[i] == '-') && i+1 < len(s) && alphanumeric(s[i+1])
		if !alphanumeric(s[i]) && !joint {
			break
		}
	}
	return i
}

// specialElement is the name of an element whose text is no markup, or which
// html/template handles like these; "" for any other.
func specialElement(name string) string {
	switch name = strings.ToLower(name); name {
	case "script", "style", "title", "textarea", "meta":
		return name
	}
	return ""
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

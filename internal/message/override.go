package message

import (
	"errors"
	"fmt"
	"html/template"
	"strings"
	text "text/template"
	"text/template/parse"
)

// Bounds of a project's own template. They keep a faulty or hostile one from
// blocking the process that renders it.
const (
	maxTemplate      = 64 << 10  // bytes of source
	maxRendered      = 256 << 10 // bytes of output
	maxNesting       = 64        // nested if, with and range
	maxRangeNesting  = 2         // html/template's escaper doubles its work with each
	maxArguments     = 17        // words of one command: a function and its arguments
	maxTemplateSteps = 100_000   // nodes visited inside ranges
	maxTemplateBytes = 1 << 20   // bytes of values that are printed or given to functions
)

var (
	errTemplateTooLarge = errors.New("template is larger than 64 KiB")
	errDefines          = errors.New("define, block and template are not available")
	errTooNested        = errors.New("too deeply nested")
)

// renderBody executes a project's content with HTML escaping.
func renderBody(kind Kind, source string, v variables) (string, error) {
	m := &meter{steps: maxTemplateSteps, bytes: maxTemplateBytes}
	tree, err := compile(kind, source, m)
	if err != nil {
		return "", err
	}
	if err := checkEscapeWork(tree.Root); err != nil {
		return "", err
	}
	t, err := template.New(string(kind)).Funcs(template.FuncMap(m.funcs())).AddParseTree(string(kind), tree)
	if err != nil {
		return "", err
	}
	w := &limitedWriter{left: maxRendered}
	if err := t.Execute(w, v); err != nil {
		return "", err
	}
	return w.String(), nil
}

// renderSubject executes a project's subject without escaping; the caller must
// pass the result through oneLine.
func renderSubject(kind Kind, source string, v variables) (string, error) {
	m := &meter{steps: maxTemplateSteps, bytes: maxTemplateBytes}
	tree, err := compile(kind, source, m)
	if err != nil {
		return "", err
	}
	t, err := text.New(string(kind)).Funcs(text.FuncMap(m.funcs())).AddParseTree(string(kind), tree)
	if err != nil {
		return "", err
	}
	w := &limitedWriter{left: maxRendered}
	if err := t.Execute(w, v); err != nil {
		return "", err
	}
	return w.String(), nil
}

// compile parses source, refuses nodes that a mail template does not need, and
// inserts the meter.
func compile(kind Kind, source string, m *meter) (*parse.Tree, error) {
	if len(source) > maxTemplate {
		return nil, errTemplateTooLarge
	}
	t, err := text.New(string(kind)).Funcs(text.FuncMap(m.funcs())).Parse(source)
	if err != nil {
		return nil, err
	}
	if t.Tree == nil {
		return nil, errors.New("template is empty")
	}
	if len(t.Templates()) > 1 {
		return nil, errDefines
	}
	if _, err := guard(t.Root, 0, 0); err != nil {
		return nil, err
	}
	return t.Tree, nil
}

// limitedWriter collects output up to a bound, and stops Execute there.
type limitedWriter struct {
	strings.Builder
	left int
}

// Write fails once the bound is passed.
func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, fmt.Errorf("output is larger than %d KiB", maxRendered>>10)
	}
	return w.Builder.Write(p)
}

package scim

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of a filter.
const (
	MaxFilter = 4096 // bytes
	maxDepth  = 16   // of parentheses and value paths
	maxTerms  = 50   // comparisons
)

// Op is an operator of a comparison.
type Op string

// The operators.
const (
	Equal          Op = "eq"
	NotEqual       Op = "ne"
	Contains       Op = "co"
	StartsWith     Op = "sw"
	EndsWith       Op = "ew"
	Greater        Op = "gt"
	GreaterOrEqual Op = "ge"
	Less           Op = "lt"
	LessOrEqual    Op = "le"
	Present        Op = "pr"
)

var operators = map[string]Op{
	"eq": Equal, "ne": NotEqual, "co": Contains, "sw": StartsWith, "ew": EndsWith,
	"gt": Greater, "ge": GreaterOrEqual, "lt": Less, "le": LessOrEqual, "pr": Present,
}

// Expr is a filter whose names and types have been checked: And, Or, Not, Compare or
// Any.
type Expr interface{ String() string }

// And is true if both are.
type And struct{ Left, Right Expr }

// Or is true if one is.
type Or struct{ Left, Right Expr }

// Not is true if the other is not.
type Not struct{ Of Expr }

// Compare compares the values of an attribute with a value. It is true if it is for one
// of them; with ne, if eq is not true. A value of nil is that of an attribute
// without values.
type Compare struct {
	Path  Path // of a simple attribute, unless Op is Present
	Op    Op
	Value any // nil, bool, string or time.Time; as the attribute's type
}

// Any is true if the filter is for one value of a multi-valued or complex attribute. The
// paths in it are relative to the attribute.
type Any struct {
	Path   Path
	Filter Expr
}

// String returns the filter in its canonical form.
func (e And) String() string { return "(" + e.Left.String() + " and " + e.Right.String() + ")" }

// String returns the filter in its canonical form.
func (e Or) String() string { return "(" + e.Left.String() + " or " + e.Right.String() + ")" }

// String returns the filter in its canonical form.
func (e Not) String() string { return "not (" + e.Of.String() + ")" }

// String returns the filter in its canonical form.
func (e Any) String() string { return e.Path.String() + "[" + e.Filter.String() + "]" }

// String returns the filter in its canonical form.
func (e Compare) String() string {
	s := e.Path.String() + " " + string(e.Op)
	if e.Op == Present {
		return s
	}
	v := e.Value
	if t, ok := v.(time.Time); ok {
		v = t.Format(time.RFC3339Nano)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a string, boolean or null
	return s + " " + strings.TrimSuffix(b.String(), "\n")
}

// ParseFilter reads a filter for resources of a type; ErrFilter.
func ParseFilter(t *ResourceType, text string) (Expr, error) {
	if len(text) > MaxFilter {
		return nil, saying(ErrFilter, "The filter is longer than %d bytes", MaxFilter)
	}
	p := &parser{text: text, scope: scope{resource: t}}
	p.space()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fail("the end or a logical operator is expected")
	}
	return e, nil
}

// parser reads a filter from left to right.
type parser struct {
	text  string
	at    int
	scope scope
	depth int
	terms int
}

func (p *parser) fail(what string) error {
	return saying(ErrFilter, "The filter is not valid at byte %d: %s", p.at+1, what)
}

// space skips spaces and reports whether there were any.
func (p *parser) space() bool {
	from := p.at
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
	return p.at > from
}

func (p *parser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// word returns what looks like a name or keyword, and skips it.
func (p *parser) word() string {
	from := p.at
	for p.at < len(p.text) && (isNameChar(p.text[p.at]) || strings.IndexByte(":.$", p.text[p.at]) >= 0) {
		p.at++
	}
	return p.text[from:p.at]
}

// logical skips a logical operator if it comes next; it stands between spaces.
func (p *parser) logical(name string) bool {
	from := p.at
	if p.space() && strings.EqualFold(p.word(), name) && p.space() {
		return true
	}
	p.at = from
	return false
}

func (p *parser) or() (Expr, error) {
	left, err := p.and()
	for err == nil && p.logical("or") {
		var right Expr
		right, err = p.and()
		left = Or{left, right}
	}
	return left, err
}

func (p *parser) and() (Expr, error) {
	left, err := p.term()
	for err == nil && p.logical("and") {
		var right Expr
		right, err = p.term()
		left = And{left, right}
	}
	return left, err
}

func (p *parser) term() (Expr, error) {
	if p.take('(') {
		return p.group(')')
	}
	from := p.at
	name := p.word()
	if strings.EqualFold(name, "not") {
		if p.space(); p.take('(') {
			e, err := p.group(')')
			return Not{e}, err
		}
		return nil, p.fail("a parenthesis is expected after not")
	}
	if !isName(name) {
		p.at = from
		return nil, p.fail("the name of an attribute is expected")
	}
	path, ok := p.scope.resolve(name)
	if !ok || path.Attr == nil {
		return nil, saying(ErrFilter, "The filter has %.100q, which is no attribute", name)
	}
	if path.Attr.Name == "schemas" {
		return nil, saying(ErrFilter, "schemas cannot be in a filter")
	}
	if p.take('[') {
		return p.values(path)
	}
	return p.compare(path)
}

// group reads a filter up to its end.
func (p *parser) group(end byte) (Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, saying(ErrFilter, "The filter is nested more than %d levels deep", maxDepth)
	}
	p.space()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); !p.take(end) {
		return nil, p.fail("a " + string(end) + " is expected")
	}
	p.depth--
	return e, nil
}

// values reads a value path. Beyond the grammar it may be followed by a sub-attribute
// and a comparison, as Entra ID sends it; both must be true for the same value.
func (p *parser) values(path Path) (Expr, error) {
	if path.Sub != nil || path.Attr.Type != Complex || p.scope.within != nil {
		return nil, saying(ErrFilter, "%s has no values to select", path)
	}
	outer := p.scope
	p.scope = scope{within: path.Attr}
	defer func() { p.scope = outer }()
	e, err := p.group(']')
	if err != nil {
		return nil, err
	}
	if !p.take('.') {
		return Any{path, e}, nil
	}
	sub, ok := p.scope.resolve(p.word())
	if !ok {
		return nil, p.fail("a sub-attribute of " + path.String() + " is expected")
	}
	also, err := p.compare(sub)
	return Any{path, And{e, also}}, err
}

func (p *parser) compare(path Path) (Expr, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, saying(ErrFilter, "The filter has more than %d comparisons", maxTerms)
	}
	if !p.space() {
		return nil, p.fail("an operator is expected")
	}
	from := p.at
	op, ok := operators[strings.ToLower(p.word())]
	if !ok {
		p.at = from
		return nil, p.fail("an operator is expected")
	}
	if op == Present {
		return Compare{path, op, nil}, nil
	}
	if path.Leaf().Type == Complex {
		// The value of a complex attribute is its sub-attribute of this name.
		if path.Sub = path.Attr.sub("value"); path.Sub == nil {
			return nil, saying(ErrFilter, "%s has several parts: name the one to compare", path.Attr.Name)
		}
	}
	if !p.space() {
		return nil, p.fail("a value is expected")
	}
	literal, err := p.literal()
	if err != nil {
		return nil, err
	}
	value, err := typed(path, op, literal)
	if err != nil {
		return nil, err
	}
	return Compare{path, op, value}, nil
}

// literal reads a JSON value: a string, a number, true, false or null.
func (p *parser) literal() (any, error) {
	from := p.at
	if p.take('"') {
		for p.at < len(p.text) && p.text[p.at] != '"' {
			if p.text[p.at] == '\\' {
				p.at++
			}
			p.at++
		}
		p.at = min(p.at+1, len(p.text))
	} else {
		for p.at < len(p.text) && strings.IndexByte(" )]", p.text[p.at]) < 0 {
			p.at++
		}
	}
	raw := p.text[from:p.at]
	var v any
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.UseNumber()
	if raw == "" || !utf8.ValidString(raw) || !json.Valid([]byte(raw)) || dec.Decode(&v) != nil || raw[0] == '{' || raw[0] == '[' {
		p.at = from
		return nil, p.fail("a JSON value is expected: a string in double quotes, a number, true, false or null")
	}
	if s, ok := v.(string); ok && strings.ContainsRune(s, 0) {
		return nil, saying(ErrFilter, "The filter has a NUL character")
	}
	return v, nil
}

// typed checks that a value can be compared with the attribute and returns it in the
// attribute's type.
func typed(path Path, op Op, literal any) (any, error) {
	leaf := path.Leaf()
	if literal == nil {
		if op != Equal && op != NotEqual {
			return nil, saying(ErrFilter, "%s: null can only be compared by eq and ne", path)
		}
		return nil, nil
	}
	switch leaf.Type {
	case Boolean:
		b, ok := asBool(literal)
		if !ok || op != Equal && op != NotEqual {
			return nil, saying(ErrFilter, "%s is true or false, and is compared by eq or ne", path)
		}
		return b, nil
	case DateTime:
		s, _ := literal.(string)
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || op == Contains || op == StartsWith || op == EndsWith {
			return nil, saying(ErrFilter, "%s is a time, such as \"2026-01-31T12:00:00Z\", and is compared by eq, ne, gt, ge, lt or le", path)
		}
		if at.Year() < 1 || at.Year() > 9999 {
			return nil, saying(ErrFilter, "%s: the time is out of range", path)
		}
		return at.UTC(), nil
	case Binary:
		if op != Equal && op != NotEqual {
			return nil, saying(ErrFilter, "%s is compared by eq or ne", path)
		}
	}
	s, ok := literal.(string)
	if !ok {
		return nil, saying(ErrFilter, "%s is compared with a string in double quotes", path)
	}
	return s, nil
}

// asBool reads a boolean, also one that is sent as text.
func asBool(v any) (b, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(v) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return false, false
}

package server_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A jsonShape describes JSON; the primer in contract_test.go has an example:
//
//	{name shape, other? shape}  an object with exactly these members; ? may be absent
//	[shape]                     a list of one or more such elements; [] is the empty list
//	uuid time jwt string text number digits true false bool null object
//	=word                       this string; = alone is the empty one
//	#3600                       this number
//
// text is a string that is not empty, time is RFC 3339 in UTC.
type jsonShape struct {
	kind    string
	members []member   // of kind {
	element *jsonShape // of kind [, nil for the empty list
}

type member struct {
	name     string
	optional bool
	of       jsonShape
}

var shapeToken = regexp.MustCompile(`[{}\[\],]|[^{}\[\],\s]+`)

// parseShape panics on a malformed shape, which is an error of the test's author.
func parseShape(text string) jsonShape {
	tokens := shapeToken.FindAllString(text, -1)
	s, rest := shapeOf(tokens)
	if len(rest) > 0 {
		panic(fmt.Sprintf("shape %q goes on with %q", text, rest))
	}
	return s
}

func shapeOf(tokens []string) (jsonShape, []string) {
	head, rest := tokens[0], tokens[1:]
	switch head {
	case "[":
		if rest[0] == "]" {
			return jsonShape{kind: "["}, rest[1:]
		}
		element, rest := shapeOf(rest)
		return jsonShape{kind: "[", element: &element}, after("]", rest)
	case "{":
		s := jsonShape{kind: "{"}
		for rest[0] != "}" {
			name, optional := strings.CutSuffix(rest[0], "?")
			var of jsonShape
			of, rest = shapeOf(rest[1:])
			s.members = append(s.members, member{name: name, optional: optional, of: of})
			if rest[0] == "," {
				rest = rest[1:]
			}
		}
		return s, rest[1:]
	}
	return jsonShape{kind: head}, rest
}

func after(want string, tokens []string) []string {
	if tokens[0] != want {
		panic(fmt.Sprintf("shape: %q where %q belongs", tokens[0], want))
	}
	return tokens[1:]
}

// differences lists where v, decoded JSON, differs from the shape.
func (s jsonShape) differences(path string, v any) []string {
	switch s.kind {
	case "{":
		return s.object(path, v)
	case "[":
		return s.list(path, v)
	}
	if !isKind(s.kind, v) {
		return []string{fmt.Sprintf("%s is %s, not %s", path, inJSON(v), s.kind)}
	}
	return nil
}

func (s jsonShape) object(path string, v any) (out []string) {
	o, ok := v.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s is %s, not an object", path, inJSON(v))}
	}
	known := map[string]bool{}
	for _, m := range s.members {
		known[m.name] = true
		value, there := o[m.name]
		switch {
		case there:
			out = append(out, m.of.differences(path+"."+m.name, value)...)
		case !m.optional:
			out = append(out, fmt.Sprintf("%s.%s is absent", path, m.name))
		}
	}
	for name := range o {
		if !known[name] {
			out = append(out, fmt.Sprintf("%s.%s is not expected: %s", path, name, inJSON(o[name])))
		}
	}
	slices.Sort(out)
	return out
}

func (s jsonShape) list(path string, v any) (out []string) {
	l, ok := v.([]any)
	if !ok {
		return []string{fmt.Sprintf("%s is %s, not a list", path, inJSON(v))}
	}
	if (len(l) == 0) != (s.element == nil) {
		return []string{fmt.Sprintf("%s has %d elements", path, len(l))}
	}
	for i, e := range l {
		out = append(out, s.element.differences(fmt.Sprintf("%s[%d]", path, i), e)...)
	}
	return out
}

var (
	jwtForm    = regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+$`)
	digitsForm = regexp.MustCompile(`^[0-9]+$`)
)

func isKind(kind string, v any) bool {
	s, isString := v.(string)
	n, isNumber := v.(float64)
	_, isBool := v.(bool)
	_, isObject := v.(map[string]any)
	switch kind {
	case "uuid":
		_, err := uuid.Parse(s)
		return isString && err == nil && len(s) == 36
	case "time":
		return isTime(s)
	case "jwt":
		return jwtForm.MatchString(s)
	case "string":
		return isString
	case "text":
		return s != ""
	case "digits":
		return digitsForm.MatchString(s)
	case "number":
		return isNumber
	case "bool":
		return isBool
	case "true", "false":
		return isBool && fmt.Sprint(v) == kind
	case "null":
		return v == nil
	case "object":
		return isObject
	}
	if want, ok := strings.CutPrefix(kind, "="); ok {
		return isString && s == want
	}
	if want, ok := strings.CutPrefix(kind, "#"); ok {
		return isNumber && strconv.FormatFloat(n, 'f', -1, 64) == want
	}
	panic("shape: no kind " + kind)
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil && strings.HasSuffix(s, "Z")
}

func inJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// mustHave fails the test unless v has the shape.
func mustHave(tb testing.TB, what, text string, v any) {
	tb.Helper()
	if diff := parseShape(text).differences("", v); len(diff) > 0 {
		tb.Errorf("%s:\n  %s", what, strings.Join(diff, "\n  "))
	}
}

// asObject converts parameters to decoded JSON; each may occur only once.
func asObject(tb testing.TB, raw string) map[string]any {
	tb.Helper()
	values, err := url.ParseQuery(raw)
	if err != nil {
		tb.Fatalf("parameters %q: %v", raw, err)
	}
	out := map[string]any{}
	for name, v := range values {
		if len(v) != 1 {
			tb.Errorf("parameter %s occurs %d times", name, len(v))
		}
		out[name] = v[0]
	}
	return out
}

package scim

import (
	"strings"
	"time"
)

// Resource is a user or group with canonical names, as Read returns it.
type Resource map[string]any

// Match reports whether a resource, or within a value path one of its values, passes a
// filter.
func Match(e Expr, in map[string]any) bool {
	switch e := e.(type) {
	case And:
		return Match(e.Left, in) && Match(e.Right, in)
	case Or:
		return Match(e.Left, in) || Match(e.Right, in)
	case Not:
		return !Match(e.Of, in)
	case Any:
		for _, v := range e.Path.values(in) {
			if m, ok := v.(map[string]any); ok && Match(e.Filter, m) {
				return true
			}
		}
		return false
	case Compare:
		return e.match(e.Path.values(in))
	}
	return false
}

// values are the values that a path selects; none is null or empty.
func (p Path) values(in map[string]any) []any {
	if p.Extension != "" {
		in, _ = in[p.Extension].(map[string]any)
	}
	if p.Attr == nil {
		if len(in) == 0 {
			return nil
		}
		return []any{in}
	}
	var list []any
	switch v := in[p.Attr.Name].(type) {
	case nil:
		return nil
	case []any:
		list = v
	default:
		list = []any{v}
	}
	var out []any
	for _, v := range list {
		if p.Sub != nil {
			m, _ := v.(map[string]any)
			v = m[p.Sub.Name]
		}
		if m, ok := v.(map[string]any); v == nil || ok && len(m) == 0 {
			continue
		}
		out = append(out, v)
	}
	return out
}

func (e Compare) match(values []any) bool {
	switch {
	case e.Op == Present, e.Op == NotEqual && e.Value == nil:
		return len(values) > 0
	case e.Op == Equal && e.Value == nil:
		return len(values) == 0
	case e.Op == NotEqual:
		return !Compare{e.Path, Equal, e.Value}.match(values)
	}
	for _, v := range values {
		if e.one(v) {
			return true
		}
	}
	return false
}

func (e Compare) one(v any) bool {
	switch want := e.Value.(type) {
	case bool:
		got, ok := v.(bool)
		return ok && got == want
	case time.Time:
		s, _ := v.(string)
		got, err := time.Parse(time.RFC3339Nano, s)
		return err == nil && ordered(e.Op, got.Compare(want))
	case string:
		got, ok := v.(string)
		if !ok {
			return false
		}
		if !e.Path.Leaf().CaseExact {
			got, want = strings.ToLower(got), strings.ToLower(want)
		}
		switch e.Op {
		case Contains:
			return strings.Contains(got, want)
		case StartsWith:
			return strings.HasPrefix(got, want)
		case EndsWith:
			return strings.HasSuffix(got, want)
		}
		return ordered(e.Op, strings.Compare(got, want))
	}
	return false
}

func ordered(op Op, c int) bool {
	switch op {
	case Equal:
		return c == 0
	case Greater:
		return c > 0
	case GreaterOrEqual:
		return c >= 0
	case Less:
		return c < 0
	case LessOrEqual:
		return c <= 0
	}
	return false
}

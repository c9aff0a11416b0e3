package scim

import "strings"

// Clone returns a deep copy.
func (r Resource) Clone() Resource { return clone(map[string]any(r)).(map[string]any) }

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = clone(e)
		}
		return out
	}
	return v
}

// SchemasOf are the URNs of the schemas that a resource has.
func (t *ResourceType) SchemasOf(r Resource) []any {
	out := []any{t.Core.ID}
	for _, ext := range t.Extensions {
		if _, ok := r[ext.ID]; ok {
			out = append(out, ext.ID)
		}
	}
	return out
}

// Text returns a string of the core schema, "" if there is none.
func (r Resource) Text(path ...string) string {
	var v any = map[string]any(r)
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	s, _ := v.(string)
	return s
}

// Active reports whether the user may sign in, which is so unless the directory says
// otherwise.
func (r Resource) Active() bool { return r["active"] != false }

// Primary returns the value of a multi-valued attribute that is the main one: that which
// says so, else that of the type work, else the first; nil if there is none.
func (r Resource) Primary(name string) map[string]any {
	var best map[string]any
	rank := 0
	list, _ := r[name].([]any)
	for _, v := range list {
		m, ok := v.(map[string]any)
		if s, _ := m["value"].(string); !ok || s == "" {
			continue
		}
		n := 1
		kind, _ := m["type"].(string)
		switch {
		case m["primary"] == true:
			n = 3
		case strings.EqualFold(kind, "work"):
			n = 2
		}
		if n > rank {
			best, rank = m, n
		}
	}
	return best
}

package scim

import (
	"slices"
	"strings"
)

// Projection says which attributes of resources are answered (RFC 7644, section 3.9).
type Projection struct {
	only, without []Path
	given         bool // only is; it may have no attribute that exists
}

// maxProjected bounds the attributes that a request names.
const maxProjected = 100

// NewProjection reads the parameters attributes and excludedAttributes, of which a request
// has at most one; ErrValue. Names that the schemas do not have select nothing.
func NewProjection(t *ResourceType, attributes, excluded []string) (p Projection, err error) {
	if len(attributes) > 0 && len(excluded) > 0 {
		return p, saying(ErrValue, "A request has attributes or excludedAttributes, not both")
	}
	if len(attributes) > maxProjected || len(excluded) > maxProjected {
		return p, saying(ErrValue, "A request can name at most %d attributes", maxProjected)
	}
	resolve := func(list []string) (out []Path) {
		for _, name := range list {
			if path, ok := (scope{resource: t}).resolve(strings.TrimSpace(name)); ok {
				out = append(out, path)
			}
		}
		return out
	}
	return Projection{only: resolve(attributes), without: resolve(excluded), given: len(attributes) > 0}, nil
}

// Names splits the value of a parameter.
func Names(value string) []string {
	var out []string
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// Wants reports whether an attribute of the core schema is answered at all, so that what
// nobody wants need not be read.
func (p Projection) Wants(name string) bool {
	of := func(q Path) bool { return q.Extension == "" && q.Attr.Name == name }
	if p.given {
		return slices.ContainsFunc(p.only, of)
	}
	return !slices.ContainsFunc(p.without, func(q Path) bool { return of(q) && q.Sub == nil })
}

// Apply returns what is answered of a resource; those that are always answered are
// part of it.
func (p Projection) Apply(t *ResourceType, r Resource) Resource {
	switch {
	case p.given:
		out := Resource{}
		for _, path := range p.only {
			pick(out, r, path)
		}
		for i := range common {
			if v, ok := r[common[i].Name]; ok && common[i].Returned == "always" {
				out[common[i].Name] = v
			}
		}
		return out
	case len(p.without) > 0:
		out := r.Clone()
		for _, path := range p.without {
			if path.Attr == nil {
				delete(out, path.Extension)
			} else if path.Attr.Returned != "always" {
				drop(out, path)
			}
		}
		return out
	}
	return r
}

// pick copies what a path selects.
func pick(out, from Resource, p Path) {
	if p.Attr == nil {
		if v, ok := from[p.Extension]; ok {
			out[p.Extension] = v
		}
		return
	}
	v := get(from, p)
	if p.Sub == nil {
		set(out, p, v)
		return
	}
	part := func(v, old any) any {
		m, _ := v.(map[string]any)
		have, _ := old.(map[string]any)
		if have == nil {
			have = map[string]any{}
		}
		if e, ok := m[p.Sub.Name]; ok {
			return with(have, p.Sub.Name, e)
		}
		return have
	}
	list, ok := v.([]any)
	old := get(out, p.whole())
	if !ok {
		set(out, p.whole(), part(v, old))
		return
	}
	had, _ := old.([]any)
	made := make([]any, len(list))
	for i, e := range list {
		var before any
		if i < len(had) {
			before = had[i]
		}
		made[i] = part(e, before)
	}
	set(out, p.whole(), made)
}

func drop(out Resource, p Path) {
	if p.Sub == nil {
		set(out, p, nil)
		return
	}
	v := get(out, p.whole())
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			delete(m, p.Sub.Name)
		}
	}
	if empty(v) {
		set(out, p.whole(), nil)
	}
}

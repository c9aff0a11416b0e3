package scim

import (
	"slices"
	"strings"
)

// maxOperations bounds the operations of a PATCH request.
const maxOperations = 1000

// Operation is one change of a PATCH request (RFC 7644, section 3.5.2).
type Operation struct {
	Op    string // add, replace or remove
	Path  string // "": Value is an object of attributes
	Value any
}

// ReadPatch reads the body of a PATCH request; ErrSyntax, ErrValue.
func ReadPatch(body []byte) ([]Operation, error) {
	m, err := Decode(body)
	if err != nil {
		return nil, err
	}
	return readPatch(m)
}

func readPatch(m map[string]any) ([]Operation, error) {
	in, err := message(m, URNPatch)
	if err != nil {
		return nil, err
	}
	list, ok := in["operations"].([]any)
	switch {
	case !ok || len(list) == 0:
		return nil, saying(ErrSyntax, "Operations must be an array of changes")
	case len(list) > maxOperations:
		return nil, saying(ErrSyntax, "There are more than %d Operations", maxOperations)
	}
	ops := make([]Operation, len(list))
	for i, v := range list {
		members, ok := v.(map[string]any)
		if !ok {
			return nil, saying(ErrSyntax, "Each of the Operations must be an object")
		}
		op := lower(members)
		path, okPath := op["path"].(string)
		name, _ := op["op"].(string)
		ops[i] = Operation{Op: strings.ToLower(name), Path: strings.TrimSpace(path), Value: op["value"]}
		switch {
		case !slices.Contains([]string{"add", "replace", "remove"}, ops[i].Op):
			return nil, saying(ErrSyntax, "op must be add, replace or remove, and is %.40q", name)
		case !okPath && op["path"] != nil:
			return nil, saying(ErrPath, "path must be a string")
		}
	}
	return ops, nil
}

// message returns the members of a message by their names in lower case. Its schemas, if
// there are any, must have urn; ErrSyntax.
func message(m map[string]any, urn string) (map[string]any, error) {
	in := lower(m)
	if list, ok := in["schemas"].([]any); ok && len(list) > 0 || in["schemas"] != nil && !ok {
		if !slices.ContainsFunc(list, func(v any) bool { s, _ := v.(string); return strings.EqualFold(s, urn) }) {
			return nil, saying(ErrSyntax, "schemas must have %s", urn)
		}
	}
	return in, nil
}

func lower(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for _, name := range names(m) {
		out[strings.ToLower(name)] = m[name]
	}
	return out
}

// target is a PATCH path: an attribute, the values of it that a filter selects, and a
// part of these.
type target struct {
	Path
	filter Expr // nil: all values
}

// parseTarget reads a PATCH path; ErrPath, ErrFilter.
func parseTarget(t *ResourceType, text string) (target, error) {
	if len(text) > MaxFilter {
		return target{}, saying(ErrPath, "The path is longer than %d bytes", MaxFilter)
	}
	open := strings.IndexByte(text, '[')
	if open < 0 {
		p, ok := scope{resource: t}.resolve(text)
		if !ok || !isName(text) {
			return target{}, saying(ErrPath, "%.200q is no attribute of a %s", text, t.Name)
		}
		return target{Path: p}, nil
	}
	name := text[:open]
	p, ok := scope{resource: t}.resolve(name)
	switch {
	case !ok || !isName(name) || p.Attr == nil || p.Sub != nil:
		return target{}, saying(ErrPath, "%.200q is no attribute of a %s", name, t.Name)
	case p.Attr.Type != Complex:
		return target{}, saying(ErrPath, "%s has no values to select", p)
	}
	in := &parser{text: text, at: open + 1, scope: scope{within: p.Attr}}
	e, err := in.group(']')
	if err != nil {
		return target{}, err
	}
	to := target{Path: p, filter: e}
	rest := text[in.at:]
	if rest == "" {
		return to, nil
	}
	if to.Sub = p.Attr.sub(strings.TrimPrefix(rest, ".")); rest[0] != '.' || to.Sub == nil {
		return target{}, saying(ErrPath, "%.100q is no part of %s", rest, p)
	}
	return to, nil
}

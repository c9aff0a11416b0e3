package scim

import (
	"encoding/json"
	"reflect"
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

// Patch applies changes to a resource, which stays as it is, and returns the result;
// ErrPath, ErrFilter, ErrNoTarget, ErrValue, ErrMutability.
func Patch(t *ResourceType, r Resource, ops []Operation) (Resource, error) {
	out := r.Clone()
	for _, op := range ops {
		if err := out.apply(t, op); err != nil {
			return nil, err
		}
	}
	return out, out.check(t)
}

func (r Resource) apply(t *ResourceType, op Operation) error {
	if op.Path == "" {
		if op.Op == "remove" {
			return saying(ErrNoTarget, "remove needs a path")
		}
		in, ok := op.Value.(map[string]any)
		if !ok {
			return saying(ErrValue, "Without a path, the value must be an object of attributes")
		}
		return r.applyObject(t, op.Op, in)
	}
	to, err := parseTarget(t, op.Path)
	if err != nil {
		return err
	}
	if to.Attr == nil {
		return r.applyExtension(t, op, to.Path)
	}
	if to.Attr.ReadOnly() || to.Sub != nil && to.Sub.ReadOnly() {
		return saying(ErrMutability, "%s cannot be changed", to.Path)
	}
	if op.Op == "remove" {
		return r.remove(to, op.Value)
	}
	return r.put(to, op.Op, op.Value)
}

// applyObject changes the attributes that the members name, each as a path of its own.
// Members that the schemas do not have, and those that clients cannot write, are ignored
// as in a whole resource.
func (r Resource) applyObject(t *ResourceType, op string, in map[string]any) error {
	for _, name := range names(in) {
		if strings.EqualFold(name, "schemas") {
			continue
		}
		to, err := parseTarget(t, name)
		if err != nil || to.Attr != nil && to.Attr.ReadOnly() {
			if err != nil && strings.Contains(name, "[") {
				return err
			}
			continue
		}
		if err := r.apply(t, Operation{Op: op, Path: name, Value: in[name]}); err != nil {
			return err
		}
	}
	return nil
}

func (r Resource) applyExtension(t *ResourceType, op Operation, p Path) error {
	if op.Op == "remove" {
		delete(r, p.Extension)
		return nil
	}
	in, ok := op.Value.(map[string]any)
	if !ok {
		return saying(ErrValue, "%s must be an object", p)
	}
	for _, name := range names(in) {
		if find(t.extension(p.Extension).Attributes, strings.SplitN(name, ".", 2)[0]) == nil {
			continue
		}
		if err := r.apply(t, Operation{Op: op.Op, Path: p.Extension + ":" + name, Value: in[name]}); err != nil {
			return err
		}
	}
	return nil
}

// put is add and replace.
func (r Resource) put(to target, op string, value any) error {
	switch {
	case to.Attr.MultiValued:
		return r.putValues(to, op, value)
	case to.filter != nil && !slices.ContainsFunc(to.values(r), func(v any) bool { m, _ := v.(map[string]any); return Match(to.filter, m) }):
		return saying(ErrNoTarget, "No value of %s passes the filter", to.Path)
	case to.Sub != nil:
		m, _ := get(r, to.whole()).(map[string]any)
		v, err := to.Sub.readOne(value)
		if err != nil {
			return err
		}
		set(r, to.whole(), with(m, to.Sub.Name, v))
		return nil
	}
	v, err := to.Attr.read(value)
	if err != nil {
		return err
	}
	if parts, ok := value.(map[string]any); ok && to.Attr.Type == Complex { // the parts that are given; the others stay
		old, _ := get(r, to.Path).(map[string]any)
		for _, name := range names(parts) { // null removes a part
			if sub := to.Attr.sub(name); sub != nil && parts[name] == nil {
				old = without(old, sub.Name)
			}
		}
		given, _ := v.(map[string]any)
		for name, part := range given {
			old = with(old, name, part)
		}
		v = old
	}
	set(r, to.Path, v)
	return nil
}

// whole is the path of the attribute without its part.
func (p Path) whole() Path { return Path{Extension: p.Extension, Attr: p.Attr} }

func with(m map[string]any, name string, v any) map[string]any {
	if v == nil {
		return without(m, name)
	}
	if m == nil {
		m = map[string]any{}
	}
	m[name] = v
	return m
}

func without(m map[string]any, name string) map[string]any {
	delete(m, name)
	if len(m) == 0 {
		return nil
	}
	return m
}

// putValues changes the values of a multi-valued attribute.
func (r Resource) putValues(to target, op string, value any) error {
	list, _ := get(r, to.whole()).([]any)
	if to.filter == nil && to.Sub == nil {
		v, err := to.Attr.read(value)
		if err != nil {
			return err
		}
		added, _ := v.([]any)
		if op == "replace" {
			list = nil
		}
		for _, e := range added {
			list = insert(list, e)
		}
		return r.setValues(to, list)
	}
	var put func(map[string]any) (map[string]any, bool)
	if to.Sub != nil {
		v, err := to.Sub.readOne(value)
		if err != nil {
			return err
		}
		put = func(m map[string]any) (map[string]any, bool) {
			return with(m, to.Sub.Name, v), to.Sub.Name == "primary" && v == true
		}
	} else {
		v, err := to.Attr.readOne(value)
		m, ok := v.(map[string]any)
		if err != nil || !ok {
			if err == nil {
				err = saying(ErrValue, "%s must be an object", to.Path)
			}
			return err
		}
		put = func(old map[string]any) (map[string]any, bool) {
			for name, part := range m {
				old = with(old, name, part)
			}
			return old, m["primary"] == true
		}
	}
	found := false
	for i := 0; i < len(list); i++ {
		m, ok := list[i].(map[string]any)
		if !ok || to.filter != nil && !Match(to.filter, m) {
			continue
		}
		found = true
		next, primary := put(m)
		if primary {
			unprimary(list)
			next["primary"] = true
		}
		list[i] = next
	}
	if !found {
		made, ok := to.element()
		if op == "replace" && to.Sub == nil || !ok {
			return saying(ErrNoTarget, "No value of %s passes the filter", to.Path)
		}
		if made, _ = put(made); made != nil {
			list = insert(list, made)
		}
	}
	list = slices.DeleteFunc(list, func(v any) bool { m, ok := v.(map[string]any); return ok && len(m) == 0 })
	return r.setValues(to, list)
}

// element is the new value that a path such as emails[type eq "work"].value means when
// there is none: Entra ID replaces what is not there. ok is false for a filter that does
// not say which value that would be.
func (to target) element() (m map[string]any, ok bool) {
	m = map[string]any{}
	return m, to.filter == nil || describe(to.filter, m)
}

func describe(e Expr, m map[string]any) bool {
	switch e := e.(type) {
	case And:
		return describe(e.Left, m) && describe(e.Right, m)
	case Compare:
		name := e.Path.Attr.Name
		if e.Op != Equal || e.Value == nil || name != "type" && name != "primary" {
			return false
		}
		m[name] = e.Value
		return true
	}
	return false
}

// insert adds a value unless it is there.
func insert(list []any, v any) []any {
	m, ok := v.(map[string]any)
	for i, e := range list {
		if reflect.DeepEqual(e, v) {
			return list
		}
		// The same value again is that value with other particulars.
		if old, isMap := e.(map[string]any); ok && isMap && m["value"] != nil && old["value"] == m["value"] && old["type"] == m["type"] {
			if m["primary"] == true {
				unprimary(list)
			}
			list[i] = v
			return list
		}
	}
	if m["primary"] == true {
		unprimary(list)
	}
	return append(list, v)
}

func unprimary(list []any) {
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && m["primary"] == true {
			m["primary"] = false
		}
	}
}

func (r Resource) setValues(to target, list []any) error {
	if len(list) > maxValues {
		return saying(ErrValue, "%s has more than %d values", to.Attr.Name, maxValues)
	}
	set(r, to.whole(), list)
	return nil
}

// remove removes an attribute, a part of it, or some of its values. Which values may be
// said by value instead of a filter, as Entra ID does.
func (r Resource) remove(to target, value any) error {
	if to.Attr.Required || to.Sub != nil && to.Sub.Required {
		return saying(ErrMutability, "%s is required", to.Path)
	}
	if !to.Attr.MultiValued {
		if to.Sub == nil {
			set(r, to.Path, nil)
			return nil
		}
		m, _ := get(r, to.whole()).(map[string]any)
		if m = without(m, to.Sub.Name); m == nil {
			set(r, to.whole(), nil)
		}
		return nil
	}
	match := func(m map[string]any) bool { return to.filter == nil || Match(to.filter, m) }
	if to.filter == nil && to.Sub == nil && value != nil {
		v, err := to.Attr.read(value)
		if err != nil {
			return err
		}
		listed, _ := v.([]any)
		match = func(m map[string]any) bool {
			return slices.ContainsFunc(listed, func(e any) bool {
				l, _ := e.(map[string]any)
				return l["value"] != nil && l["value"] == m["value"] && (l["type"] == nil || l["type"] == m["type"])
			})
		}
	}
	list, _ := get(r, to.whole()).([]any)
	found := false
	list = slices.DeleteFunc(list, func(v any) bool {
		m, ok := v.(map[string]any)
		if !ok || !match(m) {
			return false
		}
		found = true
		if to.Sub == nil {
			return true
		}
		delete(m, to.Sub.Name)
		return len(m) == 0
	})
	if !found && to.filter != nil {
		return saying(ErrNoTarget, "No value of %s passes the filter", to.Path)
	}
	set(r, to.whole(), list)
	return nil
}

// Equal reports whether two resources are the same.
func (r Resource) Equal(other Resource) bool {
	a, errA := json.Marshal(r)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && string(a) == string(b)
}

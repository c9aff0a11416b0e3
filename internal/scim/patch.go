package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

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

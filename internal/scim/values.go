package scim

import (
	"reflect"
	"slices"
)

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

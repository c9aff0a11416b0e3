package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// The bounds of a resource.
const (
	maxText     = 4096  // bytes of a string
	maxName     = 1024  // bytes of userName, externalId and displayName, which are in indexes
	maxBinary   = 16384 // bytes of a certificate
	maxValues   = 200   // of an attribute, other than members
	MaxMembers  = 20000 // that one request names
	MaxResource = 64 << 10
)

// Decode reads a JSON object strictly; ErrSyntax. Numbers keep their digits.
func Decode(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, saying(ErrSyntax, "The request has no body")
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	err := dec.Decode(&m)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	if err != nil || m == nil || !utf8.Valid(body) {
		return nil, ErrSyntax.Because(err).Saying("The request body must be one JSON object")
	}
	return m, nil
}

// Read checks a resource that a client sends and returns it with canonical names, without
// what clients cannot write, what is null, and what the schemas do not have; ErrValue. A
// password is not kept.
func Read(t *ResourceType, in map[string]any) (Resource, error) {
	if err := checkSchemas(t, in); err != nil {
		return nil, err
	}
	out := Resource{}
	if err := t.read(in, func(p Path, v any) error {
		if p.Attr == nil { // an extension
			ext, ok := v.(map[string]any)
			if !ok {
				return saying(ErrValue, "%s must be an object", p)
			}
			return readExtension(out, t.extension(p.Extension), ext)
		}
		set(out, p, v)
		return nil
	}); err != nil {
		return nil, err
	}
	return out, out.check(t)
}

func readExtension(out Resource, ext *Schema, in map[string]any) error {
	for _, name := range names(in) {
		a := find(ext.Attributes, name)
		if a == nil || in[name] == nil {
			continue
		}
		v, err := a.read(in[name])
		if err != nil {
			return err
		}
		set(out, Path{Extension: ext.ID, Attr: a}, v)
	}
	return nil
}

// read calls put for each member of a resource that the schemas have and clients can
// write. The values of attributes are canonical, those of extensions as they are.
func (t *ResourceType) read(in map[string]any, put func(Path, any) error) error {
	seen := map[string]bool{}
	for _, name := range names(in) {
		if strings.EqualFold(name, "schemas") {
			continue
		}
		p, ok := scope{resource: t}.resolve(name)
		if !ok || p.Sub != nil || p.Attr != nil && p.Attr.ReadOnly() {
			continue
		}
		if seen[p.String()] {
			return saying(ErrValue, "%s is given twice, in different spellings", p)
		}
		seen[p.String()] = true
		v := in[name]
		if v == nil {
			continue
		}
		if p.Attr != nil {
			var err error
			if v, err = p.Attr.read(v); err != nil {
				return err
			}
		}
		if err := put(p, v); err != nil {
			return err
		}
	}
	return nil
}

func checkSchemas(t *ResourceType, in map[string]any) error {
	for _, name := range names(in) {
		if !strings.EqualFold(name, "schemas") || in[name] == nil {
			continue
		}
		list, ok := in[name].([]any)
		if !ok {
			return saying(ErrValue, "schemas must be an array of URNs")
		}
		core := false
		for _, v := range list {
			urn, _ := v.(string)
			switch {
			case strings.EqualFold(urn, t.Core.ID):
				core = true
			case t.extension(urn) == nil:
				return saying(ErrValue, "schemas: %.200q is no schema of a %s", urn, t.Name)
			}
		}
		if !core {
			return saying(ErrValue, "schemas must have %s", t.Core.ID)
		}
	}
	return nil
}

// read checks a value and returns it with canonical names; nil for an empty one.
func (a *Attribute) read(v any) (any, error) {
	if !a.MultiValued {
		return a.readOne(v)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	most := maxValues
	if a.Name == "members" {
		most = MaxMembers
	}
	if len(list) > most {
		return nil, saying(ErrValue, "%s has more than %d values", a.Name, most)
	}
	out := make([]any, 0, len(list))
	primary := false
	for _, e := range list {
		v, err := a.readOne(e)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if m, ok := v.(map[string]any); ok && m["primary"] == true {
			if primary { // at most one; the first
				delete(m, "primary")
			}
			primary = true
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

func (a *Attribute) readOne(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch a.Type {
	case Boolean:
		b, ok := asBool(v)
		if !ok {
			return nil, saying(ErrValue, "%s must be true or false", a.Name)
		}
		return b, nil
	case Complex:
		return a.readComplex(v)
	}
	s, ok := v.(string)
	if !ok {
		return nil, saying(ErrValue, "%s must be a string", a.Name)
	}
	return s, a.checkText(s)
}

func (a *Attribute) checkText(s string) error {
	most := maxText
	switch {
	case a.Name == "userName" || a.Name == "externalId" || a.Name == "displayName":
		most = maxName
	case a.Type == Binary:
		most = maxBinary
	}
	switch {
	case len(s) > most:
		return saying(ErrValue, "%s is longer than %d bytes", a.Name, most)
	case strings.ContainsRune(s, 0) || !utf8.ValidString(s):
		return saying(ErrValue, "%s has characters that cannot be stored", a.Name)
	}
	return nil
}

// readComplex also takes the bare value of an attribute that has a part of this name.
func (a *Attribute) readComplex(v any) (any, error) {
	in, ok := v.(map[string]any)
	if !ok {
		if _, text := v.(string); !text || a.sub("value") == nil {
			return nil, saying(ErrValue, "%s must be an object", a.Name)
		}
		in = map[string]any{"value": v}
	}
	out := map[string]any{}
	for _, name := range names(in) {
		sub := a.sub(name)
		if sub == nil || sub.ReadOnly() {
			continue
		}
		got, err := sub.readOne(in[name])
		if err != nil {
			return nil, err
		}
		if got != nil {
			out[sub.Name] = got
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// check checks a whole resource.
func (r Resource) check(t *ResourceType) error {
	for i := range t.Core.Attributes {
		a := &t.Core.Attributes[i]
		if s, _ := r[a.Name].(string); a.Required && strings.TrimSpace(s) == "" {
			return saying(ErrValue, "%s is required", a.Name)
		}
	}
	members := r["members"]
	delete(r, "members") // they are not stored in the resource
	raw, err := json.Marshal(r)
	if members != nil {
		r["members"] = members
	}
	if err != nil || len(raw) > MaxResource {
		return ErrValue.Because(err).Saying("The resource is larger than 64 KiB")
	}
	return nil
}

// set writes a value; nil removes it.
func set(r map[string]any, p Path, v any) {
	in := r
	if p.Extension != "" {
		ext, _ := r[p.Extension].(map[string]any)
		if ext == nil {
			ext = map[string]any{}
		}
		defer func() {
			if r[p.Extension] = ext; len(ext) == 0 {
				delete(r, p.Extension)
			}
		}()
		in = ext
	}
	switch {
	case p.Attr == nil:
	case empty(v):
		delete(in, p.Attr.Name)
	default:
		in[p.Attr.Name] = v
	}
}

// empty reports whether a value is the same as none (RFC 7643, section 2.5).
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// get reads a value; nil if there is none.
func get(r map[string]any, p Path) any {
	if p.Extension != "" {
		r, _ = r[p.Extension].(map[string]any)
	}
	if p.Attr == nil {
		if r == nil {
			return nil
		}
		return r
	}
	return r[p.Attr.Name]
}

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

func names(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// Members takes the members out of a group that was read and returns their ids, each
// once; ErrValue. given is false if the group does not say who they are.
func (r Resource) Members() (ids []string, given bool, err error) {
	v, given := r["members"]
	delete(r, "members")
	ids, err = memberIDs(v)
	return ids, given, err
}

func memberIDs(v any) ([]string, error) {
	list, _ := v.([]any)
	ids := make([]string, 0, len(list))
	for _, e := range list {
		m, _ := e.(map[string]any)
		id, _ := m["value"].(string)
		if id == "" {
			return nil, saying(ErrValue, "members: each must have a value, the id of a user")
		}
		if kind, _ := m["type"].(string); kind != "" && !strings.EqualFold(kind, "User") {
			return nil, saying(ErrValue, "members: a group can only have users as members")
		}
		ids = append(ids, strings.ToLower(id))
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

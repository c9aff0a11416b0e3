package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Fields are changes to a configuration, as typed.
type Fields map[string]string

// ParseFields reads "key=value" words.
func ParseFields(words []string) (Fields, error) {
	out := Fields{}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return nil, errors.New("each change must look like key=value")
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("%s is named twice", key)
		}
		out[key] = value
	}
	return out, nil
}

// Names lists the fields in order.
func (f Fields) Names() []string {
	out := make([]string, 0, len(f))
	for name := range f {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// ChangeAuthConfig sets fields of a project's auth configuration and returns
// the whole. A value is sent in the type of the field's present value: 587 is a
// string for a text field, and a number for a number field. The word null
// restores a default.
func (c *Client) ChangeAuthConfig(ctx context.Context, ref string, f Fields) (json.RawMessage, error) {
	path := Path("projects", ref, "config", "auth")
	var now map[string]any
	if err := c.into(ctx, &now, path); err != nil {
		return nil, err
	}
	body := make(map[string]any, len(f))
	for name, value := range f {
		present, known := now[name]
		body[name] = typed(value, present, known)
	}
	return c.Change(ctx, path, body)
}

// typed converts a word to the type of the field's value. A field that is null
// now is a text field: numbers and booleans have a default.
func typed(word string, now any, known bool) any {
	if word == "null" {
		return nil
	}
	_, isText := now.(string)
	if isText || known && now == nil || !json.Valid([]byte(word)) {
		return word // the server refuses an unsuitable word and names it
	}
	return json.RawMessage(word)
}

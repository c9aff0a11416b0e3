package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Fields are changes to a configuration, as they were typed.
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

// ChangeAuthConfig sets fields of a project's auth configuration and answers all
// of it. A value is sent as what the field holds now: 587 is text for a field of
// text, and a number for one of numbers. The word null brings a default back.
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

// typed gives a typed word the type that the field has. A field that is null now
// is one of text: numbers and booleans have a default.
func typed(word string, now any, known bool) any {
	if word == "null" {
		return nil
	}
	_, isText := now.(string)
	if isText || known && now == nil || !json.Valid([]byte(word)) {
		return word // what does not fit, the server refuses and names
	}
	return json.RawMessage(word)
}

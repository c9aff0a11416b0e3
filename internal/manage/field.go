package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
func (c *Client) ChangeAuthConfig(ctx context.Context, ref string, f Fields, terms ...Terms) (json.RawMessage, error) {
	body, err := c.typedFields(ctx, ref, f)
	if err != nil {
		return nil, err
	}
	return c.Change(ctx, Path("projects", ref, "config", "auth")+query(terms), body)
}

// typedFields is the patch with these fields.
func (c *Client) typedFields(ctx context.Context, ref string, f Fields) (map[string]any, error) {
	body := make(map[string]any, len(f))
	if len(f) == 0 {
		return body, nil
	}
	var now map[string]any
	if err := c.into(ctx, &now, Path("projects", ref, "config", "auth")); err != nil {
		return nil, err
	}
	for name, value := range f {
		present, known := now[name]
		body[name] = typed(value, present, known)
	}
	return body, nil
}

// TestRedirect asks whether users may be sent to a URL once these fields are
// changed.
func (c *Client) TestRedirect(ctx context.Context, ref, to string, f Fields) (json.RawMessage, error) {
	config, err := c.typedFields(ctx, ref, f)
	if err != nil {
		return nil, err
	}
	return c.Post(ctx, Path("projects", ref, "config", "auth", "test-redirect"), map[string]any{"redirect_to": to, "config": config})
}

// TestSMTP tries the project's mail server once these fields are changed.
func (c *Client) TestSMTP(ctx context.Context, ref string, send bool, f Fields) (json.RawMessage, error) {
	config, err := c.typedFields(ctx, ref, f)
	if err != nil {
		return nil, err
	}
	return c.Post(ctx, Path("projects", ref, "config", "auth", "smtp", "test"), map[string]any{"send": send, "config": config})
}

// Terms are the circumstances of a change of an auth configuration.
type Terms struct {
	Reason string // for the history
	DryRun bool   // only show what would change
}

// RollBackAuthConfig puts the values of an earlier version in force again.
func (c *Client) RollBackAuthConfig(ctx context.Context, ref string, version int, terms Terms) (json.RawMessage, error) {
	path := Path("projects", ref, "config", "auth", "history", strconv.Itoa(version), "rollback")
	return c.once(ctx, call{method: http.MethodPost, path: path + query([]Terms{terms})})
}

func query(terms []Terms) string {
	values := url.Values{}
	for _, t := range terms {
		if t.Reason != "" {
			values.Set("reason", t.Reason)
		}
		if t.DryRun {
			values.Set("dry_run", "true")
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
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

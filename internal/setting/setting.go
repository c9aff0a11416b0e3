// Package setting declares a project's auth settings, each once: its name in the
// Management API (config/auth), its kind, bounds, default and effect. What is
// made of a declaration: the check of a new value, the OpenAPI description, the
// default, the stored and the answered form, what /auth/v1/settings tells, and
// the table in docs/settings.md. The package does not own how settings are
// stored, who may change them, or what a flow does with them.
//
// A file holds one group. To add a setting, add an entry to its group, and for
// one that is not a secret a field to the group's struct, where flows read it.
// All names of the reference are declared; an entry without Effect is a setting
// whose feature does not exist yet, and has only one value.
package setting

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the JSON type of a setting.
type Kind string

// The kinds.
const (
	Bool    Kind = "boolean"
	Integer Kind = "integer"
	Number  Kind = "number"
	Text    Kind = "string"
)

// has reports whether a decoded JSON value is of the kind.
func (k Kind) has(value any) bool {
	switch v := value.(type) {
	case bool:
		return k == Bool
	case float64:
		return k == Number || k == Integer && v == math.Trunc(v)
	case string:
		return k == Text
	default:
		return false
	}
}

// Setting is the declaration of one setting.
type Setting struct {
	Name string
	Kind Kind
	// Default is a bool, int, float64 or string. nil stands for false, 0 or "";
	// for a setting without Effect that is no Bool it stands for null.
	Default any

	Min, Max  float64            // bounds of an Integer or Number
	MaxLength int                // of a Text, in characters; of a secret, in bytes
	Lines     bool               // a Text may hold line breaks and other control characters
	OneOf     []string           // the values that a Text may have
	Format    func(string) error // says what is wrong with a Text, without its name
	Mail      string             // the kind of mail that a Text is a template of
	Subject   bool               // of the mail's subject, not its content

	// Null makes the answer null, not "", while a Text is empty.
	Null bool
	// Secret keeps the value out of Config, of answers and of logs.
	Secret bool
	// Effect says what the setting does. It is empty while the feature is not
	// available: the setting then has its default for its only value.
	Effect string
	// Public is the member of /auth/v1/settings that has the value too.
	Public string
	// Field points to the value: a *bool, *int, *float64 or *string.
	Field func(*Config) any
	// packed is where the value is instead of a Field; nil for a Field.
	packed *packed
}

// packed reads and writes a value that is not a field of its own in Config. Such
// a value has no default but false and "", which are not stored.
type packed struct {
	get func(*Config) any
	set func(c *Config, value any)
}

// Kept reports whether Config has the setting's value.
func (s *Setting) Kept() bool { return s.Field != nil || s.packed != nil }

// Group is settings that belong together.
type Group struct {
	Title    string
	Settings []Setting
	Rules    []Rule
}

// Rule is what settings must fulfil together.
type Rule struct {
	Text  string // a sentence for the documentation
	Check func(*Config, Secrets) error
}

// Available reports whether the feature of the setting exists.
func (s Setting) Available() bool { return s.Effect != "" }

// Nullable reports whether the setting is null in some answers.
func (s Setting) Nullable() bool { return s.Null || s.Secret || s.Default == nil }

// normal fills in what Default leaves out.
func (s Setting) normal() Setting {
	switch {
	case s.Secret, s.Default == nil && !s.Available() && s.Kind != Bool:
		return s
	case s.Default == nil:
		s.Default = map[Kind]any{Bool: false, Integer: 0, Number: 0.0, Text: ""}[s.Kind]
	case s.Kind == Number:
		if n, ok := s.Default.(int); ok {
			s.Default = float64(n)
		}
	}
	return s
}

// Value is the setting's value in c, as it is answered. A secret has none.
func (s Setting) Value(c *Config) any {
	if s.packed != nil {
		if value := s.packed.get(c); value != "" || !s.Null {
			return value
		}
		return nil
	}
	if s.Field == nil {
		return s.Default
	}
	switch p := s.Field(c).(type) {
	case *bool:
		return *p
	case *int:
		return *p
	case *float64:
		return *p
	case *string:
		if *p == "" && s.Null {
			return nil
		}
		return *p
	}
	return nil
}

// Set puts a value that Check accepts into c; nil brings the default back.
func (s Setting) Set(c *Config, value any) {
	if !s.Kept() {
		return
	}
	if value == nil {
		value = s.Default
	}
	if s.packed != nil {
		s.packed.set(c, value)
		return
	}
	n, isInt := value.(int)
	if f, ok := value.(float64); ok {
		n = int(f)
	}
	switch p := s.Field(c).(type) {
	case *bool:
		*p = value.(bool)
	case *int:
		*p = n
	case *float64:
		if isInt {
			value = float64(n)
		}
		*p = value.(float64)
	case *string:
		*p = value.(string)
	}
}

// Check reports an error in a decoded JSON value, without the setting's name. nil,
// which restores the default, is always valid. A mail template is
// not parsed here.
func (s Setting) Check(value any) error {
	if value == nil {
		return nil
	}
	if !s.Available() {
		return s.checkOff(value)
	}
	if !s.Kind.has(value) {
		return errors.New(map[Kind]string{
			Bool: "must be true or false", Integer: "must be an integer", Number: "must be a number", Text: "must be a string",
		}[s.Kind])
	}
	switch v := value.(type) {
	case float64:
		return s.within(v)
	case string:
		return s.checkText(v)
	}
	return nil
}

// checkOff accepts the one value of a setting that has no effect. An empty text
// counts as null.
func (s Setting) checkOff(value any) error {
	only := s.Default
	if n, ok := only.(int); ok {
		only = float64(n)
	}
	if value == only || only == nil && value == "" {
		return nil
	}
	return fmt.Errorf("is not available yet: the only value is %s", s.Off())
}

// Off is the default as JSON.
func (s Setting) Off() string {
	switch v := s.Default.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	default:
		return fmt.Sprint(v)
	}
}

// within names the bound that n crossed.
func (s Setting) within(n float64) error {
	switch {
	case n < s.Min:
		return fmt.Errorf("must be at least %.0f", s.Min)
	case n > s.Max:
		return fmt.Errorf("must be at most %.0f", s.Max)
	}
	return nil
}

// checkText keeps control characters out of texts of one line: what goes into a
// mail's header must not be able to begin another one.
func (s Setting) checkText(text string) error {
	switch {
	case s.Secret && len(text) > s.MaxLength:
		return fmt.Errorf("must have at most %d bytes", s.MaxLength)
	case s.Secret:
		return nil
	case s.OneOf != nil && !slices.Contains(s.OneOf, text):
		return fmt.Errorf("must be one of: %s", quoted(s.OneOf))
	case s.MaxLength > 0 && utf8.RuneCountInString(text) > s.MaxLength:
		return fmt.Errorf("must have at most %d characters", s.MaxLength)
	case !s.Lines && strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("must not hold control characters")
	case s.Format != nil:
		return s.Format(text)
	}
	return nil
}

func quoted(texts []string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = strconv.Quote(t)
	}
	return strings.Join(out, ", ")
}

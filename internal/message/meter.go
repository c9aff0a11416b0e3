package message

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"text/template"
)

// meterName is the function that guard puts into every range. Templates cannot
// name it: guard refuses identifiers that are not in allowedFunctions.
const meterName = "reeve_meter"

var (
	errTooManySteps = errors.New("template loops too often")
	errTooManyBytes = errors.New("template builds too much text")
	errFormat       = errors.New("printf takes verbs without width or precision only")
)

// plainVerbs matches formats whose output is not much larger than their input;
// a width such as %1000000d would not be.
var plainVerbs = regexp.MustCompile(`^(?:[^%]|%[%svdqtgfxX])*$`)

// meter bounds the work of one execution of one template.
type meter struct{ steps, bytes int }

// loop charges cost for each element of v and hands v on to range.
func (m *meter) loop(cost int, v any) (any, error) {
	n := 0
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return v, nil // a missing value: range runs its else branch
	case reflect.Map, reflect.Slice, reflect.Array:
		n = r.Len()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if r.Int() > int64(m.steps) {
			return nil, errTooManySteps
		}
		n = max(0, int(r.Int()))
	default:
		return nil, fmt.Errorf("range over %s is not available", r.Kind())
	}
	// m.steps and cost are below 2^17, so the product cannot overflow once n is
	// bounded.
	if n > m.steps || 1+n*cost > m.steps {
		return nil, errTooManySteps
	}
	m.steps -= 1 + n*cost
	return v, nil
}

// made charges for text that a function made.
func (m *meter) made(s string) (string, error) {
	if m.bytes -= len(s); m.bytes < 0 {
		return "", errTooManyBytes
	}
	return s, nil
}

// funcs are the builtins that make text, metered, and the meter itself. They
// take precedence over the builtins of the same name.
func (m *meter) funcs() map[string]any {
	return map[string]any{
		meterName:  m.loop,
		"print":    func(a ...any) (string, error) { return m.made(fmt.Sprint(a...)) },
		"println":  func(a ...any) (string, error) { return m.made(fmt.Sprintln(a...)) },
		"html":     func(a ...any) (string, error) { return m.made(template.HTMLEscaper(a...)) },
		"js":       func(a ...any) (string, error) { return m.made(template.JSEscaper(a...)) },
		"urlquery": func(a ...any) (string, error) { return m.made(template.URLQueryEscaper(a...)) },
		"printf": func(format string, a ...any) (string, error) {
			if !plainVerbs.MatchString(format) {
				return "", errFormat
			}
			return m.made(fmt.Sprintf(format, a...))
		},
	}
}

package message

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
)

// The functions that guard inserts into a template: loopMeter into every range,
// textMeter after printed values and before arguments of functions that return
// text, readMeter before compared values. Templates cannot call them: guard
// refuses identifiers that are not in allowedFunctions.
const (
	loopMeter = "reeve_loop"
	textMeter = "reeve_text"
	readMeter = "reeve_read"
)

// valueCost is the cost of a value in addition to its text: it is inspected,
// and perhaps sorted, by reflection.
const valueCost = 16

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

// loop charges cost for each element of v and returns v to range.
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

// text charges the approximate cost of converting v to text, and returns v
// unchanged, so that escaping sees the same type.
func (m *meter) text(v any) (any, error) { return v, m.spend(reflect.ValueOf(v)) }

// spend walks v only as far and as deep as the budget allows: v may be as large
// as the user's metadata.
func (m *meter) spend(v reflect.Value) error {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if err := m.charge(valueCost); err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.String:
		return m.charge(v.Len())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := m.spend(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for entry := v.MapRange(); entry.Next(); {
			if err := cmp.Or(m.spend(entry.Key()), m.spend(entry.Value())); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if err := m.spend(v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// read charges for a string that is compared or looked up. Other values are not
// read completely.
func (m *meter) read(v any) (any, error) {
	if s, ok := v.(string); ok {
		return v, m.charge(len(s))
	}
	return v, nil
}

func (m *meter) charge(bytes int) error {
	if m.bytes -= bytes; m.bytes < 0 {
		return errTooManyBytes
	}
	return nil
}

// printf is the builtin for formats whose output is bounded by their arguments.
func printf(format string, a ...any) (string, error) {
	if !plainVerbs.MatchString(format) {
		return "", errFormat
	}
	return fmt.Sprintf(format, a...), nil
}

// funcs are the meters, and replacements of builtins.
func (m *meter) funcs() map[string]any {
	return map[string]any{loopMeter: m.loop, textMeter: m.text, readMeter: m.read, "printf": printf}
}

// Package text checks the names and descriptions of objects of the control
// plane. It owns no rules of a particular object.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrInvalid is returned for a text that breaks its rule; the message names the
// field.
var ErrInvalid = fault.New(fault.Invalid, "validation_failed", "The request is not valid")

// Name trims space around s and checks that it then has shortest to longest
// characters, without control characters or bidirectional overrides, with which
// one name could look like another.
func Name(field, s string, shortest, longest int) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n < shortest || n > longest {
		return "", Invalid("%s: must have %d to %d characters", field, shortest, longest)
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return "", Invalid("%s: must not hold control characters", field)
		}
	}
	return s, nil
}

// Invalid is ErrInvalid with a message.
func Invalid(format string, args ...any) error {
	return ErrInvalid.Saying(fmt.Sprintf(format, args...))
}

package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/fault"
)

const (
	maxRequiredBytes = 1024
	maxRequiredSets  = 16
)

// ErrBadRequired is returned for a list of required characters that is not
// text, has control characters, or is too long (1,024 bytes, 16 sets).
var ErrBadRequired = fault.New(fault.Invalid, "validation_failed",
	"password_required_characters must be at most 16 sets of printable characters, separated by colons")

// ParseRequired reads the configuration's form of required characters: sets
// separated by ":", where "\:" is a colon in a set and every other backslash is
// a literal. Empty sets are dropped.
func ParseRequired(s string) ([]string, error) {
	if len(s) > maxRequiredBytes || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return nil, ErrBadRequired
	}
	var sets []string
	var set strings.Builder
	for i := range len(s) {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == ':':
			// The colon itself is written in its own round.
		case s[i] == ':' && (i == 0 || s[i-1] != '\\'):
			sets = appendSet(sets, &set)
		default:
			set.WriteByte(s[i])
		}
	}
	sets = appendSet(sets, &set)
	if len(sets) > maxRequiredSets {
		return nil, ErrBadRequired
	}
	return sets, nil
}

func appendSet(sets []string, set *strings.Builder) []string {
	if set.Len() > 0 {
		sets = append(sets, set.String())
	}
	set.Reset()
	return sets
}

package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Problem is one error in a configuration. Text never repeats a value, which
// may be a secret.
type Problem struct {
	Key  string // in the file, "http.listen"; "" for the file itself
	Text string
}

// String returns one line: the key, its variable, the error.
func (p Problem) String() string {
	if p.Key == "" {
		return p.Text
	}
	if v := variables()[p.Key]; v != "" {
		return fmt.Sprintf("%s (%s): %s", p.Key, v, p.Text)
	}
	return p.Key + ": " + p.Text
}

// Problems are all errors in a configuration.
type Problems []Problem

// Error returns one problem per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// merge adds the problems in err, except for keys that have one already: a
// value that could not be parsed is not also missing.
func (p Problems) merge(err error) Problems {
	var more Problems
	if !errors.As(err, &more) {
		return p
	}
	known := make(map[string]bool, len(p))
	for _, one := range p {
		known[one.Key] = true
	}
	for _, one := range more {
		if !known[one.Key] {
			p = append(p, one)
		}
	}
	return p
}

// add adds a problem with a key.
func (p *Problems) add(key, format string, args ...any) {
	*p = append(*p, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// within adds a problem if a number is out of its range.
func (p *Problems) within(key string, n, low, high int) {
	if n < low || n > high {
		p.add(key, "must be between %d and %d", low, high)
	}
}

// variables maps each key to its variable.
var variables = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	var c Config
	for _, f := range leaves(reflect.ValueOf(&c).Elem(), "") {
		out[f.key] = f.variable
	}
	return out
})

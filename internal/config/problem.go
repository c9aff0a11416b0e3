package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Problem is one thing that is wrong. Text never repeats a value, which may be a
// secret.
type Problem struct {
	Key  string // in the file, "http.listen"; "" when the file itself is meant
	Text string
}

// String is a line for people: the key, its variable, what is wrong.
func (p Problem) String() string {
	if p.Key == "" {
		return p.Text
	}
	if v := variables()[p.Key]; v != "" {
		return fmt.Sprintf("%s (%s): %s", p.Key, v, p.Text)
	}
	return p.Key + ": " + p.Text
}

// Problems is everything that is wrong with a configuration.
type Problems []Problem

// Error gives one problem a line.
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

// merge adds the problems in err, except about keys that have one already: a
// value that was not understood is not also missing.
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

// add notes what is wrong with a key.
func (p *Problems) add(key, format string, args ...any) {
	*p = append(*p, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// within notes a number that is out of its range.
func (p *Problems) within(key string, n, low, high int) {
	if n < low || n > high {
		p.add(key, "must be between %d and %d", low, high)
	}
}

// variables names the variable of each key.
var variables = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	var c Config
	for _, f := range leaves(reflect.ValueOf(&c).Elem(), "") {
		out[f.key] = f.variable
	}
	return out
})

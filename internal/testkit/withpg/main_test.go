//go:build unix

package main

import "testing"

func TestRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		code   int
		failed bool
	}{
		"exit code":       {[]string{"sh", "-c", `test -n "$REEVE_TEST_POSTGRES" && exit 7`}, 7, false},
		"killed":          {[]string{"sh", "-c", "kill -TERM $$"}, 128 + 15, false},
		"unknown command": {[]string{"/nowhere/command"}, 127, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, err := run(c.args)
			if code != c.code || (err != nil) != c.failed {
				t.Errorf("answered %d, %v", code, err)
			}
		})
	}
}

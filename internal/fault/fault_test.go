package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reevehq/reeve/internal/fault"
)

var errTaken = fault.New(fault.Conflict, "taken", "It is taken")

// Sentinels are shared by all requests: the message of one copy must not show
// in another.
func TestCopies(t *testing.T) {
	t.Parallel()
	sentinel := fault.New(fault.Conflict, "taken", "It is taken").With("a", 1)
	for name, c := range map[string]*fault.Error{
		"Because": sentinel.Because(io.EOF), "Saying": sentinel.Saying("Gone"), "After": sentinel.After(time.Second), "With": sentinel.With("b", 2),
	} {
		if c == sentinel || !errors.Is(c, sentinel) {
			t.Errorf("%s: the same, or another refusal: %v", name, c)
		}
	}
	want := fault.Error{Kind: fault.Conflict, Code: "taken", Message: "It is taken", Details: map[string]any{"a": 1}}
	if diff := cmp.Diff(want, *sentinel, cmpopts.IgnoreUnexported(want)); diff != "" {
		t.Errorf("the sentinel changed: %s", diff)
	}
	if got := sentinel.With("a", 2).With("b", 3).Details; !cmp.Equal(got, map[string]any{"a": 2, "b": 3}) {
		t.Errorf("details %v", got)
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("create: %w", errTaken.Because(io.EOF).Saying("Another word"))
	if !errors.Is(wrapped, errTaken) || !errors.Is(wrapped, io.EOF) {
		t.Error("neither the refusal nor its cause is found")
	}
	for name, other := range map[string]error{
		"code": fault.New(fault.Conflict, "other", "It is taken"), "kind": fault.New(fault.Invalid, "taken", "It is taken"), "type": errors.New("taken: It is taken"),
		"sentinel": fault.New(fault.Conflict, "taken", "It is taken"), "literal": &fault.Error{Kind: fault.Conflict, Code: "taken"},
	} {
		if errors.Is(wrapped, other) || errors.Is(other, errTaken) {
			t.Errorf("equals one of another %s", name)
		}
	}
	literal := &fault.Error{Kind: fault.Conflict, Code: "taken"}
	if !errors.Is(literal.After(time.Second), literal) || !errors.Is(literal.Because(io.EOF).Saying("x"), literal.With("a", 1)) {
		t.Error("copies are not the same refusal")
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	if got := errTaken.Error(); got != "taken: It is taken" {
		t.Error(got)
	}
	if got := errTaken.Because(io.EOF).Error(); got != "taken: It is taken: EOF" {
		t.Error(got)
	}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	if f := fault.From(fmt.Errorf("create: %w", errTaken)); f != errTaken {
		t.Errorf("lost in the chain: %v", f)
	}
	f := fault.From(fmt.Errorf("password is hunter2: %w", io.EOF))
	if f.Kind != fault.Internal || f.Code != "unexpected_failure" || f.Message != "Internal server error" || !errors.Is(f, io.EOF) {
		t.Errorf("what nobody classified is %+v", f)
	}
	var zero fault.Error
	if zero.Kind != fault.Internal {
		t.Error("the zero kind can be shown")
	}
}

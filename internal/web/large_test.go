package web

import (
	"testing"

	"github.com/reevehq/reeve/tenants"
)

func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	l := largeAnswers{of: map[tenants.Ref]int{}}
	const a, b = tenants.Ref("aaaaaaaaaaaaaaaaaaaa"), tenants.Ref("bbbbbbbbbbbbbbbbbbbb")
	if !l.hold(a, maxLargeOf-1) || !l.hold(a, 1) || l.hold(a, 1) {
		t.Error("a project's bound")
	}
	if !l.hold(b, 1) {
		t.Error("another project is refused")
	}
	l.all = maxLarge
	if l.hold(b, 1) {
		t.Error("the bound of all")
	}
	l.all = maxLargeOf + 1
	l.release(a, maxLargeOf-1)
	l.release(a, 1)
	l.release(b, 1)
	if l.all != 0 || len(l.of) != 0 {
		t.Errorf("%d held, %v", l.all, l.of)
	}
}

package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// keeper records what it is to keep.
type keeper struct {
	down bool
	kept map[tenants.Ref]int
}

var errDown = errors.New("down")

func (k *keeper) KeepFailures(_ context.Context, list []Failures) error {
	if k.down {
		return errDown
	}
	for i := range list {
		k.kept[list[i].Ref]++
	}
	return nil
}

func (k *keeper) KeptFailures(context.Context, time.Time, int) ([]Failures, time.Time, error) {
	return nil, time.Time{}, nil
}

// What waits to be kept is bounded for each project, so that one whose Keeper is
// down does not take the place of the others.
func TestUnkept_is_bounded(t *testing.T) {
	t.Parallel()
	k := &keeper{down: true, kept: map[tenants.Ref]int{}}
	l := New(Options{Keeper: k, DigestKey: []byte("key"), Now: newClock().Now})
	wrong := errors.New("wrong")
	guess := func(ref tenants.Ref, identifier string) {
		_ = l.Guess(t.Context(), ref, Verify(30), identifier, wrong, func() error { return wrong })
	}
	for i := range 3 * maxUnkeptOf {
		guess(projectA, fmt.Sprint(i))
	}
	guess(projectB, "x")
	if err := l.Flush(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	guess(projectB, "y")
	k.down = false
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k.kept[projectA] != maxUnkeptOf || k.kept[projectB] != 2 {
		t.Errorf("kept %v", k.kept)
	}
	guess(projectA, "again")
	if err := l.Flush(t.Context()); err != nil || k.kept[projectA] != maxUnkeptOf+1 || len(l.failures.of) != 0 {
		t.Errorf("%v, kept %v, waiting %v", err, k.kept, l.failures.of)
	}
}

package tenants_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/reevehq/reeve/tenants"
)

var errDown = errors.New("connection refused")

// fakeSource is a control database in memory. It can lose announcements, go
// down, and delay answers.
type fakeSource struct {
	mu        sync.Mutex
	tenants   map[tenants.Ref]*tenants.Tenant
	keys      map[tenants.KeyHash]tenants.Ref
	changedAt map[tenants.Ref]time.Time
	listeners map[int]func(tenants.Change)
	breaks    map[int]chan struct{}
	next      int

	mute bool          // announcements are lost
	down bool          // every query fails
	hold chan struct{} // when set, Tenant and RefByKey delay their answers until it is closed

	loads, lookups, polls, fullPolls, listens int
}

func newFakeSource(ts ...*tenants.Tenant) *fakeSource {
	s := &fakeSource{
		tenants: map[tenants.Ref]*tenants.Tenant{}, keys: map[tenants.KeyHash]tenants.Ref{},
		changedAt: map[tenants.Ref]time.Time{},
		listeners: map[int]func(tenants.Change){}, breaks: map[int]chan struct{}{},
	}
	for _, t := range ts {
		s.put(t)
	}
	return s
}

// put commits a tenant and announces it.
func (s *fakeSource) put(t *tenants.Tenant) {
	s.mu.Lock()
	s.tenants[t.Ref], s.changedAt[t.Ref] = t, time.Now()
	maps.DeleteFunc(s.keys, func(_ tenants.KeyHash, ref tenants.Ref) bool { return ref == t.Ref })
	for h := range t.APIKeys {
		s.keys[h] = t.Ref
	}
	s.announce(tenants.Change{Ref: t.Ref, Version: t.Version})
}

// drop deletes a tenant's row.
func (s *fakeSource) drop(ref tenants.Ref) {
	s.mu.Lock()
	delete(s.tenants, ref)
	delete(s.changedAt, ref)
	maps.DeleteFunc(s.keys, func(_ tenants.KeyHash, r tenants.Ref) bool { return r == ref })
	s.announce(tenants.Change{Ref: ref})
}

// announce unlocks s.mu.
func (s *fakeSource) announce(c tenants.Change) {
	var fns []func(tenants.Change)
	if !s.mute {
		for _, fn := range s.listeners {
			fns = append(fns, fn)
		}
	}
	s.mu.Unlock()
	for _, fn := range fns {
		fn(c)
	}
}

func (s *fakeSource) set(change func(s *fakeSource)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// goDown also breaks the listening connections.
func (s *fakeSource) goDown() {
	s.set(func(s *fakeSource) {
		s.down = true
		for _, b := range s.breaks {
			close(b)
		}
		clear(s.breaks)
		clear(s.listeners)
	})
}

func (s *fakeSource) count(of func(s *fakeSource) int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return of(s)
}

func (s *fakeSource) loadCount() int { return s.count(func(s *fakeSource) int { return s.loads }) }

func (s *fakeSource) Tenant(ctx context.Context, ref tenants.Ref) (*tenants.Tenant, error) {
	s.mu.Lock()
	s.loads++
	t, down, hold := s.tenants[ref], s.down, s.hold
	s.mu.Unlock()
	if err := held(ctx, hold); err != nil {
		return nil, err
	}
	if down {
		return nil, errDown
	}
	if t == nil {
		return nil, tenants.ErrUnknownProject
	}
	return t, nil
}

func (s *fakeSource) RefByKey(ctx context.Context, h tenants.KeyHash) (tenants.Ref, error) {
	s.mu.Lock()
	s.lookups++
	ref, ok := s.keys[h]
	down, hold := s.down, s.hold
	s.mu.Unlock()
	if err := held(ctx, hold); err != nil {
		return "", err
	}
	if down {
		return "", errDown
	}
	if !ok {
		return "", tenants.ErrUnknownKey
	}
	return ref, nil
}

func held(ctx context.Context, hold chan struct{}) error {
	if hold == nil {
		return nil
	}
	select {
	case <-hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *fakeSource) Changes(_ context.Context, within time.Duration) ([]tenants.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls++
	if s.down {
		return nil, errDown
	}
	if within == 0 {
		s.fullPolls++
	}
	var out []tenants.Change
	for ref, t := range s.tenants {
		if within == 0 || time.Since(s.changedAt[ref]) < within {
			out = append(out, tenants.Change{Ref: ref, Version: t.Version})
		}
	}
	return out, nil
}

func (s *fakeSource) Listen(ctx context.Context, fn func(tenants.Change)) error {
	s.mu.Lock()
	s.listens++
	if s.down {
		s.mu.Unlock()
		return errDown
	}
	s.next++
	id, broken := s.next, make(chan struct{})
	s.listeners[id], s.breaks[id] = fn, broken
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		s.set(func(s *fakeSource) { delete(s.listeners, id); delete(s.breaks, id) })
		return ctx.Err()
	case <-broken:
		return errDown
	}
}

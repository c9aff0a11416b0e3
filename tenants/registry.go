package tenants

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Change says that a project reached a version.
type Change struct {
	Ref     Ref
	Version int64 // 0 = unknown, for instance because the project is gone
}

// Source is where tenants come from: the control database. Every change of what
// a Tenant holds must raise its Version in the same transaction.
type Source interface {
	// Tenant reads a project with all that belongs to it; ErrUnknownProject.
	Tenant(ctx context.Context, ref Ref) (*Tenant, error)
	// RefByKey tells which project a key that is not revoked belongs to;
	// ErrUnknownKey.
	RefByKey(ctx context.Context, h KeyHash) (Ref, error)
	// Changes lists the projects changed within the last while, by the source's
	// own clock, with their versions now; for 0, all projects.
	Changes(ctx context.Context, within time.Duration) ([]Change, error)
	// Listen calls fn for every change that is announced, and blocks until the
	// connection breaks or ctx ends.
	Listen(ctx context.Context, fn func(Change)) error
}

// Registry is the cache of tenants: bounded, loaded on demand, one load at a
// time for each project, and kept current by Run. It holds no goroutine per
// tenant. When the source is away it goes on serving what it holds, except
// tenants that it knows to have changed: a revoked key must not come back to
// life because the control database is down.
type Registry struct {
	src    Source
	hasher KeyHasher
	o      RegistryOptions

	mu      sync.Mutex
	seq     uint64 // loads begun
	tenants *simplelru.LRU[Ref, *entry]
	loads   map[Ref]*flight[*Tenant]
	missing *simplelru.LRU[Ref, time.Time] // refs that do not exist, until when that is believed
	keys    *simplelru.LRU[KeyHash, Ref]
	lookups map[KeyHash]*flight[Ref]
	noKeys  *simplelru.LRU[KeyHash, time.Time]
	told    map[Ref]announcement

	observers []func(old, now *Tenant)
	events    []event
	draining  bool
	resync    bool // the next poll compares everything
}

// entry is a cached tenant. A stale one is kept only to tell the observers what
// was replaced; it is never served.
type entry struct {
	tenant *Tenant
	seq    uint64 // of the load that brought it
	stale  bool
}

// NewRegistry makes a registry. Without Run it never learns of changes.
func NewRegistry(src Source, hasher KeyHasher, o RegistryOptions) *Registry {
	o = o.withDefaults()
	r := &Registry{
		src: src, hasher: hasher, o: o,
		loads:   map[Ref]*flight[*Tenant]{},
		lookups: map[KeyHash]*flight[Ref]{},
		told:    map[Ref]announcement{},
	}
	// Every way out of the cache passes here, so an observer misses none.
	r.tenants = newLRU(o.MaxTenants, func(_ Ref, e *entry) {
		r.events = append(r.events, event{old: e.tenant})
	})
	r.missing = newLRU[Ref, time.Time](o.MaxNegatives, nil)
	r.keys = newLRU[KeyHash, Ref](o.MaxKeys, nil)
	r.noKeys = newLRU[KeyHash, time.Time](o.MaxNegatives, nil)
	return r
}

// newLRU never fails: the sizes are positive after withDefaults.
func newLRU[K comparable, V any](size int, evicted func(K, V)) *simplelru.LRU[K, V] {
	lru, _ := simplelru.NewLRU(size, evicted)
	return lru
}

// Tenant returns the current snapshot of a project, in whatever status it is:
// from the cache, or loaded. It returns ErrUnknownProject,
// ErrRegistryUnavailable when it is not cached and the source does not answer,
// or the error of ctx.
func (r *Registry) Tenant(ctx context.Context, ref Ref) (*Tenant, error) {
	r.mu.Lock()
	if e, ok := r.tenants.Get(ref); ok && !e.stale {
		t := e.tenant
		r.mu.Unlock()
		return t, nil
	}
	if until, ok := r.missing.Get(ref); ok && r.o.Now().Before(until) {
		r.mu.Unlock()
		return nil, ErrUnknownProject
	}
	f, ok := r.loads[ref]
	if !ok {
		r.seq++
		f = &flight[*Tenant]{done: make(chan struct{}), seq: r.seq}
		r.loads[ref] = f
		// The load is everyone's: it must not end because this caller went away.
		go r.load(context.WithoutCancel(ctx), ref, f)
	}
	r.mu.Unlock()
	return f.wait(ctx)
}

// load runs one flight. What it brings is cached only if no change was announced
// since it began (Changed takes the flight out of loads), for then it may be old.
func (r *Registry) load(ctx context.Context, ref Ref, f *flight[*Tenant]) {
	ctx, cancel := context.WithTimeout(ctx, r.o.LoadTimeout)
	defer cancel()
	t, err := r.src.Tenant(ctx, ref)
	unknown := errors.Is(err, ErrUnknownProject)
	switch {
	case unknown:
		t, err = nil, ErrUnknownProject
	case err != nil:
		t, err = nil, ErrRegistryUnavailable.Because(fmt.Errorf("load project %s: %w", ref, err))
	case t.Ref != ref:
		t, err = nil, fmt.Errorf("load project %s: the source answered with %s", ref, t.Ref)
	}
	f.value, f.err = t, err

	r.mu.Lock()
	if r.loads[ref] == f {
		delete(r.loads, ref)
		switch {
		case err == nil:
			r.store(t, f.seq)
		case unknown:
			r.tenants.Remove(ref)
			r.missing.Add(ref, r.o.Now().Add(r.o.NegativeTTL))
		}
	}
	r.mu.Unlock()
	r.drain()
	close(f.done)
}

// store puts a loaded tenant into the cache; r.mu is held.
func (r *Registry) store(t *Tenant, seq uint64) {
	r.missing.Remove(t.Ref)
	if e, ok := r.tenants.Get(t.Ref); ok {
		r.events = append(r.events, event{old: e.tenant, now: t})
		*e = entry{tenant: t, seq: seq}
		return
	}
	r.tenants.Add(t.Ref, &entry{tenant: t, seq: seq})
}

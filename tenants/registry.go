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
	Version int64 // 0 = unknown, for instance because the project was deleted
}

// Source reads tenants from the control database. Every change of a Tenant's
// contents must raise its Version in the same transaction.
type Source interface {
	// Tenant reads a project with everything that belongs to it;
	// ErrUnknownProject.
	Tenant(ctx context.Context, ref Ref) (*Tenant, error)
	// RefByKey returns the project of a key that is not revoked; ErrUnknownKey.
	RefByKey(ctx context.Context, h KeyHash) (Ref, error)
	// Changes lists the projects changed within the given time, by the source's
	// own clock, with their current versions; for 0, all projects.
	Changes(ctx context.Context, within time.Duration) ([]Change, error)
	// Listen calls fn for every change that is announced, and blocks until the
	// connection breaks or ctx ends.
	Listen(ctx context.Context, fn func(Change)) error
}

// Registry is the cache of tenants: bounded, loaded on demand, one load at a
// time for each project, and kept current by Run. It has no goroutine per
// tenant. While the source is unavailable it serves cached tenants, except
// those that it knows to have changed: a revoked key must not become valid
// again because the control database is down.
type Registry struct {
	src    Source
	hasher KeyHasher
	o      RegistryOptions

	mu      sync.Mutex
	seq     uint64 // loads begun
	tenants *simplelru.LRU[Ref, *entry]
	loads   map[Ref]*flight[*Tenant]
	missing *simplelru.LRU[Ref, time.Time] // refs that do not exist, and when that expires
	keys    *simplelru.LRU[KeyHash, Ref]
	lookups map[KeyHash]*flight[Ref]
	noKeys  *simplelru.LRU[KeyHash, time.Time]
	told    map[Ref]announcement

	observers []func(old, now *Tenant)
	events    []event
	draining  bool
	resync    bool // the next poll compares everything
}

// entry is a cached tenant. A stale one is kept only so that observers learn
// which tenant was replaced; it is never served.
type entry struct {
	tenant *Tenant
	seq    uint64 // of the load that brought it
	stale  bool
}

// NewRegistry returns a registry. It learns of changes only while Run runs.
func NewRegistry(src Source, hasher KeyHasher, o RegistryOptions) *Registry {
	o = o.withDefaults()
	r := &Registry{
		src: src, hasher: hasher, o: o,
		loads:   map[Ref]*flight[*Tenant]{},
		lookups: map[KeyHash]*flight[Ref]{},
		told:    map[Ref]announcement{},
	}
	// Every removal from the cache passes here, so observers miss none.
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
		// The load serves all callers, so it must not end with this one's
		// context.
		go r.load(context.WithoutCancel(ctx), ref, f)
	}
	r.mu.Unlock()
	return f.wait(ctx)
}

// load runs one flight. It caches the result only if no change was announced
// since it began (Changed takes the flight out of loads): otherwise the result
// may be old.
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

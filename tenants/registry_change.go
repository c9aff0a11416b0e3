package tenants

import "time"

// event is a replacement (both set) or an eviction (only old) that was not
// delivered to the observers yet.
type event struct{ old, now *Tenant }

// announcement is the newest announced version of a project.
type announcement struct {
	version int64
	at      time.Time
}

// OnChange registers an observer, before the registry is used. It is called
// once for every cached tenant that another snapshot replaces, and once, with
// now nil, for every one that leaves the cache; in order, and never
// concurrently.
func (r *Registry) OnChange(fn func(old, now *Tenant)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observers = append(r.observers, fn)
}

// drain calls the observers, outside the lock. One goroutine does it at a time,
// so that they get events in order.
func (r *Registry) drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining {
		return
	}
	r.draining = true
	defer func() { r.draining = false }()
	for len(r.events) > 0 {
		events, observers := r.events, r.observers
		r.events = nil
		r.mu.Unlock()
		for _, e := range events {
			for _, observe := range observers {
				observe(e.old, e.now)
			}
		}
		r.mu.Lock()
	}
}

// Changed makes the next request of the project load it again, unless the
// version is already known. Run calls it for announced and polled changes. Code
// in this process that writes to the control database may call it after the
// commit, so that its own next request sees the change at once.
func (r *Registry) Changed(c Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, cached := r.tenants.Peek(c.Ref)
	current := !cached || e.stale || e.tenant.Version >= c.Version
	if c.Version > 0 && current && r.told[c.Ref].version >= c.Version {
		return // known already; any load under way began after that
	}
	if c.Version > r.told[c.Ref].version {
		r.told[c.Ref] = announcement{version: c.Version, at: r.o.Now()}
	}
	r.missing.Remove(c.Ref)
	if cached && (c.Version <= 0 || e.tenant.Version < c.Version) {
		e.stale = true
	}
	// A load that began before the change may return the old version. Its
	// callers also asked before the change; later callers start another load.
	delete(r.loads, c.Ref)
}

// compare checks all cached entries against the complete list of versions.
// Entries whose load began after mark are newer than the list and stay.
func (r *Registry) compare(all []Change, mark uint64) {
	versions := make(map[Ref]int64, len(all))
	for _, c := range all {
		versions[c.Ref] = c.Version
	}
	r.mu.Lock()
	for _, ref := range r.tenants.Keys() {
		e, _ := r.tenants.Peek(ref)
		if e.seq > mark {
			continue
		}
		switch version, exists := versions[ref]; {
		case !exists:
			r.tenants.Remove(ref)
			delete(r.loads, ref)
		case version != e.tenant.Version && !e.stale:
			// Not only greater: a control database restored from a backup has
			// older versions.
			e.stale = true
			delete(r.loads, ref)
		}
	}
	r.mu.Unlock()
	r.drain()
}

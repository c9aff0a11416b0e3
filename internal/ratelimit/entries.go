package ratelimit

import (
	"container/heap"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/reevehq/reeve/tenants"
)

// key names a bucket within its project.
type key struct{ rule, identifier string }

// project holds the buckets of one project.
type project struct {
	ref     tenants.Ref
	whole   map[string]*rate.Limiter // by rule; identifier "", never evicted
	clients *simplelru.LRU[key, *rate.Limiter]
	place   int // index in the heap
}

// find returns a bucket, or nil, and marks it and its project as used.
func (m *Memory) find(ref tenants.Ref, k key) *rate.Limiter {
	p := m.projects[ref]
	if p == nil {
		return nil
	}
	m.recent.Get(ref)
	if k.identifier == "" {
		return p.whole[k.rule]
	}
	b, _ := p.clients.Get(k)
	return b
}

// insert adds a bucket, and evicts others if needed.
func (m *Memory) insert(ref tenants.Ref, k key, b *rate.Limiter, now time.Time) {
	p := m.project(ref)
	if k.identifier == "" {
		p.whole[k.rule] = b
		return
	}
	m.sweep(p, now)
	switch {
	case p.clients.Len() >= m.perProject:
		m.evict(p, now)
	case m.entries >= m.maxEntries:
		m.evict(m.largest[0], now)
	}
	p.clients.Add(k, b)
	m.entries++
	heap.Fix(&m.largest, p.place)
}

// project finds or creates a project's set of buckets.
func (m *Memory) project(ref tenants.Ref) *project {
	p := m.projects[ref]
	if p == nil {
		p = &project{ref: ref, whole: make(map[string]*rate.Limiter), clients: newClients(m.perProject)}
		m.projects[ref] = p
		heap.Push(&m.largest, p)
		m.recent.Add(ref, p)
	}
	return p
}

// sweep drops a few full buckets: of the given project, and of the one that was
// unused for longest, so that the memory of unused projects is freed. Dropping
// two for each insert keeps ahead of growth.
func (m *Memory) sweep(p *project, now time.Time) {
	m.sweepOldest(p, now)
	if _, quiet, ok := m.recent.GetOldest(); ok && quiet != p {
		m.sweepOldest(quiet, now)
		if quiet.clients.Len() == 0 && quiet.spent(now) {
			m.drop(quiet)
		}
	}
}

func (m *Memory) sweepOldest(p *project, now time.Time) {
	for range 2 {
		if _, b, ok := p.clients.GetOldest(); !ok || !full(b, now) {
			return
		}
		m.evict(p, now)
	}
}

// spent reports whether all buckets of the project as a whole are full.
func (p *project) spent(now time.Time) bool {
	for _, b := range p.whole {
		if !full(b, now) {
			return false
		}
	}
	return true
}

// full reports whether a new bucket would be equivalent.
func full(b *rate.Limiter, now time.Time) bool {
	return b.TokensAt(now) >= float64(b.Burst())
}

// A bucket out of which muchTaken events were taken is passed over by an eviction, up
// to maxPassed of them: otherwise whoever has used up a limit would get it back for a
// flood of cheap events with other identifiers.
const (
	muchTaken = 8
	maxPassed = 16
)

// evict drops the project's least recently used bucket, except as muchTaken says.
// Those that it passes over count as used.
func (m *Memory) evict(p *project, now time.Time) {
	for range maxPassed {
		k, b, ok := p.clients.GetOldest()
		if !ok || float64(b.Burst())-b.TokensAt(now) < muchTaken {
			break
		}
		p.clients.Get(k)
	}
	if _, _, ok := p.clients.RemoveOldest(); ok {
		m.entries--
		heap.Fix(&m.largest, p.place)
	}
}

func (m *Memory) drop(p *project) {
	m.entries -= p.clients.Len()
	heap.Remove(&m.largest, p.place)
	m.recent.Remove(p.ref)
	delete(m.projects, p.ref)
}

// recent orders projects by last use.
type recent struct {
	*simplelru.LRU[tenants.Ref, *project]
}

// unbounded: these lists are bounded by their owner, never by themselves.
const unbounded = int(^uint(0) >> 1)

func newRecent() recent {
	lru, _ := simplelru.NewLRU[tenants.Ref, *project](unbounded, nil) // fails for no positive size
	return recent{lru}
}

func newClients(size int) *simplelru.LRU[key, *rate.Limiter] {
	lru, _ := simplelru.NewLRU[key, *rate.Limiter](size, nil) // fails for no positive size
	return lru
}

// bySize is a heap.Interface; the project with the most entries comes first.
type bySize []*project

func (h bySize) Len() int           { return len(h) }
func (h bySize) Less(i, j int) bool { return h[i].clients.Len() > h[j].clients.Len() }

func (h bySize) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is for container/heap only.
func (h *bySize) Push(x any) {
	p := x.(*project)
	p.place = len(*h)
	*h = append(*h, p)
}

// Pop is for container/heap only.
func (h *bySize) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return p
}

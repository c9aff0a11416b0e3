package ratelimit

import (
	"container/heap"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/reevehq/reeve/tenants"
)

// key is a bucket's name within its project.
type key struct{ rule, identifier string }

// project holds the buckets of one project.
type project struct {
	ref     tenants.Ref
	whole   map[string]*rate.Limiter // by rule; identifier "", never evicted
	clients *simplelru.LRU[key, *rate.Limiter]
	place   int // in the heap
}

// find returns a bucket, or nil, and marks it and its project as used.
func (l *Limiter) find(ref tenants.Ref, k key) *rate.Limiter {
	p := l.projects[ref]
	if p == nil {
		return nil
	}
	l.recent.Get(ref)
	if k.identifier == "" {
		return p.whole[k.rule]
	}
	b, _ := p.clients.Get(k)
	return b
}

// insert adds a bucket and makes room for it.
func (l *Limiter) insert(ref tenants.Ref, k key, b *rate.Limiter, now time.Time) {
	p := l.project(ref)
	if k.identifier == "" {
		p.whole[k.rule] = b
		return
	}
	l.sweep(p, now)
	switch {
	case p.clients.Len() >= l.perProject:
		l.evict(p)
	case l.entries >= l.maxEntries:
		l.evict(l.largest[0])
	}
	p.clients.Add(k, b)
	l.entries++
	heap.Fix(&l.largest, p.place)
}

// project finds or makes the place for a project's buckets.
func (l *Limiter) project(ref tenants.Ref) *project {
	p := l.projects[ref]
	if p == nil {
		p = &project{ref: ref, whole: make(map[string]*rate.Limiter), clients: newClients(l.perProject)}
		l.projects[ref] = p
		heap.Push(&l.largest, p)
		l.recent.Add(ref, p)
	}
	return p
}

// sweep drops a few buckets that are full again: of the project at hand, and of
// the one that was quiet for longest, so that the memory of projects that went
// quiet comes back. Two out for one in keeps ahead of growth.
func (l *Limiter) sweep(p *project, now time.Time) {
	l.sweepOldest(p, now)
	if _, quiet, ok := l.recent.GetOldest(); ok && quiet != p {
		l.sweepOldest(quiet, now)
		if quiet.clients.Len() == 0 && quiet.spent(now) {
			l.drop(quiet)
		}
	}
}

func (l *Limiter) sweepOldest(p *project, now time.Time) {
	for range 2 {
		if _, b, ok := p.clients.GetOldest(); !ok || !full(b, now) {
			return
		}
		l.evict(p)
	}
}

// spent says whether no bucket of the project as a whole carries anything.
func (p *project) spent(now time.Time) bool {
	for _, b := range p.whole {
		if !full(b, now) {
			return false
		}
	}
	return true
}

// full says whether a new bucket would do as well.
func full(b *rate.Limiter, now time.Time) bool {
	return b.TokensAt(now) >= float64(b.Burst())
}

// evict drops the project's least recently used bucket.
func (l *Limiter) evict(p *project) {
	if _, _, ok := p.clients.RemoveOldest(); ok {
		l.entries--
		heap.Fix(&l.largest, p.place)
	}
}

func (l *Limiter) drop(p *project) {
	l.entries -= p.clients.Len()
	heap.Remove(&l.largest, p.place)
	l.recent.Remove(p.ref)
	delete(l.projects, p.ref)
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

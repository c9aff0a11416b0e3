package oidc

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"
)

const (
	maxEntries = 1024           // of each cache; the least recently used entry is dropped
	ttl        = time.Hour      // of a document
	maxStale   = 24 * time.Hour // for which a document is used while the provider is down
	// A document is fetched again at most once in refetchAfter because it does not
	// have what was asked for, and once in retryAfter after a failure.
	refetchAfter = 5 * time.Second
	retryAfter   = 5 * time.Second
	fetchTimeout = 10 * time.Second
)

// key names a document. Project is "" for addresses that are constants of this
// program, whose documents all projects share. Two projects that chose the same
// address share nothing.
type key struct{ project, url string }

// cache keeps documents by address. At most one request for an address runs at
// a time.
type cache[T any] struct {
	fetch func(ctx context.Context, url string) (T, error)
	now   func() time.Time

	mu      sync.Mutex
	entries *simplelru.LRU[key, entry[T]]
	flight  singleflight.Group
}

// entry is a document, or the failure to fetch it.
type entry[T any] struct {
	value     T
	fetchedAt time.Time // zero without a value
	triedAt   time.Time
	err       error // of the last attempt
}

func newCache[T any](now func() time.Time, fetch func(context.Context, string) (T, error)) *cache[T] {
	entries, _ := simplelru.NewLRU[key, entry[T]](maxEntries, nil) // fails for a size of 0 only
	return &cache[T]{fetch: fetch, now: now, entries: entries}
}

// get returns a document. One that does not suffice is fetched again, as often
// as refetchAfter allows, and returned in any case. nil suffices accepts all.
func (c *cache[T]) get(ctx context.Context, k key, suffices func(T) bool) (T, error) {
	if value, done, err := c.known(k, suffices); done {
		return value, err
	}
	ch := c.flight.DoChan(k.project+"\x00"+k.url, func() (any, error) {
		if value, done, err := c.known(k, suffices); done {
			return value, err
		}
		// The request goes on when the caller that began it leaves: others wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return c.load(ctx, k)
	})
	select {
	case r := <-ch:
		value, _ := r.Val.(T)
		return value, r.Err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// known returns what the cache has; done is false if the document must be
// fetched.
func (c *cache[T]) known(k key, suffices func(T) bool) (value T, done bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries.Get(k)
	if !ok {
		return value, false, nil
	}
	now := c.now()
	has := !e.fetchedAt.IsZero() && now.Sub(e.fetchedAt) < maxStale
	fresh := has && now.Sub(e.fetchedAt) < ttl
	tried := now.Sub(e.triedAt)
	switch {
	case fresh && (suffices == nil || suffices(e.value)):
		return e.value, true, nil
	case e.err == nil && (!fresh || tried >= refetchAfter), e.err != nil && tried >= retryAfter:
		return value, false, nil
	case has:
		return e.value, true, nil
	default:
		return value, true, e.err
	}
}

// load fetches a document. While the provider is down, the last one is used.
func (c *cache[T]) load(ctx context.Context, k key) (T, error) {
	value, err := func() (value T, err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		return c.fetch(ctx, k.url)
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	e, _ := c.entries.Get(k)
	e.triedAt, e.err = now, err
	if err == nil {
		e.value, e.fetchedAt = value, now
	}
	c.entries.Add(k, e)
	if err != nil && !e.fetchedAt.IsZero() && now.Sub(e.fetchedAt) < maxStale {
		return e.value, nil
	}
	return e.value, err
}

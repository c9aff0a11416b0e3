package tenants

import (
	"context"
	"errors"
	"fmt"
)

// ByKey returns the project of an API key, and the key. It tests the checksum
// before any lookup. It returns ErrUnknownKey, ErrRegistryUnavailable or the
// error of ctx. It does not check expiry; Authenticate does.
func (r *Registry) ByKey(ctx context.Context, key string) (*Tenant, APIKey, error) {
	if _, ok := ParseKey(key); !ok {
		return nil, APIKey{}, ErrUnknownKey
	}
	h := r.hasher.Hash(key)
	ref, cached, err := r.refByKey(ctx, h)
	if err != nil {
		return nil, APIKey{}, err
	}
	t, err := r.tenantOfKey(ctx, ref)
	if err != nil {
		return nil, APIKey{}, err
	}
	if _, ok := t.APIKeys[h]; !ok {
		if cached {
			// Revoked, or so new that another caller's lookup has just loaded
			// it.
			r.forgetKey(h)
			if ref, _, err = r.refByKey(ctx, h); err != nil {
				return nil, APIKey{}, err
			}
		}
		// The source knows the key but the snapshot does not: the key is newer.
		r.outdated(t)
		if t, err = r.tenantOfKey(ctx, ref); err != nil {
			return nil, APIKey{}, err
		}
	}
	// The snapshot decides, not the cached lookup, so that a revoked key stops
	// working when the snapshot is replaced.
	k, ok := t.APIKeys[h]
	if !ok {
		r.forgetKey(h)
		return nil, APIKey{}, ErrUnknownKey
	}
	return t, k, nil
}

// tenantOfKey is Tenant for a caller that knows only a key.
func (r *Registry) tenantOfKey(ctx context.Context, ref Ref) (*Tenant, error) {
	t, err := r.Tenant(ctx, ref)
	if errors.Is(err, ErrUnknownProject) {
		return nil, ErrUnknownKey
	}
	return t, err
}

// outdated makes the next request load the tenant again if t is still cached.
// When many callers find the same tenant outdated, one of them causes a load.
func (r *Registry) outdated(t *Tenant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.tenants.Peek(t.Ref); ok && e.tenant == t && !e.stale {
		e.stale = true
		delete(r.loads, t.Ref)
	}
}

func (r *Registry) forgetKey(h KeyHash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys.Remove(h)
}

// refByKey finds a key's project; cached means that the source was not asked.
func (r *Registry) refByKey(ctx context.Context, h KeyHash) (ref Ref, cached bool, err error) {
	r.mu.Lock()
	if ref, ok := r.keys.Get(h); ok {
		r.mu.Unlock()
		return ref, true, nil
	}
	if until, ok := r.noKeys.Get(h); ok && r.o.Now().Before(until) {
		r.mu.Unlock()
		return "", true, ErrUnknownKey
	}
	f, ok := r.lookups[h]
	if !ok {
		f = &flight[Ref]{done: make(chan struct{})}
		r.lookups[h] = f
		go r.lookup(context.WithoutCancel(ctx), h, f)
	}
	r.mu.Unlock()
	ref, err = f.wait(ctx)
	return ref, false, err
}

func (r *Registry) lookup(ctx context.Context, h KeyHash, f *flight[Ref]) {
	ctx, cancel := context.WithTimeout(ctx, r.o.LoadTimeout)
	defer cancel()
	ref, err := r.src.RefByKey(ctx, h)
	unknown := errors.Is(err, ErrUnknownKey)
	switch {
	case unknown:
		ref, err = "", ErrUnknownKey
	case err != nil:
		ref, err = "", ErrRegistryUnavailable.Because(fmt.Errorf("look up API key: %w", err))
	}
	f.value, f.err = ref, err

	r.mu.Lock()
	delete(r.lookups, h)
	switch {
	case err == nil:
		r.noKeys.Remove(h)
		r.keys.Add(h, ref)
	case unknown:
		r.noKeys.Add(h, r.o.Now().Add(r.o.NegativeTTL))
	}
	r.mu.Unlock()
	close(f.done)
}

package tenants

import (
	"context"
	"errors"
	"time"
)

// AddressKind is the part of a request that names the project.
type AddressKind uint8

// The kinds of address: the API key on the bare main host, <ref>.<base domain>,
// or /p/<ref> in the path.
const (
	AddressKey AddressKind = iota
	AddressHost
	AddressPath
)

// Address is the project that a request addresses, before any lookup.
type Address struct {
	Kind AddressKind
	Ref  Ref    // "" for AddressKey
	Rest string // the path without /p/<ref>; begins with a slash
}

// Router finds the tenant that a request is meant for.
type Router struct {
	Registry *Registry
	// BaseDomain is the domain that <ref>. precedes; it is itself a main host.
	// A port is ignored. Empty: no project has its own host.
	BaseDomain string
	// MainHosts are further names of the main host. When there are none, every
	// host outside the base domain counts as the main host.
	MainHosts []string
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Resolve returns the active tenant of an address. apikey is PresentedKey of
// the request, "" if it has none: then only host or path can name the project.
// Resolve refuses a key of another project, on every kind of address;
// Authenticate decides what the key may do. It returns ErrUnknownProject,
// ErrNoKey, ErrUnknownKey, ErrExpiredKey, ErrPaused, ErrCreating,
// ErrRegistryUnavailable or ctx's error. It is a *RefusedError if the project exists.
func (r *Router) Resolve(ctx context.Context, a Address, apikey string) (*Tenant, error) {
	t, err := r.resolve(ctx, a, apikey)
	if err == nil {
		err = t.Served()
	}
	return known(t, err)
}

// ResolvePaused is Resolve for what a paused project answers too: never
// ErrPaused.
func (r *Router) ResolvePaused(ctx context.Context, a Address, apikey string) (*Tenant, error) {
	t, err := r.resolve(ctx, a, apikey)
	if err == nil && !t.Status.Paused() {
		err = t.Served()
	}
	return known(t, err)
}

// known makes an error about a project that exists a RefusedError.
func known(t *Tenant, err error) (*Tenant, error) {
	switch {
	case err == nil:
		return t, nil
	case t != nil && !t.gone():
		return nil, &RefusedError{Ref: t.Ref, Err: err}
	}
	return nil, err
}

func (r *Router) resolve(ctx context.Context, a Address, apikey string) (*Tenant, error) {
	if a.Kind == AddressKey {
		return r.byKey(ctx, apikey)
	}
	t, err := r.Registry.Tenant(ctx, a.Ref)
	if err != nil || apikey == "" {
		return t, err
	}
	if t.gone() {
		return nil, ErrUnknownProject
	}
	return t, r.owns(t, apikey)
}

// byKey finds the tenant on the main host, where only the key names it.
func (r *Router) byKey(ctx context.Context, apikey string) (*Tenant, error) {
	if apikey == "" {
		return nil, ErrNoKey
	}
	if LooksLikeKey(apikey) {
		t, _, err := r.Registry.ByKey(ctx, apikey)
		return t, err
	}
	claims, ok := peekLegacyKey(apikey)
	if !ok {
		return nil, ErrUnknownKey
	}
	ref, err := ParseRef(claims.Ref)
	if err != nil {
		return nil, ErrUnknownKey
	}
	t, err := r.Registry.Tenant(ctx, ref)
	if errors.Is(err, ErrUnknownProject) {
		return nil, ErrUnknownKey
	}
	if err != nil {
		return nil, err
	}
	return t, r.owns(t, apikey)
}

// owns checks that a key of either kind belongs to the tenant.
func (r *Router) owns(t *Tenant, apikey string) error {
	if LooksLikeKey(apikey) {
		_, err := t.apiKey(r.Registry.hasher, apikey)
		return err
	}
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	_, err := t.legacyRole(apikey, now())
	return err
}

// gone reports whether the project is treated as if it did not exist.
func (t *Tenant) gone() bool {
	return t.Status != StatusActive && !t.Status.Paused() && t.Status != StatusCreating
}

// Served returns an error unless requests of the project are answered: ErrPaused,
// ErrCreating or ErrUnknownProject.
func (t *Tenant) Served() error {
	switch t.Status {
	case StatusActive:
		return nil
	case StatusPausing, StatusPaused, StatusRestoring:
		return ErrPaused
	case StatusCreating:
		return ErrCreating
	default: // failed, deleting, or a status that is newer than this process
		return ErrUnknownProject
	}
}

package tenants

import (
	"context"
	"errors"
	"time"
)

// AddressKind is what in a request names the project.
type AddressKind uint8

// The kinds of address: the API key on the bare main host, <ref>.<base domain>,
// or /p/<ref> in the path.
const (
	AddressKey AddressKind = iota
	AddressHost
	AddressPath
)

// Address is which project a request addresses, before anything is looked up.
type Address struct {
	Kind AddressKind
	Ref  Ref    // "" for AddressKey
	Rest string // the path without /p/<ref>; begins with a slash
}

// Router finds the tenant that a request is meant for.
type Router struct {
	Registry *Registry
	// BaseDomain is what <ref>. stands before; itself a main host. A port is
	// ignored. Empty: no project has a host of its own.
	BaseDomain string
	// MainHosts are further names of the main host. When there are none, every
	// host outside the base domain is taken for the main host.
	MainHosts []string
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Resolve returns the active tenant of an address. apikey is PresentedKey of the
// request, "" if it has none: then only host or path can name the project. A key
// of another project is refused here, on every kind of address; what the key may
// do is for Authenticate. It returns ErrUnknownProject, ErrNoKey, ErrUnknownKey,
// ErrExpiredKey, ErrPaused, ErrCreating, ErrRegistryUnavailable or ctx's error.
func (r *Router) Resolve(ctx context.Context, a Address, apikey string) (*Tenant, error) {
	t, err := r.resolve(ctx, a, apikey)
	if err == nil {
		err = t.served()
	}
	if err != nil {
		return nil, err
	}
	return t, nil
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

// byKey finds the tenant on the bare host, where the key alone names it.
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

// owns checks that a key of either kind is the tenant's.
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

// gone reports whether the project is to be treated as if it did not exist.
func (t *Tenant) gone() bool {
	return t.Status != StatusActive && t.Status != StatusPaused && t.Status != StatusCreating
}

// served reports whether requests of the project are answered.
func (t *Tenant) served() error {
	switch t.Status {
	case StatusActive:
		return nil
	case StatusPaused:
		return ErrPaused
	case StatusCreating:
		return ErrCreating
	default: // failed, deleting, or a status that is newer than this process
		return ErrUnknownProject
	}
}

package tenants_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// inBubble runs fn with a registry and, if asked, its Run, under a fake clock.
func inBubble(t *testing.T, src *fakeSource, o tenants.RegistryOptions, run bool, fn func(t *testing.T, r *tenants.Registry)) {
	synctest.Test(t, func(t *testing.T) {
		r := tenants.NewRegistry(src, hasher, o)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if run {
			go func() {
				if err := r.Run(ctx); err != nil {
					t.Errorf("Run: %v", err)
				}
			}()
			synctest.Wait()
		}
		fn(t, r)
	})
}

func version(t *testing.T, r *tenants.Registry, ref tenants.Ref) int64 {
	t.Helper()
	got, err := r.Tenant(t.Context(), ref)
	return must(t, got, err).Version
}

func TestRegistrySingleFlight(t *testing.T) {
	t.Parallel()
	a := newProject(refA)

	t.Run("thousand callers cause one load and one lookup", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource(a.Tenant)
		inBubble(t, src, tenants.RegistryOptions{}, false, func(t *testing.T, r *tenants.Registry) {
			src.hold = make(chan struct{}) // of the bubble
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() {
					if got, _, err := r.ByKey(t.Context(), a.publishable); err != nil || got != a.Tenant {
						t.Errorf("ByKey = %v, %v", got, err)
					}
				})
				wg.Go(func() {
					if got, err := r.Tenant(t.Context(), refA); err != nil || got != a.Tenant {
						t.Errorf("Tenant = %v, %v", got, err)
					}
				})
			}
			synctest.Wait()
			close(src.hold)
			wg.Wait()
			if src.loads != 1 || src.lookups != 1 {
				t.Errorf("%d loads and %d lookups, want 1 and 1", src.loads, src.lookups)
			}
		})
	})

	t.Run("first caller goes away, the others get the load", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource(a.Tenant)
		inBubble(t, src, tenants.RegistryOptions{}, false, func(t *testing.T, r *tenants.Registry) {
			src.hold = make(chan struct{}) // of the bubble
			ctx, leave := context.WithCancel(t.Context())
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { _, err := r.Tenant(ctx, refA); first <- err }()
			synctest.Wait()
			go func() { _, err := r.Tenant(t.Context(), refA); second <- err }()
			synctest.Wait()
			leave()
			wantError(t, <-first, context.Canceled)
			close(src.hold)
			if err := <-second; err != nil {
				t.Errorf("second caller: %v", err)
			}
			if src.loads != 1 {
				t.Errorf("%d loads, want 1", src.loads)
			}
		})
	})

	t.Run("load that never ends is given up", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource(a.Tenant)
		inBubble(t, src, tenants.RegistryOptions{}, false, func(t *testing.T, r *tenants.Registry) {
			src.hold = make(chan struct{}) // of the bubble
			_, err := r.Tenant(t.Context(), refA)
			wantError(t, err, tenants.ErrRegistryUnavailable)
			wantError(t, err, context.DeadlineExceeded)
		})
	})
}

func TestRegistryStaleLoad(t *testing.T) {
	t.Parallel()
	a := newProject(refA).Tenant
	for name, cached := range map[string]bool{"first load": false, "reload": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := newFakeSource(a)
			inBubble(t, src, tenants.RegistryOptions{}, true, func(t *testing.T, r *tenants.Registry) {
				old := a
				if cached {
					version(t, r, refA)
					old = next(a)
					src.put(old)
				}
				slow := make(chan struct{})
				src.set(func(s *fakeSource) { s.hold = slow })
				before := make(chan int64, 1)
				go func() { before <- version(t, r, refA) }()
				synctest.Wait() // the load has read the old version and blocks

				src.set(func(s *fakeSource) { s.hold = nil })
				src.put(next(old))
				if got := version(t, r, refA); got != old.Version+1 {
					t.Errorf("asked after the change: version %d, want %d", got, old.Version+1)
				}
				close(slow)
				if got := <-before; got != old.Version {
					t.Errorf("asked before the change: version %d, want %d", got, old.Version)
				}
				if got := version(t, r, refA); got != old.Version+1 {
					t.Errorf("the slow load overwrote the cache: version %d, want %d", got, old.Version+1)
				}
			})
		})
	}

	t.Run("project created while it was found missing", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource()
		inBubble(t, src, tenants.RegistryOptions{}, true, func(t *testing.T, r *tenants.Registry) {
			slow := make(chan struct{})
			src.set(func(s *fakeSource) { s.hold = slow })
			missed := make(chan error, 1)
			go func() { _, err := r.Tenant(t.Context(), refA); missed <- err }()
			synctest.Wait()
			src.set(func(s *fakeSource) { s.hold = nil })
			src.put(a)
			close(slow)
			wantError(t, <-missed, tenants.ErrUnknownProject)
			if got := version(t, r, refA); got != 1 {
				t.Errorf("version %d, want 1", got)
			}
		})
	})

	t.Run("polling the same change again does not disturb a slow load", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource()
		inBubble(t, src, tenants.RegistryOptions{}, true, func(t *testing.T, r *tenants.Registry) {
			src.put(a)
			time.Sleep(time.Second) // polled
			slow := make(chan struct{})
			src.set(func(s *fakeSource) { s.hold = slow })
			time.AfterFunc(3*time.Second, func() { close(slow) })
			version(t, r, refA)
			version(t, r, refA)
			if got := src.loadCount(); got != 1 {
				t.Errorf("%d loads, want 1", got)
			}
		})
	})
}

func TestRegistryNegative(t *testing.T) {
	t.Parallel()
	unknown := tenants.NewKey(tenants.KeySecret)

	t.Run("unknown ref and key are remembered for two seconds", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource()
		inBubble(t, src, tenants.RegistryOptions{}, false, func(t *testing.T, r *tenants.Registry) {
			ask := func() {
				t.Helper()
				for range 10 {
					_, err := r.Tenant(t.Context(), refA)
					wantError(t, err, tenants.ErrUnknownProject)
					_, _, err = r.ByKey(t.Context(), unknown)
					wantError(t, err, tenants.ErrUnknownKey)
				}
			}
			ask()
			if src.loads != 1 || src.lookups != 1 {
				t.Errorf("%d loads and %d lookups, want 1 and 1", src.loads, src.lookups)
			}
			time.Sleep(2 * time.Second)
			ask()
			if src.loads != 2 || src.lookups != 2 {
				t.Errorf("later %d loads and %d lookups, want 2 and 2", src.loads, src.lookups)
			}
		})
	})

	t.Run("malformed keys are never looked up", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource()
		r := tenants.NewRegistry(src, hasher, tenants.RegistryOptions{})
		for _, key := range []string{"", "sb_secret_", unknown[:len(unknown)-1] + "!", unknown + "x", "eyJhbGciOiJub25lIn0.e30."} {
			_, _, err := r.ByKey(t.Context(), key)
			wantError(t, err, tenants.ErrUnknownKey)
		}
		if src.lookups != 0 {
			t.Errorf("%d lookups, want none", src.lookups)
		}
	})

	t.Run("memory of unknown refs is bounded and spares the known", func(t *testing.T) {
		t.Parallel()
		a := newProject(refA)
		src := newFakeSource(a.Tenant)
		r := tenants.NewRegistry(src, hasher, tenants.RegistryOptions{MaxTenants: 2, MaxNegatives: 2})
		version(t, r, refA)
		first := tenants.NewRef()
		for _, ref := range []tenants.Ref{first, tenants.NewRef(), tenants.NewRef(), first} {
			_, err := r.Tenant(t.Context(), ref)
			wantError(t, err, tenants.ErrUnknownProject)
		}
		version(t, r, refA)
		if src.loads != 5 { // the known one once, and the first unknown one twice
			t.Errorf("%d loads, want 5", src.loads)
		}
	})
}

func TestRegistryBound(t *testing.T) {
	t.Parallel()
	src := newFakeSource()
	refs := make([]tenants.Ref, 5)
	for i := range refs {
		refs[i] = tenants.NewRef()
		src.put(newProject(refs[i]).Tenant)
	}
	r := tenants.NewRegistry(src, hasher, tenants.RegistryOptions{MaxTenants: 3})
	var evicted []tenants.Ref
	r.OnChange(func(old, now *tenants.Tenant) {
		if now != nil {
			t.Errorf("replacement of %s", old.Ref)
		}
		evicted = append(evicted, old.Ref)
	})
	for _, ref := range []tenants.Ref{refs[0], refs[1], refs[2], refs[0], refs[3], refs[0], refs[4]} {
		version(t, r, ref)
	}
	if want := []tenants.Ref{refs[1], refs[2]}; !slices.Equal(evicted, want) {
		t.Errorf("evicted %v, want the least recently used %v", evicted, want)
	}
	if src.loads != 5 {
		t.Errorf("%d loads, want 5", src.loads)
	}
}

func TestRegistryObservers(t *testing.T) {
	t.Parallel()
	a := newProject(refA).Tenant
	src := newFakeSource(a)
	inBubble(t, src, tenants.RegistryOptions{}, true, func(t *testing.T, r *tenants.Registry) {
		var heard []string
		name := func(t *tenants.Tenant) string {
			if t == nil {
				return "none"
			}
			return fmt.Sprint(t.Version)
		}
		r.OnChange(func(old, now *tenants.Tenant) {
			heard = append(heard, name(old)+">"+name(now))
			if _, err := r.Tenant(t.Context(), old.Ref); now != nil && err != nil {
				t.Errorf("an observer may ask the registry: %v", err)
			}
		})
		version(t, r, refA)
		a = next(a)
		src.put(a)
		version(t, r, refA)
		version(t, r, refA)
		time.Sleep(2 * time.Second)
		src.drop(refA)
		_, err := r.Tenant(t.Context(), refA)
		wantError(t, err, tenants.ErrUnknownProject)
		if want := []string{"1>2", "2>none"}; !slices.Equal(heard, want) {
			t.Errorf("heard %v, want %v", heard, want)
		}
	})
}

// TestRegistryFollows changes a project and checks two replicas a second later,
// with announcements and without.
func TestRegistryFollows(t *testing.T) {
	t.Parallel()
	type replica = *tenants.Registry
	cases := map[string]struct {
		change func(p project) *tenants.Tenant
		check  func(t *testing.T, r replica, p project)
	}{
		"revoked key": {
			change: func(p project) *tenants.Tenant {
				return next(p.Tenant, func(t *tenants.Tenant) { delete(t.APIKeys, hasher.Hash(p.secret)) })
			},
			check: func(t *testing.T, r replica, p project) {
				_, _, err := r.ByKey(t.Context(), p.secret)
				wantError(t, err, tenants.ErrUnknownKey)
				_, _, err = r.ByKey(t.Context(), p.publishable)
				wantError(t, err, nil)
			},
		},
		"changed setting": {
			change: func(p project) *tenants.Tenant {
				return next(p.Tenant, func(t *tenants.Tenant) { t.Config.DisableSignup = true })
			},
			check: func(t *testing.T, r replica, p project) {
				if got, _, err := r.ByKey(t.Context(), p.publishable); err != nil || !got.Config.DisableSignup {
					t.Errorf("signup is still open (%v)", err)
				}
			},
		},
		"paused project": {
			change: func(p project) *tenants.Tenant { return next(p.Tenant, status(tenants.StatusPaused)) },
			check: func(t *testing.T, r replica, p project) {
				rt := &tenants.Router{Registry: r}
				_, err := rt.Resolve(t.Context(), tenants.Address{}, p.publishable)
				wantError(t, err, tenants.ErrPaused)
			},
		},
	}
	for name, c := range cases {
		for _, mute := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, announcements lost: %v", name, mute), func(t *testing.T) {
				t.Parallel()
				p, other := newProject(refA), newProject(refB)
				src := newFakeSource(p.Tenant, other.Tenant)
				src.mute = mute
				inBubble(t, src, tenants.RegistryOptions{}, true, func(t *testing.T, one *tenants.Registry) {
					two := tenants.NewRegistry(src, hasher, tenants.RegistryOptions{
						Now: func() time.Time { return time.Now().Add(time.Hour) }, // its clock is wrong
					})
					go func() { _ = two.Run(t.Context()) }()
					ctx := t.Context()
					for _, r := range []replica{one, two} {
						for _, key := range []string{p.secret, p.publishable, other.secret} {
							_, _, err := r.ByKey(ctx, key)
							wantError(t, err, nil)
						}
					}
					time.Sleep(time.Minute)
					loads := src.loadCount()
					src.put(c.change(p))
					if mute {
						time.Sleep(time.Second)
					}
					for _, r := range []replica{one, two} {
						c.check(t, r, p)
						_, _, err := r.ByKey(ctx, other.secret)
						wantError(t, err, nil)
					}
					if got := src.loadCount() - loads; got != 2 {
						t.Errorf("%d loads after the change, want one in each replica", got)
					}
				})
			})
		}
	}
}

func TestRegistryNewKeyIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	p := newProject(refA)
	src := newFakeSource(p.Tenant)
	r := tenants.NewRegistry(src, hasher, tenants.RegistryOptions{}) // receives no announcements
	version(t, r, refA)
	key := tenants.NewKey(tenants.KeySecret)
	src.put(next(p.Tenant, func(t *tenants.Tenant) {
		t.APIKeys[hasher.Hash(key)] = tenants.APIKey{ID: "new", Type: tenants.KeySecret}
	}))
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if got, k, err := r.ByKey(t.Context(), key); err != nil || k.ID != "new" || got.Version != 2 {
				t.Errorf("ByKey = %v, %v", k, err)
			}
		})
	}
	wg.Wait()
	if got := src.loadCount(); got != 2 {
		t.Errorf("%d loads, want 2", got)
	}
}

func TestRegistrySourceDown(t *testing.T) {
	t.Parallel()
	a, b := newProject(refA), newProject(refB)

	t.Run("cached goes on, uncached is unavailable, then recovers", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource(a.Tenant, b.Tenant)
		inBubble(t, src, tenants.RegistryOptions{}, true, func(t *testing.T, r *tenants.Registry) {
			_, _, err := r.ByKey(t.Context(), a.secret)
			wantError(t, err, nil)
			src.goDown()
			time.Sleep(10 * time.Minute)
			got, _, err := r.ByKey(t.Context(), a.secret)
			if got != a.Tenant || err != nil {
				t.Errorf("cached project: %v", err)
			}
			for _, ask := range []func() error{
				func() error { _, err := r.Tenant(t.Context(), refB); return err },
				func() error { _, _, err := r.ByKey(t.Context(), b.secret); return err },
			} {
				err := ask()
				wantError(t, err, errDown)
				var f *fault.Error
				if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
					t.Errorf("got %#v, want Unavailable with RetryAfter", f)
				}
			}
			// Changed while no announcement could arrive, long before the poll
			// window.
			src.set(func(s *fakeSource) { s.tenants[refA], s.changedAt[refA] = next(a.Tenant), time.Now() })
			time.Sleep(10 * time.Minute)
			src.set(func(s *fakeSource) { s.down = false })
			time.Sleep(time.Second)
			if got := version(t, r, refA); got != 2 {
				t.Errorf("version %d after the source came back, want 2", got)
			}
			if got := version(t, r, refB); got != 1 {
				t.Errorf("version %d, want 1", got)
			}
		})
	})

	t.Run("a snapshot known to be outdated is not served", func(t *testing.T) {
		t.Parallel()
		src := newFakeSource(a.Tenant)
		r := tenants.NewRegistry(src, hasher, tenants.RegistryOptions{})
		version(t, r, refA)
		r.Changed(tenants.Change{Ref: refA, Version: 2})
		src.goDown()
		_, err := r.Tenant(t.Context(), refA)
		wantError(t, err, tenants.ErrRegistryUnavailable)
	})
}

func TestRegistryReconnect(t *testing.T) {
	t.Parallel()
	a, b, gone := newProject(refA).Tenant, newProject(refB).Tenant, newProject(tenants.NewRef()).Tenant
	a.Version = 7
	src := newFakeSource(a, b, gone)
	inBubble(t, src, tenants.RegistryOptions{}, true, func(t *testing.T, r *tenants.Registry) {
		var left []tenants.Ref
		r.OnChange(func(old, now *tenants.Tenant) {
			if now == nil {
				left = append(left, old.Ref)
			}
		})
		for _, ref := range []tenants.Ref{refA, refB, gone.Ref} {
			version(t, r, ref)
		}
		time.Sleep(time.Minute)
		src.goDown()
		time.Sleep(time.Minute)
		restored := *a
		restored.Version = 5 // from a backup
		src.set(func(s *fakeSource) {
			s.tenants[refA], s.down = &restored, false
			s.changedAt[refA] = time.Time{}.Add(1)
			delete(s.tenants, gone.Ref)
		})
		full := src.count(func(s *fakeSource) int { return s.fullPolls })
		time.Sleep(10 * time.Second)
		if got := src.count(func(s *fakeSource) int { return s.fullPolls }); got <= full {
			t.Error("nothing was compared after the connection came back")
		}
		if got := version(t, r, refA); got != 5 {
			t.Errorf("version %d, want 5", got)
		}
		if !slices.Equal(left, []tenants.Ref{gone.Ref}) {
			t.Errorf("left the cache: %v, want the deleted project", left)
		}
		loads := src.loadCount()
		version(t, r, refB)
		if src.loadCount() != loads {
			t.Error("an unchanged project was loaded again")
		}
		src.put(next(b))
		if got := version(t, r, refB); got != 2 {
			t.Errorf("version %d after an announcement on the new connection, want 2", got)
		}
	})
}

func TestRegistryRefusesAnotherProjectsData(t *testing.T) {
	t.Parallel()
	src := newFakeSource()
	src.tenants[refA] = newProject(refB).Tenant
	r := tenants.NewRegistry(src, hasher, tenants.RegistryOptions{})
	if got, err := r.Tenant(t.Context(), refA); got != nil || err == nil {
		t.Errorf("Tenant(A) = %v, %v: want a refusal", got, err)
	}
}

package password

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/scrypt"

	"github.com/reevehq/reeve/tenants"
)

func encodeArgon2id(a argon2Hash, password string) string {
	key := argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.lanes, 32)
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", a.memory, a.time, a.lanes,
		base64.RawStdEncoding.EncodeToString(a.salt), base64.RawStdEncoding.EncodeToString(key))
}

func encodeFirebase(t *testing.T, f firebaseHash, password string) string {
	t.Helper()
	key, err := scrypt.Key([]byte(password), f.salt, 1<<f.logN, f.r, f.p, aes256Key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	f.hash = make([]byte, len(f.signerKey))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(f.hash, f.signerKey)
	if !f.matches(password) {
		t.Fatal("the hash does not match its own password")
	}
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$fbscrypt$v=1,n=%d,r=%d,p=%d,sk=%s$%s$%s", f.logN, f.r, f.p, b64(f.signerKey), b64(f.salt), b64(f.hash))
}

// waitIn starts a call that enters and leaves, and returns when n calls of the
// project wait; the channel closes when the call is through.
func waitIn(t *testing.T, g *Gate, ref tenants.Ref, n int) <-chan struct{} {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		leave, err := g.Enter(context.Background(), ref)
		if err != nil {
			t.Errorf("Enter: %v", err)
			return
		}
		leave()
	}()
	for g.Waiting(ref) < n {
		select {
		case <-done:
			t.Fatal("the call did not wait")
		default:
		}
	}
	return done
}

// A loud project with many calls waiting delays a quiet one by one call.
func TestGate_round_robin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(1, 100)
		first, err := g.Enter(t.Context(), "loud")
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []string
		call := func(ref tenants.Ref, n int) {
			go func() {
				leave, err := g.Enter(t.Context(), ref)
				if err != nil {
					t.Errorf("%s %d: %v", ref, n, err)
					return
				}
				mu.Lock()
				order = append(order, fmt.Sprint(ref, n))
				mu.Unlock()
				leave()
			}()
			synctest.Wait()
		}
		for n := range 4 {
			call("loud", n)
		}
		call("quiet", 0)
		call("quiet", 1)
		call("third", 0)
		if len(order) != 0 {
			t.Fatalf("admitted while the slot was taken: %v", order)
		}
		first()
		first() // leaving twice frees one slot
		synctest.Wait()
		want := []string{"loud0", "quiet0", "third0", "loud1", "quiet1", "loud2", "loud3"}
		if !slices.Equal(order, want) {
			t.Errorf("order = %v, want %v", order, want)
		}
		assertIdle(t, g, 1)
	})
}

func TestGate_slots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(3, 100)
		var mu sync.Mutex
		running, most, done := 0, 0, 0
		step := make(chan struct{})
		for i := range 30 {
			go func() {
				leave, err := g.Enter(t.Context(), tenants.Ref(fmt.Sprint(i%4)))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				<-step
				mu.Lock()
				running--
				done++
				mu.Unlock()
				leave()
			}()
		}
		for range 30 {
			synctest.Wait()
			if running > 3 {
				t.Fatalf("%d at once", running)
			}
			step <- struct{}{}
		}
		synctest.Wait()
		if most != 3 || done != 30 {
			t.Errorf("most = %d, done = %d, want 3 and 30", most, done)
		}
		assertIdle(t, g, 3)
	})
}

func TestGate_full_queue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(1, 2)
		leave, err := g.Enter(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		a, b := waitIn(t, g, project, 1), waitIn(t, g, project, 2)
		if _, err := g.Enter(t.Context(), project); !errors.Is(err, ErrBusy) {
			t.Errorf("third call: %v, want ErrBusy", err)
		}
		c := waitIn(t, g, other, 1) // another project's queue has room
		leave()
		<-a
		<-b
		<-c
		assertIdle(t, g, 1)
	})
}

func TestGate_cancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(1, 2)
		leave, err := g.Enter(t.Context(), project)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := g.Enter(ctx, project)
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("Enter = %v, want context.Canceled", err)
		}
		if n := g.Waiting(project); n != 0 {
			t.Errorf("%d still wait", n)
		}
		if _, err := g.Enter(ctx, project); !errors.Is(err, context.Canceled) {
			t.Errorf("Enter with a dead context = %v", err)
		}
		leave()
		assertIdle(t, g, 1)
	})
}

// Concurrent admission and cancellation lose no slot.
func TestGate_cancel_races_admission(t *testing.T) {
	t.Parallel()
	g := NewGate(1, 100)
	for range 500 {
		leave, err := g.Enter(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				if leave, err := g.Enter(ctx, tenants.Ref(fmt.Sprint(i%2))); err == nil {
					leave()
				}
			})
		}
		wg.Go(leave)
		wg.Go(cancel)
		wg.Wait()
	}
	assertIdle(t, g, 1)
}

// assertIdle checks that all slots are free and no project is recorded.
func assertIdle(t *testing.T, g *Gate, slots int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
	if g.free != slots || len(g.shares) != 0 {
		t.Errorf("free = %d, shares = %d, want %d, 0", g.free, len(g.shares), slots)
	}
}

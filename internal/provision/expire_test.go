package provision

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
)

// later makes the world's clock so much later.
func (w *world) later(by time.Duration) {
	now := w.Now
	w.Now = func() time.Time { return now().Add(by) }
}

func TestExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustWarm(t)
	short := w.mustCreate(t, NewProject{TTL: time.Minute}).Project
	if short.ExpiresAt == nil {
		t.Fatal("it does not expire")
	}
	extended, long := w.mustCreate(t, NewProject{TTL: time.Minute}).Project, w.mustCreate(t, NewProject{TTL: time.Hour}).Project
	stays := w.mustCreate(t, NewProject{}).Project
	if err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.checkServed(t, short.Ref)
	if err := w.Control.Tx(t.Context(), func(tx *controldb.Tx) error {
		return tx.ExtendProject(t.Context(), extended.Ref, w.Now().Add(time.Hour))
	}); err != nil {
		t.Fatal(err)
	}
	w.later(2 * time.Minute)
	// Replicas look at the same time.
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := w.Expire(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.checkGone(t, short.Ref)
	w.checkBuried(t, short.Ref)
	for _, p := range []controldb.Project{extended, long, stays} {
		w.checkServed(t, p.Ref)
	}
}

// TestExpirePlatform: neither code nor database lets the platform project expire.
func TestExpirePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Create(t.Context(), NewProject{OrganizationID: w.org, Name: "x", Platform: true, TTL: time.Hour}); err == nil {
		t.Error("a platform project was created with a time to live")
	}
}

// TestExpireInterrupted: a process that is killed after it marked projects leaves
// no project behind.
func TestExpireInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.mustCreate(t, NewProject{TTL: time.Minute}).Project.Ref, w.mustCreate(t, NewProject{TTL: time.Minute}).Project.Ref
	w.later(2 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	w.After = func(step string) {
		if step == "expire" {
			cancel()
		}
	}
	if err := w.Expire(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("Expire = %v", err)
	}
	w.After = nil
	w.mayRetry(t)
	w.recoverAll(t)
	if err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.checkGone(t, a)
	w.checkGone(t, b)
}

// TestExpireThousand: many expired rows, most without a database of their own to
// save time, do not stop one another.
func TestExpireThousand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	real := w.mustCreate(t, NewProject{TTL: time.Hour}).Project.Ref
	_, err := w.Control.Pool().Exec(t.Context(), `
		WITH refs AS (SELECT translate(lpad(n::text, 20, '0'), '0123456789', 'abcdefghij') AS ref FROM generate_series(1, 1000) n),
		made AS (INSERT INTO databases (ref, cluster_id, state) SELECT ref, 'test', 'assigned' FROM refs RETURNING ref)
		INSERT INTO projects (ref, organization_id, name, status, expires_at)
		SELECT ref, $1, 'x', 'active', '2000-01-01' FROM made`, w.org)
	if err != nil {
		t.Fatal(err)
	}
	w.later(2 * time.Hour)
	if err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.checkGone(t, real)
	var left int
	err = w.Control.Pool().QueryRow(t.Context(), "SELECT count(*) FROM projects WHERE deleted_at IS NULL").Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d are left, %v", left, err)
	}
}

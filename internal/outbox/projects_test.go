package outbox_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/outbox"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/testkit"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

const (
	mails = outbox.Kind("email")
	hooks = outbox.Kind("webhook")
)

// environment is two projects with their databases, and a control database.
type environment struct {
	*flowtest.Fixture
	control *controldb.DB
}

func newEnvironment(t *testing.T) *environment {
	t.Helper()
	keyring, err := secret.NewKeyring(secret.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	control, err := controldb.Open(t.Context(), testkit.Database(t), keyring, controldb.Options{
		ProjectURL: func(tenants.Ref) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(control.Close)
	if err := control.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &environment{flowtest.New(t), control}
}

func (w *environment) project(ref tenants.Ref) *flowtest.Project {
	if ref == w.A.Tenant().Ref {
		return w.A
	}
	return w.B
}

// dispatcher returns the Dispatcher of another process.
func (w *environment) dispatcher() *outbox.Dispatcher {
	return &outbox.Dispatcher{Marks: marks{w.control}, Store: outbox.Projects{
		Tenant:   func(_ context.Context, ref tenants.Ref) (*tenants.Tenant, error) { return w.project(ref).Tenant(), nil },
		Database: func(t *tenants.Tenant) *tenantdb.DB { return w.project(t.Ref).DB },
	}}
}

// put adds a row in a transaction, as a flow does, and returns its id. The queue is
// nil for a kind without a consumer.
func (w *environment) put(t *testing.T, q *outbox.Queue, p *flowtest.Project, kind outbox.Kind, payload string) uuid.UUID {
	t.Helper()
	ctx, id := context.Background(), uuid.New()
	if q != nil {
		if err := q.Prepare(ctx, p.Tenant().Ref); err != nil {
			t.Fatal(err)
		}
	}
	sealed, err := outbox.Seal(p.Tenant(), id, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	err = p.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.Enqueue(ctx, id, string(kind), sealed) })
	if err != nil {
		t.Fatal(err)
	}
	if q != nil {
		q.Wake(p.Tenant().Ref)
	}
	return id
}

// marks implements Marks in the control database.
type marks struct{ db *controldb.DB }

func (m marks) Mark(ctx context.Context, ref tenants.Ref, kind outbox.Kind) error {
	return m.db.MarkOutbox(ctx, ref, string(kind))
}

func (m marks) Marked(ctx context.Context, kind outbox.Kind) ([]tenants.Ref, error) {
	return m.db.MarkedOutboxes(ctx, string(kind), 100)
}

func (m marks) Unmark(ctx context.Context, ref tenants.Ref, kind outbox.Kind, olderThan time.Duration) error {
	return m.db.UnmarkOutbox(ctx, ref, string(kind), olderThan)
}

// receiver is a Consumer that records the delivered payloads.
type receiver struct {
	mu   sync.Mutex
	rows map[uuid.UUID][]string
	act  func(ctx context.Context) error // called before a row is accepted
}

func (r *receiver) Open(context.Context, tenants.Ref) (outbox.Deliver, error) {
	return func(ctx context.Context, row outbox.Row) error {
		if r.act != nil {
			if err := r.act(ctx); err != nil {
				return err
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.rows == nil {
			r.rows = map[uuid.UUID][]string{}
		}
		r.rows[row.ID] = append(r.rows[row.ID], string(row.Payload))
		return nil
	}, nil
}

func (r *receiver) got(id uuid.UUID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rows[id]
}

// start runs a dispatcher until the test ends or stop is called.
func start(t *testing.T, d *outbox.Dispatcher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// A consumer that blocks does not delay rows of another kind in the same projects.
func TestBlockedKindDoesNotDelayAnother(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t)
	d := w.dispatcher()
	var blocked atomic.Int32
	stuck := &receiver{act: func(ctx context.Context) error {
		blocked.Add(1)
		<-ctx.Done()
		return ctx.Err()
	}}
	letters := &receiver{}
	hookQueue := d.Register(hooks, stuck, outbox.Options{Workers: 1, StopGrace: time.Millisecond})
	mailQueue := d.Register(mails, letters, outbox.Options{Workers: 1})
	projects := []*flowtest.Project{w.A, w.B}
	for _, p := range projects {
		for range 30 { // more than a batch, and all due before the mails
			w.put(t, hookQueue, p, hooks, "hook")
		}
	}
	stop := start(t, d)
	eventually(t, "a webhook blocks", func() bool { return blocked.Load() > 0 })
	for _, p := range projects {
		for range 15 {
			id := w.put(t, mailQueue, p, mails, "mail")
			eventually(t, "the mail arrives", func() bool { return len(letters.got(id)) == 1 })
		}
	}
	stop()
	for _, p := range projects {
		if n := p.Count(t, "SELECT count(*) FROM reeve.outbox WHERE kind = 'webhook' AND dead_at IS NULL"); n != 30 {
			t.Errorf("%d webhooks wait, want 30", n)
		}
		if n := p.Count(t, "SELECT count(*) FROM reeve.outbox WHERE kind = 'email'"); n != 0 {
			t.Errorf("%d mails wait", n)
		}
	}
	// Each kind has its own mark: the empty queue of mails removes only its own.
	for kind, want := range map[outbox.Kind]int{mails: 0, hooks: 2} {
		for _, p := range projects {
			if kind == mails {
				if err := w.control.UnmarkOutbox(t.Context(), p.Tenant().Ref, string(kind), 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if refs, err := w.control.MarkedOutboxes(t.Context(), string(kind), 10); err != nil || len(refs) != want {
			t.Errorf("%s: %v, %v", kind, refs, err)
		}
	}
}

// disconnectedStore is the Store of a killed process: after the kill its writes
// have no effect.
type disconnectedStore struct {
	outbox.Store
	killed *atomic.Bool
}

var errKilled = errors.New("killed")

func (s disconnectedStore) Done(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	if s.killed.Load() {
		return errKilled
	}
	return s.Store.Done(ctx, ref, id)
}

func (s disconnectedStore) Release(ctx context.Context, ref tenants.Ref, id uuid.UUID, delay time.Duration) error {
	if s.killed.Load() {
		return errKilled
	}
	return s.Store.Release(ctx, ref, id, delay)
}

// Rows that a killed process had claimed are delivered by another process after the
// end of the lease with the same id, whether they were delivered before or not.
func TestKillBetweenClaimAndDoneDeliversAgain(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t)
	options := outbox.Options{Lease: 2 * time.Second, Timeout: time.Second, SweepEvery: 100 * time.Millisecond, StopGrace: time.Millisecond}
	var killed atomic.Bool
	first := w.dispatcher()
	first.Store = disconnectedStore{first.Store, &killed}
	taken := make(chan struct{}, 2)
	before := &receiver{}
	before.act = func(context.Context) error {
		killed.Store(true) // before it calls Done
		taken <- struct{}{}
		return nil
	}
	queue := first.Register(hooks, before, options)
	ids := []uuid.UUID{w.put(t, queue, w.A, hooks, "one"), w.put(t, queue, w.A, hooks, "two")}
	stop := start(t, first)
	<-taken
	stop()

	after := &receiver{}
	second := w.dispatcher()
	second.Register(hooks, after, options)
	start(t, second) // it is not woken, but finds the mark
	for i, id := range ids {
		eventually(t, "delivery by the next process", func() bool { return len(after.got(id)) == 1 })
		if got, want := after.got(id)[0], []string{"one", "two"}[i]; got != want {
			t.Errorf("payload %q, want %q", got, want)
		}
	}
	eventually(t, "the rows are removed", func() bool { return w.A.Count(t, "SELECT count(*) FROM reeve.outbox") == 0 })
	if len(before.got(ids[0])) != 1 {
		t.Error("the first process delivered nothing before it was killed")
	}
}

// Rows of a kind that only a newer release knows stay until there is a consumer.
func TestUnknownKindsAreNotTouched(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t)
	d := w.dispatcher()
	letters := &receiver{}
	queue := d.Register(mails, letters, outbox.Options{SweepEvery: 20 * time.Millisecond})
	newer := w.put(t, nil, w.A, "carrier pigeon", "coo")
	known := w.put(t, queue, w.A, mails, "mail")
	stop := start(t, d)
	eventually(t, "the mail arrives", func() bool { return len(letters.got(known)) == 1 })
	time.Sleep(200 * time.Millisecond) // several sweeps
	stop()
	if n := w.A.Count(t, "SELECT count(*) FROM reeve.outbox WHERE id = $1 AND attempts = 0 AND locked_until IS NULL AND dead_at IS NULL", newer); n != 1 {
		t.Error("a row of an unknown kind was touched")
	}
	pigeons := &receiver{}
	next := w.dispatcher()
	late := next.Register("carrier pigeon", pigeons, outbox.Options{SweepEvery: 20 * time.Millisecond})
	if err := late.Prepare(t.Context(), w.A.Tenant().Ref); err != nil {
		t.Fatal(err)
	}
	start(t, next)
	eventually(t, "it is delivered by a release that knows it", func() bool { return len(pigeons.got(newer)) == 1 })
}

func TestOneConsumerPerKind(t *testing.T) {
	t.Parallel()
	d := &outbox.Dispatcher{}
	d.Register(mails, &receiver{}, outbox.Options{})
	d.Register(mails, &receiver{}, outbox.Options{})
	if err := d.Run(t.Context()); err == nil {
		t.Error("Run accepted two consumers of one kind")
	}
}

package outbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

var errDown = errors.New("database is down")

func project(letter string) tenants.Ref {
	return tenants.Ref(strings.Repeat(letter, tenants.RefLength))
}

// memory implements Store and Marks for all projects in memory, with leases. It
// outlives the queues, as a database outlives a process.
type memory struct {
	mu       sync.Mutex
	rows     map[tenants.Ref][]*memoryRow
	marks    map[tenants.Ref]time.Time
	markings int // calls of Mark
	claims   map[tenants.Ref]int

	doneErr, markErr error
	gone             map[tenants.Ref]bool
}

type memoryRow struct {
	Row
	due    time.Time
	leased time.Time
	state  string // pending done dead
	reason string
}

func newMemory() *memory {
	return &memory{
		rows: map[tenants.Ref][]*memoryRow{}, marks: map[tenants.Ref]time.Time{},
		claims: map[tenants.Ref]int{}, gone: map[tenants.Ref]bool{},
	}
}

// with runs f under the lock.
func (o *memory) with(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// add inserts n rows into a project's outbox, as a committed transaction would.
func (o *memory) add(ref tenants.Ref, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for range n {
		id := uuid.New()
		o.rows[ref] = append(o.rows[ref], &memoryRow{state: "pending", due: time.Now(), Row: Row{
			ID: id, CreatedAt: time.Now(), Payload: []byte("hello"),
		}})
	}
}

func (o *memory) Claim(ctx context.Context, ref tenants.Ref, _ Kind, limit int, lease time.Duration) ([]Row, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claims[ref]++
	if o.gone[ref] {
		return nil, fault.New(fault.NotFound, "project_not_found", "Project not found")
	}
	var out []Row
	now := time.Now()
	for _, r := range o.rows[ref] {
		if r.state == "pending" && !r.due.After(now) && !r.leased.After(now) && len(out) < limit {
			r.leased = now.Add(lease)
			out = append(out, r.Row)
		}
	}
	return out, ctx.Err()
}

func (o *memory) change(ctx context.Context, ref tenants.Ref, id uuid.UUID, f func(*memoryRow)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows[ref] {
		if r.ID == id && r.state == "pending" && ctx.Err() == nil {
			f(r)
		}
	}
	return ctx.Err()
}

func (o *memory) Done(ctx context.Context, ref tenants.Ref, id uuid.UUID) error {
	var down error
	o.with(func() { down = o.doneErr })
	if down != nil {
		return down
	}
	return o.change(ctx, ref, id, func(r *memoryRow) { r.state = "done" })
}

func (o *memory) Retry(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string, delay time.Duration) error {
	return o.change(ctx, ref, id, func(r *memoryRow) {
		r.reason, r.leased, r.due = reason, time.Time{}, time.Now().Add(delay)
		r.Attempts++
	})
}

func (o *memory) Release(ctx context.Context, ref tenants.Ref, id uuid.UUID, delay time.Duration) error {
	return o.change(ctx, ref, id, func(r *memoryRow) { r.leased, r.due = time.Time{}, time.Now().Add(delay) })
}

func (o *memory) Dead(ctx context.Context, ref tenants.Ref, id uuid.UUID, reason string) error {
	return o.change(ctx, ref, id, func(r *memoryRow) { r.state, r.reason = "dead", reason })
}

func (o *memory) Pending(_ context.Context, ref tenants.Ref, _ Kind) (n int, next time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows[ref] {
		if r.state == "pending" {
			n++
			next = r.due
		}
	}
	return n, next, nil
}

func (o *memory) Mark(_ context.Context, ref tenants.Ref, _ Kind) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.markings++
	if o.markErr == nil {
		o.marks[ref] = time.Now()
	}
	return o.markErr
}

func (o *memory) Marked(context.Context, Kind) ([]tenants.Ref, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []tenants.Ref
	for ref := range o.marks {
		out = append(out, ref)
	}
	slices.SortFunc(out, func(a, b tenants.Ref) int { return cmp.Compare(a, b) })
	return out, nil
}

func (o *memory) Unmark(_ context.Context, ref tenants.Ref, _ Kind, olderThan time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.marks[ref]) >= olderThan {
		delete(o.marks, ref)
	}
	return nil
}

// states counts a project's rows by state.
func (o *memory) states(ref tenants.Ref) map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]int{}
	for _, r := range o.rows[ref] {
		out[r.state]++
	}
	return out
}

// attempts sums the attempts of a project's rows.
func (o *memory) attempts(ref tenants.Ref) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows[ref] {
		n += r.Attempts
	}
	return n
}

func (o *memory) marked(ref tenants.Ref) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.marks[ref]
	return ok
}

// row returns a copy of a project's first row.
func (o *memory) row(ref tenants.Ref) memoryRow {
	o.mu.Lock()
	defer o.mu.Unlock()
	return *o.rows[ref][0]
}

// claimed returns the number of claims of a project's rows.
func (o *memory) claimed(ref tenants.Ref) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.claims[ref]
}

// recorder is a Consumer that records the delivered rows.
type recorder struct {
	mu   sync.Mutex
	refs []tenants.Ref
	ids  []uuid.UUID
	act  func(ctx context.Context, ref tenants.Ref) error // called before a row is accepted
	open func(ref tenants.Ref) error                      // called before a turn
}

func (p *recorder) Open(_ context.Context, ref tenants.Ref) (Deliver, error) {
	if p.open != nil {
		if err := p.open(ref); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, row Row) error {
		if p.act != nil {
			if err := p.act(ctx, ref); err != nil {
				return err
			}
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.refs, p.ids = append(p.refs, ref), append(p.ids, row.ID)
		return nil
	}, nil
}

// order returns the projects in the order of their deliveries, for example "aab"
// for two rows of a and one of b.
func (p *recorder) order() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, ref := range p.refs {
		b.WriteByte(ref[0])
	}
	return b.String()
}

func (p *recorder) sent() []uuid.UUID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ids)
}

func newQueue(o *memory, p *recorder) *Queue {
	return &Queue{Kind: "email", Consumer: p, Store: o, Marks: o}
}

// run starts d and returns a function that stops it and waits for its end.
func run(t *testing.T, d *Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// counter counts by project.
type counter struct {
	mu sync.Mutex
	n  map[tenants.Ref]int
}

// add changes a count and returns it.
func (c *counter) add(ref tenants.Ref, by int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[tenants.Ref]int{}
	}
	c.n[ref] += by
	return c.n[ref]
}

func (c *counter) get(ref tenants.Ref) int { return c.add(ref, 0) }

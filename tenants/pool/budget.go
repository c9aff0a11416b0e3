// Package pool owns the connections to all projects' databases: one budget, how
// projects share it, and when a connection is opened, lent, recalled and
// closed. It knows a project by its ref only. The dialer knows how to reach its
// database.
package pool

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

// Faults of a Budget. All of them mean that nothing was done and that the
// request may be repeated.
var (
	// ErrOverCapacity: the project's queue is full, or no connection came free
	// within WaitTimeout.
	ErrOverCapacity = fault.New(fault.Unavailable, "over_capacity",
		"The project's database connections are all in use").After(time.Second)
	// ErrDatabaseUnavailable: the project's database could not be reached or
	// refused the login.
	ErrDatabaseUnavailable = fault.New(fault.Unavailable, "database_unavailable",
		"The project's database is not reachable").After(time.Second)
	// ErrClosed: the process is shutting down.
	ErrClosed = fault.New(fault.Unavailable, "shutting_down",
		"The server is shutting down").After(time.Second)
)

// Dialer opens a connection to one project's database. It must give up when ctx
// ends.
type Dialer func(ctx context.Context, ref tenants.Ref) (*pgx.Conn, error)

// Options are the limits of a Budget. Zero values take the defaults.
type Options struct {
	// Total is the number of connections over all projects; 100 by default.
	Total int
	// PerTenant is the most that one project may hold; 20 by default, at most Total.
	PerTenant int
	// IdleTTL is how long a connection may lie idle before it is closed; 10 s by default.
	IdleTTL time.Duration
	// MaxWaiting is how many requests of one project may wait; further ones are
	// refused at once; 1000 by default.
	MaxWaiting int
	// WaitTimeout is how long a request waits, and how long a dial may take; 5 s by default.
	WaitTimeout time.Duration
	// MaxLifetime is the age at which a connection is closed on release; 30 min by default.
	MaxLifetime time.Duration
	// Terminate makes the server end a backend of the role at once, if it still
	// runs: code of the project's developer can outlive a cancel and the socket.
	// By default nothing does.
	Terminate func(ctx context.Context, role string, pid uint32)
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&o.Total, 100)
	orInt(&o.PerTenant, 20)
	orInt(&o.MaxWaiting, 1000)
	orTime(&o.IdleTTL, 10*time.Second)
	orTime(&o.WaitTimeout, 5*time.Second)
	orTime(&o.MaxLifetime, 30*time.Minute)
	o.PerTenant = min(o.PerTenant, o.Total)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Budget is the one connection budget over all projects' databases. Each
// project has a database and a login role of its own, so connections are never
// shared between projects; what is shared is the number of places. A place is
// taken from the start of a dial until the server has ended the connection,
// so the servers never see more than Total connections.
//
// A request gets, in this order: the project's most recently used idle
// connection; a new one, if a place is free; a new one in the place of the
// longest idle connection of another project; the next connection that is
// released, in order of arrival within the project. [Budget.nextOwner] and
// [Budget.evictable] describe how places move between projects.
//
// When a project has waited half a second without holding any place, the
// longest loan of another project is recalled, if it has lasted for seconds:
// see [Budget.recallLongest].
//
// A project without a connection and without a waiter has no entry here and no
// goroutine. One timer closes idle connections for all projects.
type Budget struct {
	dial linkDialer
	o    Options
	// ctx is the context of the dials. A dial outlives the request that caused
	// it, because the next waiter can use the connection.
	ctx    context.Context
	cancel context.CancelFunc

	mu         sync.Mutex
	shares     map[tenants.Ref]*share
	demand     demand
	idle       connList
	lent       connList
	places     int
	seq        uint64
	closed     bool
	drained    chan struct{}
	sweeper    *time.Timer
	sweepAt    time.Time // when sweeper fires, zero if it is not set
	background sync.WaitGroup

	opened, failed, evicted, recalled, refused uint64
}

// New makes a Budget that opens connections by dial.
func New(dial Dialer, o Options) *Budget {
	return newBudget(func(ctx context.Context, ref tenants.Ref) (link, error) {
		c, err := dial(ctx, ref)
		if err != nil {
			return nil, err
		}
		return pgLink{Conn: c, terminate: o.Terminate}, nil
	}, o)
}

func newBudget(dial linkDialer, o Options) *Budget {
	b := &Budget{
		dial:    dial,
		o:       o.withDefaults(),
		shares:  make(map[tenants.Ref]*share),
		drained: make(chan struct{}),
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.sweeper = time.AfterFunc(time.Hour, b.sweep)
	b.sweeper.Stop()
	return b
}

// Acquire returns a connection of the project, which the caller must Release. It
// waits if it must: the faults are ErrOverCapacity, ErrDatabaseUnavailable and
// ErrClosed; an ended ctx gives ctx.Err().
func (b *Budget) Acquire(ctx context.Context, ref tenants.Ref) (*Conn, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		now := b.o.Now()
		b.mu.Lock()
		s := b.shares[ref]
		if b.closed || s == nil || len(s.idle) == 0 {
			w, err := b.enqueue(ref, now)
			b.mu.Unlock()
			if err != nil {
				return nil, err
			}
			return b.wait(ctx, w)
		}
		c := b.unpark(s)
		b.lend(c, now)
		doubtful := now.Sub(c.idleAt) > checkAfter || c.idleAt.Before(s.brokenAt)
		b.mu.Unlock()
		if c.link.usable() && (!doubtful || c.link.alive()) {
			return &Conn{budget: b, conn: c}, nil
		}
		c.dead = true
		b.release(c)
	}
}

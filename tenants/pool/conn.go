package pool

import (
	"context"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/reevehq/reeve/tenants"
)

const (
	// checkAfter is the idle time after which a connection is checked before
	// use, because it may have died unnoticed. Before that, the check costs
	// more than the rare failure that it prevents.
	checkAfter = 5 * time.Second
	// closeTimeout bounds how long a place is kept for a server that does not
	// end a connection.
	closeTimeout = 2 * time.Second
)

// link is what the budget needs of a connection. It stands between Budget
// and pgx so that the rules of sharing can be tested without a server.
type link interface {
	usable() bool          // open, and neither busy nor in a transaction; no I/O
	broken() bool          // closed by an error
	alive() bool           // whether the server still holds its end
	interrupt()            // the server ends the connection, even while it is in use
	close(context.Context) // returns when the server has ended it, or ctx ends
}

type linkDialer func(ctx context.Context, ref tenants.Ref) (link, error)

// conn is one connection; Budget.mu guards it.
type conn struct {
	share      *share
	link       link
	gen        uint64 // share.gen when it was dialed
	dead       bool   // found dead by Acquire
	openedAt   time.Time
	idleAt     time.Time
	lentAt     time.Time
	recalledAt time.Time // when Budget.recallLongest recalled it last; zero if never
	prev, next *conn     // in Budget.idle or Budget.lent
}

// Conn is a connection lent by [Budget.Acquire]. It serves one goroutine at a
// time.
type Conn struct {
	budget *Budget
	conn   *conn
}

// Raw is the connection; it must not be used after Release, nor closed by the
// caller other than to have it discarded.
func (c *Conn) Raw() *pgx.Conn { return c.conn.link.(pgLink).Conn }

// Release returns the connection to the budget. The budget closes it if it is
// broken, busy, in a transaction, too old or forgotten, or if another project
// gets its place. A second Release does nothing.
func (c *Conn) Release() {
	// Each Acquire makes a new handle, so that a stale one cannot return a
	// connection that another request holds by now.
	if pc := c.conn; pc != nil {
		c.conn = nil
		c.budget.release(pc)
	}
}

// pgLink is the link of a real connection.
type pgLink struct {
	*pgx.Conn
	terminate func(ctx context.Context, role string, pid uint32) // may be nil
}

func (l pgLink) broken() bool { return l.IsClosed() }

func (l pgLink) usable() bool {
	p := l.PgConn()
	return !p.IsClosed() && !p.IsBusy() && p.TxStatus() == 'I'
}

func (l pgLink) alive() bool {
	return l.PgConn().CheckConn() == nil //nolint:staticcheck // Ping, preferred to it, is a round trip for each loan
}

// close waits for the server's end of the connection, which pgx's Close does
// not: only then has the server's slot come free.
func (l pgLink) close(ctx context.Context) {
	p := l.PgConn()
	if p.IsClosed() {
		// An error closed it; pgx still cancels and terminates in the background.
		select {
		case <-p.CleanupDone():
		case <-ctx.Done():
		}
		l.kill(p.PID())
		return
	}
	if p.IsBusy() {
		_ = p.CancelRequest(ctx)
	}
	nc := p.Conn()
	if d, ok := ctx.Deadline(); ok {
		_ = nc.SetDeadline(d)
	}
	p.Frontend().Send(&pgproto3.Terminate{})
	ended := false
	if p.Frontend().Flush() == nil {
		_, err := io.Copy(io.Discard, nc)
		ended = err == nil
	}
	_ = l.Close(ctx)
	if !ended {
		l.kill(p.PID())
	}
}

func (l pgLink) interrupt() { l.kill(l.PgConn().PID()) }

// kill makes sure that a backend whose end was not seen does not go on: a
// trigger can catch the cancel and never read from the socket.
func (l pgLink) kill(pid uint32) {
	if l.terminate == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	l.terminate(ctx, l.Config().User, pid)
}

package projectlog

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Store keeps the records. It ignores records that it has, and those of projects
// that do not exist.
type Store interface {
	AppendLog(ctx context.Context, records []Record) error
	// TrimLog deletes the oldest records of a project beyond the newest most.
	TrimLog(ctx context.Context, project string, most int) error
}

// The bounds of a process.
const (
	// FlushInterval is how often the entries are written, and so the time whose
	// entries a killed process loses.
	FlushInterval = time.Second
	// flushTimeout bounds one write.
	flushTimeout = 5 * time.Second
	// maxBatch is the number of records of one write, and of one FlushInterval.
	maxBatch = 1000
	// maxWaiting is the number of records that wait while the store fails, and
	// maxWaitingOfProject those of one project.
	maxWaiting          = 4000
	maxWaitingOfProject = 200
)

// Log collects the entries of a process and writes them in the background. All
// methods may be called on a nil Log, which drops everything.
type Log struct {
	store Store
	log   *slog.Logger
	now   func() time.Time

	mu       sync.Mutex
	projects map[string]*pending
	waiting  int // records over all projects

	writing sync.Mutex     // one write at a time
	failing bool           // the last write failed; guarded by writing
	written map[string]int // by project, since its log was trimmed; guarded by writing

	maxEntries int
}

// Options configure New. Zero values select the defaults.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// MaxEntries bounds a project's log; 5000 by default. Between two trims it may
	// have a tenth more for each process.
	MaxEntries int
}

// New returns a Log that writes to store.
func New(store Store, o Options) *Log {
	l := &Log{store: store, log: cmp.Or(o.Logger, slog.Default()), now: o.Now, projects: map[string]*pending{}, written: map[string]int{}, maxEntries: o.MaxEntries}
	if l.maxEntries <= 0 {
		l.maxEntries = 5000
	}
	if l.now == nil {
		l.now = time.Now
	}
	return l
}

// Add queues an entry. It never waits for the store. Equal entries are counted
// in one record. When a project has more different entries than its share, or the
// store does not keep up, entries are dropped and counted.
func (l *Log) Add(_ context.Context, e Entry) {
	if l == nil || e.Project == "" {
		return
	}
	now := l.now()
	if e.At.IsZero() {
		e.At = now
	}
	// An entry is made a record, which takes time, only if it will be kept, and
	// outside of the lock.
	key := e.key()
	l.mu.Lock()
	kept := l.project(e.Project).admit(key, e, now)
	l.mu.Unlock()
	if !kept {
		return
	}
	r := e.record()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting += l.project(e.Project).add(key, r)
	l.bound()
}

func (l *Log) project(ref string) *pending {
	p := l.projects[ref]
	if p == nil {
		p = &pending{}
		l.projects[ref] = p
	}
	return p
}

// bound drops the oldest records of the projects that have the most, until there
// is room.
func (l *Log) bound() {
	if l.waiting <= maxWaiting {
		return
	}
	share := l.share(maxWaiting * 7 / 8) // with room, so that this is done rarely
	for _, p := range l.projects {
		l.waiting -= p.trim(share)
	}
}

// share is the number of records that each project may have so that all together
// have at most total.
func (l *Log) share(total int) int {
	counts := make([]int, 0, len(l.projects))
	for _, p := range l.projects {
		if n := len(p.records); n > 0 {
			counts = append(counts, n)
		}
	}
	return equalShare(counts, total)
}

// Run writes until ctx ends. Call Flush once nothing is added any more.
func (l *Log) Run(ctx context.Context) error {
	tick := time.NewTicker(FlushInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_, _ = l.flush(ctx) // logged
		}
	}
}

// Flush writes everything that waits.
func (l *Log) Flush(ctx context.Context) error {
	if l == nil {
		return nil
	}
	for {
		n, err := l.flush(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// flush writes a batch and returns its size. A batch that could not be written
// waits for the next attempt.
func (l *Log) flush(ctx context.Context) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	batch := l.take()
	if len(batch) == 0 {
		return 0, nil
	}
	limited, cancel := context.WithTimeout(ctx, flushTimeout)
	err := l.store.AppendLog(limited, batch)
	cancel()
	if err == nil {
		l.failing = false
		l.trim(ctx, batch)
		return len(batch), nil
	}
	l.putBack(batch)
	if !l.failing && ctx.Err() == nil { // once, not every second
		l.log.WarnContext(ctx, "the projects' logs are not written for now", "error", err)
	}
	l.failing = true
	return 0, fmt.Errorf("write the projects' logs: %w", err)
}

// trim deletes the oldest records of the projects that have got many since their
// logs were trimmed. A trim that fails is repeated with a later batch.
func (l *Log) trim(ctx context.Context, batch []Record) {
	for _, r := range batch {
		l.written[r.Project]++
	}
	for _, r := range batch {
		if l.written[r.Project] <= l.maxEntries/10 {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, flushTimeout)
		err := l.store.TrimLog(limited, r.Project, l.maxEntries)
		cancel()
		if err != nil {
			l.log.WarnContext(ctx, "a project's log is not trimmed for now", "project", r.Project, "error", err)
			return
		}
		delete(l.written, r.Project)
	}
}

// take removes a batch from the queue, the oldest records of each project first,
// and as many of each project as there is room for.
func (l *Log) take() (batch []Record) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for ref, p := range l.projects {
		l.waiting += p.endInterval(ref, now)
	}
	share := l.share(maxBatch)
	for ref, p := range l.projects {
		n := min(len(p.records), share)
		for _, r := range p.records[:n] {
			batch = append(batch, *r)
		}
		p.records = p.records[n:]
		l.waiting -= n
		if p.settled(now) {
			delete(l.projects, ref)
		}
	}
	return batch
}

func (l *Log) putBack(batch []Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	earlier := map[string][]*Record{}
	for _, r := range batch {
		earlier[r.Project] = append(earlier[r.Project], &r)
	}
	for ref, records := range earlier {
		p := l.project(ref)
		p.records = append(records, p.records...)
		l.waiting += len(records)
		l.waiting -= p.trim(maxWaitingOfProject)
	}
	l.bound()
}

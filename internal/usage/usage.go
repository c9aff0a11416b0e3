// Package usage counts what projects are used for: requests, sign-ups, sign-ins,
// refusals, messages and distinct users. It owns the counters of a process, their
// bounds and the sketches of distinct users. It does not own the tables, and knows
// no flow. The ledger for billing is another one, and exact: reeve.activity.
package usage

import (
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/batch"
)

// Metric is what is counted.
type Metric string

// The metrics.
const (
	Requests    Metric = "requests"
	SignUps     Metric = "sign_ups"
	SignIns     Metric = "sign_ins" // by method
	Refreshes   Metric = "token_refreshes"
	Refusals    Metric = "refusals" // by error code
	MailsSent   Metric = "mails_sent"
	MailsFailed Metric = "mails_failed" // given up
	TextsSent   Metric = "texts_sent"
	TextsFailed Metric = "texts_failed" // given up
	otherLabel         = "other"
	maxLabel           = 100 // bytes
)

// The bounds of a process.
const (
	// FlushInterval is how often the counts are written, and so the time whose
	// counts a killed process loses.
	FlushInterval = 2 * time.Second
	shardCount    = 64
	// maxProjects and maxKeys bound what waits to be written: the projects of a
	// shard, and the counts of a project. Labels beyond it count as "other".
	maxProjects = 500
	maxKeys     = 300
	// maxHours bounds the hours of a project that wait while the store fails.
	maxHours = 48
)

// Count is the sum of an hour.
type Count struct {
	Project string    `json:"ref"`
	Hour    time.Time `json:"at"`
	Metric  Metric    `json:"metric"`
	Label   string    `json:"label"`
	N       int64     `json:"count"`
}

// Active are the users of an hour.
type Active struct {
	Project string
	Hour    time.Time
	Users   Sketch
}

// Batch is what is written at a time.
type Batch struct {
	batch.Stamp
	Counts []Count
	Active []Active
}

// Store keeps the counts. It ignores those of projects that do not exist, and the
// counts of a batch that it has.
type Store interface {
	AddUsage(ctx context.Context, b Batch) error
}

// Counters are the counters of a process. All methods may be called on nil
// Counters, which count nothing.
type Counters struct {
	store  Store
	log    *slog.Logger
	now    func() time.Time
	seed   maphash.Seed
	shards [shardCount]shard
	writer *batch.Writer[Batch]
}

type shard struct {
	mu       sync.Mutex
	projects map[string]*project
	dropped  int64
}

type project struct {
	counts map[key]int64
	active map[int64]*Sketch
}

type key struct {
	hour   int64 // seconds since 1970
	metric Metric
	label  string
}

// New returns Counters that write to store.
func New(store Store, log *slog.Logger, now func() time.Time) *Counters {
	c := &Counters{store: store, log: cmp.Or(log, slog.Default()), now: now, seed: maphash.MakeSeed()}
	c.writer = batch.New("the projects' usage", FlushInterval, c.log, c)
	return c
}

// Project is the counters of one project; the zero value counts nothing.
type Project struct {
	counters *Counters
	ref      string
}

// Project returns the counters of a project.
func (c *Counters) Project(ref string) Project { return Project{c, ref} }

// Count counts one event. label is from a fixed set, or "".
func (p Project) Count(m Metric, label string) {
	if p.counters != nil && p.ref != "" {
		p.counters.count(p.ref, m, label)
	}
}

// Active counts a user as active in this hour.
func (p Project) Active(user uuid.UUID) {
	if p.counters != nil && p.ref != "" {
		p.counters.active(p.ref, user)
	}
}

func (c *Counters) hour() int64 { return c.now().Unix() / 3600 * 3600 }

func (c *Counters) shard(ref string) *shard {
	return &c.shards[maphash.String(c.seed, ref)%shardCount]
}

func (c *Counters) count(ref string, m Metric, label string) {
	k := key{c.hour(), m, label[:min(len(label), maxLabel)]}
	s := c.shard(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.project(ref); p != nil {
		p.add(k, 1)
	}
}

func (c *Counters) active(ref string, user uuid.UUID) {
	var one Sketch
	one.Add(user)
	hour, s := c.hour(), c.shard(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.project(ref); p != nil {
		p.merge(hour, one)
	}
}

// project returns nil if there is no room for another project.
func (s *shard) project(ref string) *project {
	p := s.projects[ref]
	if p != nil {
		return p
	}
	if len(s.projects) >= maxProjects {
		s.dropped++
		return nil
	}
	if s.projects == nil {
		s.projects = map[string]*project{}
	}
	p = &project{counts: map[key]int64{}, active: map[int64]*Sketch{}}
	s.projects[ref] = p
	return p
}

func (p *project) add(k key, n int64) {
	if _, ok := p.counts[k]; !ok && len(p.counts) >= maxKeys {
		if k.label != "" {
			k.label = otherLabel
		}
		if _, ok := p.counts[k]; !ok && len(p.counts) >= 2*maxKeys {
			return
		}
	}
	p.counts[k] += n
}

func (p *project) merge(hour int64, users Sketch) {
	s := p.active[hour]
	if s == nil {
		if len(p.active) >= maxHours {
			return
		}
		s = &Sketch{}
		p.active[hour] = s
	}
	s.Merge(users)
}

// Run writes until ctx ends. Call Flush once nothing is counted any more.
func (c *Counters) Run(ctx context.Context) error { return c.writer.Run(ctx) }

// Flush writes everything that was counted.
func (c *Counters) Flush(ctx context.Context) error {
	if c == nil {
		return nil
	}
	return c.writer.Flush(ctx)
}

// Write implements batch.Source.
func (c *Counters) Write(ctx context.Context, s batch.Stamp, b *Batch) error {
	b.Stamp = s
	return c.store.AddUsage(ctx, *b)
}

// Take implements batch.Source.
func (c *Counters) Take(ctx context.Context) *Batch {
	b, dropped := &Batch{}, int64(0)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		projects := s.projects
		s.projects = nil
		dropped += s.dropped
		s.dropped = 0
		s.mu.Unlock()
		for ref, p := range projects {
			for k, n := range p.counts {
				b.Counts = append(b.Counts, Count{Project: ref, Hour: time.Unix(k.hour, 0).UTC(), Metric: k.metric, Label: k.label, N: n})
			}
			for hour, users := range p.active {
				b.Active = append(b.Active, Active{Project: ref, Hour: time.Unix(hour, 0).UTC(), Users: *users})
			}
		}
	}
	if dropped > 0 {
		c.log.WarnContext(ctx, "too many projects for the counters of usage", "uncounted", dropped)
	}
	if len(b.Counts) == 0 && len(b.Active) == 0 {
		return nil
	}
	return b
}

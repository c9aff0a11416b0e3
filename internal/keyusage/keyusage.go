// Package keyusage counts the uses of API keys, and keeps who used each key last. It
// owns the counters of a process and their bounds, and what is kept of texts that
// clients send. It does not own the tables. The counting of a known client's
// request takes no lock and allocates nothing.
package keyusage

import (
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"maps"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reevehq/reeve/internal/batch"
)

// The bounds of a process.
const (
	// FlushInterval is how often the counts are written, and so the time whose uses a
	// killed process forgets.
	FlushInterval = 10 * time.Second
	shardCount    = 512
	// maxKeys bounds the keys of a shard that are in use at a time.
	maxKeys = 125
	// maxIdle is for how many flushes a key without a use is remembered.
	maxIdle = 6
)

// Use is the uses of a key on a day (UTC), and the last of them.
type Use struct {
	Project string    `json:"ref"`
	Key     string    `json:"key"` // id of the key, or role of a legacy one
	Day     string    `json:"day"` // YYYY-MM-DD
	Count   int64     `json:"count"`
	At      time.Time `json:"at"`
	IP      string    `json:"ip"`
	Agent   string    `json:"agent"`
	SDK     string    `json:"sdk"`
	Version string    `json:"version"`
}

// Batch is what is written at a time.
type Batch struct {
	batch.Stamp
	Uses []Use
}

// Store keeps the uses. It ignores those of keys that do not exist, and a batch that
// it has.
type Store interface {
	AddKeyUses(ctx context.Context, b Batch) error
}

// Counters are the counters of a process. All methods may be called on nil
// Counters, which count nothing.
type Counters struct {
	*batch.Writer[Batch]
	store  Store
	log    *slog.Logger
	seed   maphash.Seed
	shards [shardCount]shard
}

// New returns Counters that write to store.
func New(store Store, log *slog.Logger) *Counters {
	c := &Counters{store: store, log: cmp.Or(log, slog.Default()), seed: maphash.MakeSeed()}
	c.Writer = batch.New("the use of API keys", FlushInterval, c.log, c)
	return c
}

// shard has a part of the keys. The map is replaced as a whole, so that it is read
// without a lock.
type shard struct {
	keys    atomic.Pointer[map[key]*entry]
	mu      sync.Mutex // of those who replace the map
	dropped atomic.Int64
}

// retired is the count of an entry that leaves the map: whoever counts with it finds
// less than zero, and takes another one.
const retired = math.MinInt64 / 2

type key struct {
	project, id string
	day         int64 // days since 1970
}

// entry counts the uses of a key on a day since the last flush.
type entry struct {
	key   key
	count atomic.Int64
	at    atomic.Int64 // microseconds since 1970
	last  atomic.Pointer[client]
	idle  int // flushes without a use; only Take reads it
}

// client is who used a key.
type client struct {
	ip          netip.Addr
	agent, info string // as sent, clipped
}

// The bounds of texts of clients, in bytes.
const (
	maxAgent = 256
	maxInfo  = 128
)

// Count counts a use of a key: id is a key's id, or the role of a legacy key; agent
// and info are the headers User-Agent and X-Client-Info.
func (c *Counters) Count(project, id string, at time.Time, ip netip.Addr, agent, info string) {
	if c == nil {
		return
	}
	agent, info = agent[:min(len(agent), maxAgent)], info[:min(len(info), maxInfo)]
	k := key{project, id, at.Unix() / 86400}
	s := &c.shards[(maphash.String(c.seed, id)^maphash.String(c.seed, project))%shardCount]
	for e := s.entry(k); e != nil; e = s.entryAfter(k) {
		// The count comes last: what is counted is written with its client.
		e.at.Store(at.UnixMicro())
		if l := e.last.Load(); l == nil || l.ip != ip || l.agent != agent || l.info != info {
			e.last.Store(newClient(ip, agent, info))
		}
		if e.count.Add(1) > 0 {
			return
		}
	}
	s.dropped.Add(1)
}

// entry returns the entry of a key; nil if there is no room for another one.
func (s *shard) entry(k key) *entry {
	if m := s.keys.Load(); m != nil {
		if e := (*m)[k]; e != nil {
			return e
		}
	}
	return s.entryAfter(k)
}

// entryAfter is entry once nobody replaces the map.
func (s *shard) entryAfter(k key) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[key]*entry{}
	if m := s.keys.Load(); m != nil {
		if e := (*m)[k]; e != nil {
			return e
		}
		if len(*m) >= maxKeys {
			return nil
		}
		next = maps.Clone(*m)
	}
	e := &entry{key: k}
	next[k] = e
	s.keys.Store(&next)
	return e
}

// take appends what was counted, and forgets the keys that are not used any more.
func (s *shard) take(uses []Use) []Use {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.keys.Load()
	if m == nil {
		return uses
	}
	var idle []key
	for _, e := range *m {
		before := len(uses)
		if uses = e.take(uses); len(uses) > before {
			e.idle = 0
			continue
		}
		if e.idle++; e.idle > maxIdle && e.count.CompareAndSwap(0, retired) {
			idle = append(idle, e.key)
		}
	}
	if len(idle) > 0 {
		next := maps.Clone(*m)
		for _, k := range idle {
			delete(next, k)
		}
		s.keys.Store(&next)
	}
	return uses
}

func (e *entry) take(uses []Use) []Use {
	n := e.count.Swap(0)
	if n == 0 {
		return uses
	}
	u := Use{
		Project: e.key.project, Key: e.key.id, Day: time.Unix(e.key.day*86400, 0).UTC().Format(time.DateOnly), Count: n,
		At: time.UnixMicro(e.at.Load()).UTC(),
	}
	if l := e.last.Load(); l != nil {
		if l.ip.IsValid() {
			u.IP = l.ip.WithZone("").Unmap().String()
		}
		u.Agent = clean(l.agent)
		u.SDK, u.Version = sdk(l.info)
	}
	return append(uses, u)
}

// Flush writes everything that was counted.
func (c *Counters) Flush(ctx context.Context) error {
	if c == nil {
		return nil
	}
	return c.Writer.Flush(ctx)
}

// Take implements batch.Source.
func (c *Counters) Take(ctx context.Context) *Batch {
	b, dropped := &Batch{}, int64(0)
	for i := range c.shards {
		b.Uses = c.shards[i].take(b.Uses)
		dropped += c.shards[i].dropped.Swap(0)
	}
	if dropped > 0 {
		c.log.WarnContext(ctx, "too many API keys for the counters of their use", "uncounted", dropped)
	}
	if len(b.Uses) == 0 {
		return nil
	}
	return b
}

// Write implements batch.Source.
func (c *Counters) Write(ctx context.Context, s batch.Stamp, b *Batch) error {
	b.Stamp = s
	return c.store.AddKeyUses(ctx, *b)
}

package usage_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/usage"
)

// The estimate is within four standard errors, also after encoding and merging.
func TestSketch(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 10, 100, 1000, 5000, 20_000, 200_000} {
		var a, b, both usage.Sketch
		for i := range n {
			id := uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i))
			if i%3 != 0 {
				a.Add(id)
			}
			if i%3 != 1 {
				b.Add(id)
			}
		}
		for _, s := range []usage.Sketch{a, b} {
			again, err := usage.ParseSketch(s.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			both.Merge(again)
		}
		if off := math.Abs(float64(both.Users() - int64(n))); off > 0.065*float64(n) {
			t.Errorf("%d users are estimated as %d", n, both.Users())
		}
		if both.Merge(a) {
			t.Error("a repeated merge changes the sketch")
		}
	}
	for _, bad := range [][]byte{{1}, {0xff, 0xff, 1}, {0, 0, 0}, {0, 0, 200}, make([]byte, 4097)} {
		if _, err := usage.ParseSketch(bad); err == nil {
			t.Errorf("%d bytes are a sketch", len(bad))
		}
	}
}

// store is a store that loses its answers while it is lossy.
type store struct {
	mu     sync.Mutex
	lossy  bool
	last   int64
	counts map[string]int64
}

func (s *store) AddUsage(_ context.Context, b usage.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Number > s.last {
		s.last = b.Number
		for _, c := range b.Counts {
			s.counts[c.Project+" "+string(c.Metric)+" "+c.Label] += c.N
		}
	}
	if s.lossy {
		return errors.New("connection lost")
	}
	return nil
}

// Nothing is lost or counted twice when the answers to writes are lost.
func TestCounters(t *testing.T) {
	t.Parallel()
	st := &store{counts: map[string]int64{}}
	c := usage.New(st, nil, time.Now)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for range 1000 {
				c.Project(fmt.Sprint("p", worker%2)).Count(usage.SignIns, "password")
			}
		})
	}
	for i := range 20 {
		st.mu.Lock()
		st.lossy = i%2 == 0
		st.mu.Unlock()
		_ = c.Flush(t.Context())
	}
	group.Wait()
	for range 2 {
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(st.counts); got != "map[p0 sign_ins password:2000 p1 sign_ins password:2000]" {
		t.Error(got)
	}
}

// Many labels of a project count as one, and leave room for other projects.
func TestLabelsAreBounded(t *testing.T) {
	t.Parallel()
	st := &store{counts: map[string]int64{}}
	c := usage.New(st, nil, time.Now)
	for i := range 5000 {
		c.Project("a").Count(usage.Refusals, fmt.Sprint("code", i))
	}
	c.Project("b").Count(usage.SignUps, "")
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, n := range st.counts {
		total += n
	}
	if len(st.counts) > 310 || total != 5001 || st.counts["b sign_ups "] != 1 {
		t.Errorf("%d counts, %d in all, %d", len(st.counts), total, st.counts["b sign_ups "])
	}
	usage.Project{}.Count(usage.SignUps, "")
	(*usage.Counters)(nil).Project("a").Active(uuid.New())
}

func BenchmarkCount(b *testing.B) {
	c := usage.New(&store{counts: map[string]int64{}}, nil, time.Now)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Project("p").Count(usage.SignIns, "password")
		}
	})
}

func BenchmarkActive(b *testing.B) {
	c := usage.New(&store{counts: map[string]int64{}}, nil, time.Now)
	ids := make([]uuid.UUID, 1000)
	for i := range ids {
		ids[i] = uuid.New()
	}
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			c.Project("p").Active(ids[i%1000])
		}
	})
}

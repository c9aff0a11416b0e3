package keyusage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/reevehq/reeve/internal/keyusage"
)

// store sums what it gets, and loses its answers while it is lossy.
type store struct {
	mu     sync.Mutex
	lossy  bool
	number int64
	sums   map[string]int64 // by project, key and day
	last   map[string]keyusage.Use
}

// AddKeyUses implements keyusage.Store.
func (s *store) AddKeyUses(_ context.Context, b keyusage.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Number > s.number {
		s.number = b.Number
		for _, u := range b.Uses {
			if s.sums == nil {
				s.sums, s.last = map[string]int64{}, map[string]keyusage.Use{}
			}
			s.sums[u.Project+" "+u.Key+" "+u.Day] += u.Count
			if k := u.Project + " " + u.Key; !u.At.Before(s.last[k].At) {
				s.last[k] = u
			}
		}
	}
	if s.lossy {
		return errors.New("the answer is lost")
	}
	return nil
}

var (
	noon = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	here = netip.MustParseAddr("192.0.2.1")
)

func TestCount(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := keyusage.New(s, nil)
	c.Count("a", "k", noon, here, "curl/8", "supabase-js/2.1")
	c.Count("a", "k", noon.Add(time.Second), netip.MustParseAddr("::ffff:192.0.2.2"), "node", "supabase-py/1.0; platform=x")
	c.Count("a", "k", noon.AddDate(0, 0, 1), netip.MustParseAddr("fe80::1%eth0"), "deno", "nonsense with a space")
	c.Count("b", "k", noon, netip.Addr{}, "", "")
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]int64{"a k 2026-05-20": 2, "a k 2026-05-21": 1, "b k 2026-05-20": 1} {
		if s.sums[k] != want {
			t.Errorf("%s: %d, want %d", k, s.sums[k], want)
		}
	}
	if u := s.last["a k"]; u.IP != "fe80::1" || u.Agent != "deno" || u.SDK != "nonsense" || u.Version != "" || !u.At.Equal(noon.AddDate(0, 0, 1)) {
		t.Errorf("last use of a's key: %+v", u)
	}
	if u := s.last["b k"]; u.IP != "" || u.Agent != "" || u.SDK != "" {
		t.Errorf("last use of b's key: %+v", u)
	}
	before := s.number
	if err := c.Flush(t.Context()); err != nil || s.number != before {
		t.Errorf("an empty batch was written: %v", err)
	}
	var none *keyusage.Counters
	none.Count("a", "k", noon, here, "", "")
	if err := none.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCountAtOnce: no use is lost or counted twice, whatever is flushed meanwhile,
// how often answers are lost, and however long keys are idle between.
func TestCountAtOnce(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := keyusage.New(s, slog.New(slog.DiscardHandler))
	const workers, each, keys = 8, 2000, 40
	var group sync.WaitGroup
	stop := make(chan struct{})
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			s.mu.Lock()
			s.lossy = i%3 == 0
			s.mu.Unlock()
			_ = c.Flush(t.Context())
		}
	}()
	for w := range workers {
		group.Go(func() {
			for i := range each {
				c.Count("a", fmt.Sprint("k", (i*7+w)%keys), noon, here, fmt.Sprint("agent", i%3), "")
			}
		})
	}
	group.Wait()
	close(stop)
	<-flushed
	s.lossy = false
	for range 2 { // the unsure batch, and the rest
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var sum int64
	for _, n := range s.sums {
		sum += n
	}
	if sum != workers*each || len(s.sums) != keys {
		t.Errorf("%d uses of %d keys, want %d of %d", sum, len(s.sums), workers*each, keys)
	}
}

// TestCountAllocatesNothing: the request of a client that used the key before costs
// no memory.
func TestCountAllocatesNothing(t *testing.T) {
	c := keyusage.New(&store{}, nil)
	agent, info := strings.Repeat("a", 1000), strings.Repeat("b", 1000)
	if n := testing.AllocsPerRun(100, func() { c.Count("a", "k", noon, here, agent, info) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestBounds: however many keys there are, a process remembers a bounded number, and
// forgets those that are not used any more.
func TestBounds(t *testing.T) {
	t.Parallel()
	s := &store{}
	c := keyusage.New(s, slog.New(slog.DiscardHandler))
	const keys = 512*125 + 20_000
	use := func(prefix string) int {
		for i := range keys {
			c.Count("a", prefix+fmt.Sprint(i), noon, here, "", "")
		}
		before := len(s.sums)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(s.sums) - before
	}
	if n := use("x"); n > 512*125 || n < 60*1000 {
		t.Errorf("%d keys were counted", n)
	}
	for range 10 {
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := use("y"); n < 60*1000 {
		t.Errorf("%d keys were counted after the others were not used for a while", n)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ agent, info, wantAgent, sdk, version string }{
		"SDK":             {"node", "supabase-js-node/2.57.4", "node", "supabase-js-node", "2.57.4"},
		"scoped package":  {"", "@supabase/ssr/0.5.1 supabase-js/2", "", "@supabase/ssr", "0.5.1"},
		"more members":    {"", "supabase-swift/2.0.0-rc.1; platform=iOS", "", "supabase-swift", "2.0.0-rc.1"},
		"no version":      {"", "mine", "", "mine", ""},
		"a path":          {"", "/etc", "", "/etc", ""},
		"markup":          {"<b>\x1b[31mred\x00\u202e", "<script>/1", "<b>[31mred", "", ""},
		"broken UTF-8":    {"a\xff\xfeb", "a\xff/1", "ab", "", ""},
		"long":            {strings.Repeat("ä", 500), strings.Repeat("x", 65) + "/1", strings.Repeat("ä", 128), "", ""},
		"cut in a letter": {"x" + strings.Repeat("ä", 500), "", "x" + strings.Repeat("ä", 127), "", ""},
		"long version":    {"", "a/" + strings.Repeat("1", 33), "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store{}
			k := keyusage.New(s, nil)
			k.Count("a", "k", noon, here, c.agent, c.info)
			if err := k.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if u := s.last["a k"]; u.Agent != c.wantAgent || u.SDK != c.sdk || u.Version != c.version {
				t.Errorf("%q, %q, %q", u.Agent, u.SDK, u.Version)
			}
		})
	}
}

func FuzzTexts(f *testing.F) {
	f.Add("Mozilla/5.0", "supabase-js/2.57.4")
	f.Add("\xff\x00\u2066", "a/b/c;d")
	f.Fuzz(func(t *testing.T, agent, info string) {
		s := &store{}
		c := keyusage.New(s, nil)
		c.Count("a", "k", noon, here, agent, info)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		u := s.last["a k"]
		for _, text := range []string{u.Agent, u.SDK, u.Version} {
			if len(text) > 256 || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\n\r\x1b\u202e") {
				t.Errorf("%q is kept", text)
			}
		}
	})
}

func BenchmarkCount(b *testing.B) {
	c := keyusage.New(&store{}, nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Count("abcdefghijklmnopqrst", "3e1c0a4e-0000-4000-8000-000000000000", noon, here, "node", "supabase-js-node/2.57.4")
		}
	})
}

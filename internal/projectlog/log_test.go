package projectlog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/projectlog"
)

// store is a Store that can fail.
type store struct {
	mu      sync.Mutex
	fail    bool
	records []projectlog.Record
	trimmed []string
}

func (s *store) AppendLog(_ context.Context, records []projectlog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail {
		return errors.New("the database is away")
	}
	s.records = append(s.records, records...)
	return nil
}

func (s *store) TrimLog(_ context.Context, project string, most int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trimmed = append(s.trimmed, fmt.Sprint(project, " ", most))
	return nil
}

// of returns the records of a project with a code, in order.
func (s *store) of(project, code string) (out []projectlog.Record) {
	for _, r := range s.records {
		if r.Project == project && (code == "" || r.Code == code) {
			out = append(out, r)
		}
	}
	return out
}

type fixture struct {
	*projectlog.Log
	store *store
	now   time.Time
}

func newFixture() *fixture {
	f := &fixture{store: &store{}, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	f.Log = projectlog.New(f.store, projectlog.Options{Now: func() time.Time { return f.now }, Logger: slog.New(slog.DiscardHandler)})
	return f
}

func (f *fixture) flush(t *testing.T) {
	t.Helper()
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestEqualEntriesAreCounted(t *testing.T) {
	t.Parallel()
	f := newFixture()
	add := func(request string, change func(*projectlog.Entry)) {
		e := projectlog.Entry{Project: "a", Code: "trigger_failed", Message: "m", RequestID: request, Detail: map[string]any{"sqlstate": "P0001"}}
		if change != nil {
			change(&e)
		}
		f.Add(t.Context(), e)
	}
	for i := range 30 {
		add(fmt.Sprintf("r%d", i), func(e *projectlog.Entry) { e.ClientIP = fmt.Sprintf("192.0.2.%d", i) })
	}
	add("other user", func(e *projectlog.Entry) { e.UserID = uuid.New() })
	add("other detail", func(e *projectlog.Entry) { e.Detail = map[string]any{"sqlstate": "23505"} })
	add("other project", func(e *projectlog.Entry) { e.Project = "b" })
	f.flush(t)
	add("later", nil)
	f.flush(t)
	got := f.store.of("a", "trigger_failed")
	if len(got) != 4 || got[0].Count != 30 || len(got[0].RequestIDs) != 20 || got[0].RequestIDs[0] != "r0" || got[0].ClientIP != "192.0.2.0" {
		t.Fatalf("records: %+v", got)
	}
	for i, want := range []string{"other user", "other detail", "later"} {
		if r := got[i+1]; r.Count != 1 || r.RequestIDs[0] != want {
			t.Errorf("record %d: %+v, want that of %q", i+1, r, want)
		}
	}
	if got := f.store.of("b", ""); len(got) != 1 || got[0].Count != 1 {
		t.Errorf("of the other project: %+v", got)
	}
}

// TestFlood: a project that floods its log with one code takes neither the room
// of its other codes nor that of other projects, and its writes are bounded. What
// is dropped is counted.
func TestFlood(t *testing.T) {
	t.Parallel()
	f := newFixture()
	const perSecond, seconds = 1000, 60
	total := 0
	for s := range seconds {
		for i := range perSecond {
			f.Add(t.Context(), projectlog.Entry{Project: "loud", Code: "redirect_refused", Message: fmt.Sprintf("%d of %d", i, s)})
			total++
		}
		f.Add(t.Context(), projectlog.Entry{Project: "loud", Code: "trigger_failed", Message: fmt.Sprint(s)})
		f.Add(t.Context(), projectlog.Entry{Project: "quiet", Code: "trigger_failed", Message: fmt.Sprint(s)})
		f.flush(t)
		f.now = f.now.Add(time.Second)
	}
	written := f.store.of("loud", "redirect_refused")
	if n := len(written); n < 20 || n > 20+seconds {
		t.Errorf("%d records of the flood are written", n)
	}
	for _, project := range []string{"loud", "quiet"} {
		if n := len(f.store.of(project, "trigger_failed")); n != seconds {
			t.Errorf("%d other records of %s are written, want %d", n, project, seconds)
		}
	}
	counted := len(written)
	for _, r := range f.store.of("loud", projectlog.CodeDropped) {
		counted += r.Count
	}
	if counted != total {
		t.Errorf("%d entries are written or counted as dropped, want %d", counted, total)
	}
	if n := len(f.store.of("quiet", "")); n != seconds {
		t.Errorf("quiet has %d records, want %d", n, seconds)
	}
}

// TestStoreIsAway: while the store fails, the newest entries wait within a bound,
// and one project's do not displace those of the others.
func TestStoreIsAway(t *testing.T) {
	t.Parallel()
	f := newFixture()
	f.store.fail = true
	const minutes = 20
	loud, quiet := 100, 50
	for m := range minutes {
		for p := range loud {
			for i := range 60 {
				f.Add(t.Context(), projectlog.Entry{Project: fmt.Sprintf("loud%d", p), Code: fmt.Sprintf("code%d", i%6), Message: fmt.Sprintf("%d.%d", m, i)})
			}
		}
		for p := range quiet {
			if m == 0 {
				f.Add(t.Context(), projectlog.Entry{Project: fmt.Sprintf("quiet%d", p), Code: "c", Message: "first"})
			}
		}
		if err := f.Flush(t.Context()); err == nil {
			t.Fatal("a failing store is not reported")
		}
		f.now = f.now.Add(time.Minute)
	}
	if n := f.Waiting(); n > 4000+loud+quiet {
		t.Errorf("%d records wait", n)
	}
	f.store.fail = false
	f.flush(t)
	for p := range quiet {
		if got := f.store.of(fmt.Sprintf("quiet%d", p), "c"); len(got) != 1 {
			t.Fatalf("quiet%d has %d records, want its only one", p, len(got))
		}
	}
	for p := range loud {
		got := f.store.of(fmt.Sprintf("loud%d", p), "")
		newest := got[len(got)-2] // the last one counts the dropped ones
		if newest.Message != fmt.Sprintf("%d.59", minutes-1) {
			t.Fatalf("the newest of loud%d is %q", p, newest.Message)
		}
	}
	if f.Waiting() != 0 {
		t.Errorf("%d records wait after the store is back", f.Waiting())
	}
}

// TestManyProjects: a write is bounded, and takes from each project.
func TestManyProjects(t *testing.T) {
	t.Parallel()
	f := newFixture()
	for p := range 50 {
		for i := range 60 {
			f.Add(t.Context(), projectlog.Entry{Project: fmt.Sprint(p), Code: fmt.Sprint(i % 6), Message: fmt.Sprint(i)})
		}
	}
	if n, err := f.FlushOnce(t.Context()); err != nil || n != 1000 {
		t.Fatalf("first write: %d, %v", n, err)
	}
	for p := range 50 {
		if n := len(f.store.of(fmt.Sprint(p), "")); n != 20 {
			t.Errorf("project %d has %d of the first thousand", p, n)
		}
	}
	f.flush(t)
	if n := len(f.store.records); n != 3000 {
		t.Errorf("%d records are written, want 3000", n)
	}
}

// TestTrim: a log is trimmed after each tenth of its bound, and no other one.
func TestTrim(t *testing.T) {
	t.Parallel()
	f := newFixture()
	for i := range 1100 {
		f.Add(t.Context(), projectlog.Entry{Project: "long", Code: fmt.Sprint(i % 6), Message: fmt.Sprint(i)})
		if i%100 == 0 {
			f.Add(t.Context(), projectlog.Entry{Project: "short", Code: "c", Message: fmt.Sprint(i)})
		}
		f.flush(t)
		f.now = f.now.Add(time.Second)
	}
	if want := []string{"long 5000", "long 5000"}; !slices.Equal(f.store.trimmed, want) {
		t.Errorf("trimmed: %v, want %v", f.store.trimmed, want)
	}
}

func TestNilLog(t *testing.T) {
	t.Parallel()
	var l *projectlog.Log
	l.Add(t.Context(), projectlog.Entry{Project: "a"})
	if err := l.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	var r *projectlog.Request
	r.SetUser(uuid.New())
	r.Add(t.Context(), projectlog.Entry{Code: "c"})
	l.Request(projectlog.Entry{Project: "a"}).Add(t.Context(), projectlog.Entry{Code: "c"})
}

package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

func (q *queryQueue) wantEmpty(t *testing.T) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running != 0 || len(q.waiting) != 0 || len(q.projects) != 0 || len(q.organizations) != 0 {
		t.Errorf("left in the queue: %d run, %d wait, %d projects, %d organizations", q.running, len(q.waiting), len(q.projects), len(q.organizations))
	}
}

// queueTest runs queries that last until they are told to end.
type queueTest struct {
	*queryQueue
	mutex   sync.Mutex
	started []string // names of the queries that ran, in their order
	failed  map[string]error
	end     map[string]func()
}

// run begins a query and waits until it runs, waits or was refused.
func (q *queueTest) run(ctx context.Context, name string, organization uuid.UUID, project int) {
	go func() {
		release, err := q.take(ctx, organization, tenants.Ref(fmt.Sprint(organization, project)))
		q.mutex.Lock()
		defer q.mutex.Unlock()
		if err != nil {
			q.failed[name] = err
			return
		}
		q.started = append(q.started, name)
		q.end[name] = release
	}()
	synctest.Wait()
}

func newQueueTest() *queueTest {
	return &queueTest{queryQueue: newQueryQueue(), failed: map[string]error{}, end: map[string]func(){}}
}

func (q *queueTest) failure(name string) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return q.failed[name]
}

func (q *queueTest) release(name string) {
	end := q.end[name]
	delete(q.end, name)
	end()
	synctest.Wait()
}

// TestQueryQueue: while all turns are taken, the one that becomes free goes to the
// organization with the fewest queries, and then to the one that waited longest for one.
func TestQueryQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, a, b := newQueueTest(), uuid.New(), uuid.New()
		for i := range queriesAtOnce - 1 { // other organizations
			q.run(t.Context(), fmt.Sprint(i), uuid.New(), 0)
		}
		q.run(t.Context(), "a1", a, 1)
		for _, name := range []string{"a2", "a3", "a4"} {
			q.run(t.Context(), name, a, 2)
		}
		for _, name := range []string{"b1", "b2"} {
			q.run(t.Context(), name, b, 1)
		}
		q.started = nil
		q.release("0") // b has none
		q.release("1") // both have one, and a's is older
		q.release("2") // b has fewer
		q.release("b1")
		if want := []string{"b1", "a2", "b2", "a3"}; !slices.Equal(q.started, want) {
			t.Errorf("order: %v, want %v", q.started, want)
		}
		q.release("3")
		if len(q.started) != 4 {
			t.Errorf("a project has more than its turns: %v", q.started)
		}
		q.release("a2")
		if q.started[4] != "a4" {
			t.Errorf("after a project's query: %v", q.started)
		}
		for name := range q.end {
			q.release(name)
		}
		q.wantEmpty(t)
	})
}

// TestQueryQueueRefuses: who waits too long or with too many is refused, and leaves nothing.
func TestQueryQueueRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, a := newQueueTest(), uuid.New()
		for i := range queriesOfOrganization {
			q.run(t.Context(), fmt.Sprint("a", i), a, i)
		}
		for i := range waitingOfOrganization {
			q.run(t.Context(), fmt.Sprint("waits", i), a, i)
		}
		q.run(t.Context(), "too many", a, 100)
		if !errors.Is(q.failure("too many"), ErrQueryBusy) {
			t.Errorf("too many wait: %v", q.failure("too many"))
		}
		for i := range queriesAtOnce - queriesOfOrganization {
			q.run(t.Context(), fmt.Sprint(i), uuid.New(), 0)
		}
		q.run(t.Context(), "another's", uuid.New(), 0)
		ctx, cancel := context.WithCancel(t.Context())
		q.run(ctx, "goes", uuid.New(), 0)
		cancel()
		synctest.Wait()
		if !errors.Is(q.failure("goes"), context.Canceled) {
			t.Errorf("the client goes: %v", q.failure("goes"))
		}
		time.Sleep(queryWait)
		synctest.Wait()
		if !errors.Is(q.failure("waits0"), ErrQueryBusy) || !errors.Is(q.failure("another's"), ErrQueriesBusy) {
			t.Errorf("after the wait: %v, %v", q.failure("waits0"), q.failure("another's"))
		}
		for name := range q.end {
			q.release(name)
		}
		q.wantEmpty(t)
	})
}

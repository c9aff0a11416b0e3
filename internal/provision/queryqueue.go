package provision

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

const (
	// queriesAtOnce bounds the queries of all projects, queriesOfOrganization those of
	// an organization, and queriesOfProject those of a project.
	queriesAtOnce         = 24
	queriesOfOrganization = 3
	queriesOfProject      = 2
	// queryWait is how long a query waits for its turn.
	queryWait = 3 * time.Second
	// waitingOfOrganization bounds the queries of an organization that wait, and
	// waitingAtOnce all that do.
	waitingOfOrganization = 12
	waitingAtOnce         = 480
)

// queryQueue decides which query runs next. Of those that may run, it is one of the
// organization with the fewest running, and among such the organization that got a
// turn the longest ago.
type queryQueue struct {
	mu            sync.Mutex
	running       int
	turns         uint64 // given so far
	projects      map[tenants.Ref]int
	organizations map[uuid.UUID]*queryShare
	waiting       []*queryTurn // in the order of their arrival
}

// queryShare is what an organization has of the queue.
type queryShare struct {
	running, waiting int
	last             uint64 // number of its latest turn
}

type queryTurn struct {
	organization uuid.UUID
	project      tenants.Ref
	given        chan struct{} // closed when the query may run
}

func newQueryQueue() *queryQueue {
	return &queryQueue{projects: map[tenants.Ref]int{}, organizations: map[uuid.UUID]*queryShare{}}
}

// take waits for a turn, for at most queryWait. release must be called once. Faults:
// ErrQueryBusy if the project or its organization has all that it may, ErrQueriesBusy.
func (q *queryQueue) take(ctx context.Context, organization uuid.UUID, project tenants.Ref) (release func(), err error) {
	turn := &queryTurn{organization: organization, project: project, given: make(chan struct{})}
	if err := q.join(turn); err != nil {
		return nil, err
	}
	release = func() { q.leave(turn) }
	timer := time.NewTimer(queryWait)
	defer timer.Stop()
	select {
	case <-turn.given:
		return release, nil
	case <-timer.C:
		err = ErrQueriesBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, turn)
	if i < 0 { // given a moment ago
		return release, nil
	}
	if ctx.Err() == nil && !q.fits(turn) {
		err = ErrQueryBusy
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.organizations[organization].waiting--
	q.forget(organization)
	return nil, err
}

// join adds a query to those that wait, and gives it its turn if there is one.
func (q *queryQueue) join(turn *queryTurn) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	share := q.organizations[turn.organization]
	switch {
	case share != nil && share.waiting >= waitingOfOrganization:
		return ErrQueryBusy
	case len(q.waiting) >= waitingAtOnce:
		return ErrQueriesBusy
	case share == nil:
		share = &queryShare{}
		q.organizations[turn.organization] = share
	}
	share.waiting++
	q.waiting = append(q.waiting, turn)
	q.give()
	return nil
}

// leave ends a query's turn.
func (q *queryQueue) leave(turn *queryTurn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	if q.projects[turn.project]--; q.projects[turn.project] == 0 {
		delete(q.projects, turn.project)
	}
	q.organizations[turn.organization].running--
	q.give()
	q.forget(turn.organization)
}

// fits reports whether the project and its organization may run one more.
func (q *queryQueue) fits(turn *queryTurn) bool {
	return q.projects[turn.project] < queriesOfProject && q.organizations[turn.organization].running < queriesOfOrganization
}

// give lets queries run while there is room.
func (q *queryQueue) give() {
	for q.running < queriesAtOnce {
		next := -1
		for i, turn := range q.waiting {
			if q.fits(turn) && (next < 0 || q.before(turn, q.waiting[next])) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		turn := q.waiting[next]
		q.waiting = slices.Delete(q.waiting, next, next+1)
		share := q.organizations[turn.organization]
		q.running++
		q.turns++
		q.projects[turn.project]++
		share.running, share.waiting, share.last = share.running+1, share.waiting-1, q.turns
		close(turn.given)
	}
}

func (q *queryQueue) before(a, b *queryTurn) bool {
	x, y := q.organizations[a.organization], q.organizations[b.organization]
	return cmp.Or(cmp.Compare(x.running, y.running), cmp.Compare(x.last, y.last)) < 0
}

// forget drops what is known of an organization without queries.
func (q *queryQueue) forget(organization uuid.UUID) {
	if share := q.organizations[organization]; share.running == 0 && share.waiting == 0 {
		delete(q.organizations, organization)
	}
}

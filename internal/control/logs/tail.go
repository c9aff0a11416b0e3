package logs

import (
	"cmp"
	"context"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/internal/web"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// How a tail works. It asks for new entries, since other processes write them too.
const (
	tailPoll  = time.Second
	tailBeat  = 10 * time.Second // heartbeats, and whether the reader still may
	tailBatch = 500
	// tailOverlap is how long an entry may become visible after a later one: each
	// process writes its own in a transaction.
	tailOverlap = 5 * time.Second
	maxBacklog  = 200
)

// The bounds of the tails of a process.
const (
	tailsOfProject      = 5
	tailsOfOrganization = 10
	tailsInAll          = 100
)

// ErrTooManyTails refuses a tail beyond the bounds.
var ErrTooManyTails = fault.New(fault.TooMany, "too_many_tails", "Too many tails of the project's or the organization's logs are open").After(5 * time.Second)

type tailInput struct {
	Filter
	After       string `query:"after" format:"uuid" doc:"The id of an entry: the tail begins with what is newer. Otherwise it begins now."`
	LastEventID string `header:"Last-Event-ID" maxLength:"36" doc:"As after, which it precedes: what a browser sends when it connects again."`
	Backlog     int    `query:"backlog" minimum:"0" maximum:"200" default:"0" doc:"How many earlier entries come first, when the tail begins now."`
	Seconds     int    `query:"seconds" minimum:"1" maximum:"3600" default:"3600" doc:"When the tail ends. Browsers connect again."`
}

// tails counts those of a process.
type tails struct {
	mu   sync.Mutex
	n    int
	open map[string]int // by project, and by organization
}

// enter counts a tail, or returns ErrTooManyTails.
func (t *tails) enter(ref tenants.Ref, organization uuid.UUID) (leave func(), err error) {
	project, org := "project "+string(ref), "organization "+organization.String()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n >= tailsInAll || t.open[project] >= tailsOfProject || t.open[org] >= tailsOfOrganization {
		return nil, ErrTooManyTails
	}
	if t.open == nil {
		t.open = map[string]int{}
	}
	t.n++
	t.open[project]++
	t.open[org]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.n--
		for _, name := range []string{project, org} {
			if t.open[name]--; t.open[name] == 0 {
				delete(t.open, name)
			}
		}
	}, nil
}

func (h *Handler) tail(ctx context.Context, actor control.Actor, in *tailInput, out *control.Stream) error {
	s := h.Service
	p, err := s.Authz.Project(ctx, actor, authz.ReadLogs, in.Ref)
	if err != nil {
		return err
	}
	list := listInput{Filter: in.Filter, After: in.After, Limit: tailBatch}
	if in.LastEventID != "" {
		list.After = in.LastEventID
	}
	q, err := list.query()
	if err != nil {
		return err
	}
	leave, err := s.tails.enter(p.Ref, p.OrganizationID)
	if err != nil {
		return err
	}
	defer leave()
	first, err := s.startTail(ctx, p.Ref, &q, in.Backlog)
	if err != nil {
		return err
	}
	ctx, stop := web.Unlimited(ctx)
	defer stop()
	if err := out.BeginEvents(); err != nil {
		return nil //nolint:nilerr // the client is gone
	}
	f := &follower{service: s, ref: p.Ref, query: q, sent: map[uuid.UUID]time.Time{}, out: out}
	if f.send(first) != nil {
		return nil
	}
	f.follow(ctx, actor, time.Duration(in.Seconds)*time.Second)
	return nil
}

// startTail moves a query that begins now to the newest entry, and returns the
// backlog, the oldest first.
func (s *Service) startTail(ctx context.Context, ref tenants.Ref, q *controldb.LogQuery, backlog int) ([]projectlog.Record, error) {
	q.OldestFirst, q.Limit = true, tailBatch
	if q.After != uuid.Nil {
		return nil, nil
	}
	newest, err := s.DB.ProjectLog(ctx, ref, controldb.LogQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	earlier := *q
	if len(newest) > 0 {
		q.After = newest[0].ID
	}
	if backlog == 0 {
		return nil, nil
	}
	earlier.OldestFirst, earlier.Limit = false, min(backlog, maxBacklog)
	found, err := s.DB.ProjectLog(ctx, ref, earlier)
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
	return found, err
}

// follower sends what is new in a log.
type follower struct {
	service *Service
	ref     tenants.Ref
	query   controldb.LogQuery // After is older than tailOverlap, once there was anything
	sent    map[uuid.UUID]time.Time
	order   []uuid.UUID // of sent
	out     *control.Stream
}

// follow runs until the connection, the reader's permission, the process or the time
// ends.
func (f *follower) follow(ctx context.Context, actor authz.Actor, life time.Duration) {
	poll, beat, end := time.NewTicker(tailPoll), time.NewTicker(cmp.Or(f.service.Heartbeat, tailBeat)), time.NewTimer(life)
	defer poll.Stop()
	defer beat.Stop()
	defer end.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-f.service.Stopping:
			return
		case <-poll.C:
			err = f.more(ctx)
		case <-beat.C:
			if refused := f.allowed(ctx, actor); refused != nil {
				_ = f.out.Event("", "end", map[string]string{"code": refused.Code, "message": refused.Message})
				return
			}
			err = f.out.Heartbeat()
		}
		if err != nil {
			return
		}
	}
}

// allowed returns why the reader may not go on. A control database that is away for a
// moment ends nothing.
func (f *follower) allowed(ctx context.Context, actor authz.Actor) *fault.Error {
	err := control.StillActor(ctx)
	if err == nil {
		_, err = f.service.Authz.Project(ctx, actor, authz.ReadLogs, string(f.ref))
	}
	if err == nil {
		return nil
	}
	switch refused := fault.From(err); refused.Kind {
	case fault.Unauthorized, fault.Forbidden, fault.NotFound:
		return refused
	default:
		return nil
	}
}

// pollTimeout bounds a look for new entries.
const pollTimeout = 5 * time.Second

// more sends what is new. What cannot be read is looked for again.
func (f *follower) more(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	found, err := f.service.DB.ProjectLog(ctx, f.ref, f.query)
	if err != nil {
		return nil //nolint:nilerr // the next look may succeed
	}
	return f.send(found)
}

// send sends the entries that were not sent before.
func (f *follower) send(found []projectlog.Record) error {
	now := time.Now()
	for _, r := range found {
		if _, again := f.sent[r.ID]; again {
			continue
		}
		if err := f.out.Event(r.ID.String(), "", onWire(r)); err != nil {
			return err
		}
		f.sent[r.ID] = now
		f.order = append(f.order, r.ID)
	}
	// A full batch hides what follows it, so the query moves on at once.
	for len(f.order) > 0 && (now.Sub(f.sent[f.order[0]]) > tailOverlap || len(found) == tailBatch) {
		f.query.After = f.order[0]
		delete(f.sent, f.order[0])
		f.order = f.order[1:]
	}
	if len(f.order) == 0 {
		f.sent, f.order = maps.Clone(f.sent), nil // gives back the memory of a flood
	}
	return nil
}

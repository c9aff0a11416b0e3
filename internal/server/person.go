package server

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

// checkPerson returns an error unless the user behind an access token of the
// Management API exists and is not banned, so that a token ends with its person at
// once. While the platform project's database cannot be reached, what was found
// within the last minutes counts: the Management API must show what is wrong then.
func (s *Server) checkPerson(ctx context.Context, id uuid.UUID) error {
	asking, cancel := context.WithTimeout(ctx, personTimeout)
	defer cancel()
	users, err := s.platformUsers(asking, []uuid.UUID{id})
	if err != nil {
		if s.persons.recent(id, s.now()) {
			return nil
		}
		if k := fault.From(err).Kind; ctx.Err() == nil && (k == fault.Internal || k == fault.Unavailable) {
			return errPerson.Because(err)
		}
		return err
	}
	u, ok := users[id]
	switch {
	case !ok || u.Gone():
		s.persons.forget(id)
		return auth.ErrTokenUserGone
	case u.Banned(s.now()):
		s.persons.forget(id)
		return auth.ErrTokenUserBanned
	}
	s.persons.note(id, s.now())
	return nil
}

// errPerson is returned when nobody can say whether the person still exists.
var errPerson = fault.New(fault.Unavailable, "database_unavailable",
	"The database of the dashboard's users cannot be reached at the moment, so your access token cannot be checked").After(time.Second)

const (
	// personTimeout is how long the platform project's database is waited for.
	personTimeout = time.Second
	// personTTL is how long a person counts whose user cannot be read.
	personTTL = 10 * time.Minute
	// maxPersons bounds the persons that a process remembers.
	maxPersons = 10_000
)

// persons are the users who were last found to be good, with when.
type persons struct {
	mu    sync.Mutex
	found map[uuid.UUID]time.Time
}

func (p *persons) note(id uuid.UUID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil || len(p.found) >= maxPersons && p.found[id].IsZero() {
		p.found = map[uuid.UUID]time.Time{} // all are found again at their next request
	}
	p.found[id] = now
}

func (p *persons) forget(id uuid.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.found, id)
}

func (p *persons) recent(id uuid.UUID, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.found[id]
	return ok && now.Sub(at) < personTTL
}

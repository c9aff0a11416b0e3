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
func (s *Server) checkPerson(ctx context.Context, id uuid.UUID) (secondFactor bool, err error) {
	asking, cancel := context.WithTimeout(ctx, personTimeout)
	defer cancel()
	users, err := s.platformUsers(asking, []uuid.UUID{id})
	var proved map[uuid.UUID]bool
	if err == nil {
		proved, err = s.secondFactors(asking, []uuid.UUID{id})
	}
	if err != nil {
		if had, ok := s.persons.recent(id, s.now()); ok {
			return had, nil
		}
		if k := fault.From(err).Kind; ctx.Err() == nil && (k == fault.Internal || k == fault.Unavailable) {
			return false, errPerson.Because(err)
		}
		return false, err
	}
	u, ok := users[id]
	switch {
	case !ok || u.Gone():
		s.persons.forget(id)
		return false, auth.ErrTokenUserGone
	case u.Banned(s.now()):
		s.persons.forget(id)
		return false, auth.ErrTokenUserBanned
	}
	s.persons.note(id, proved[id], s.now())
	return proved[id], nil
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

// persons are the users who were last found to be good.
type persons struct {
	mu    sync.Mutex
	found map[uuid.UUID]foundPerson
}

// foundPerson is when a person was found, and whether they had a second factor.
type foundPerson struct {
	at           time.Time
	secondFactor bool
}

func (p *persons) note(id uuid.UUID, secondFactor bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil || len(p.found) >= maxPersons && p.found[id].at.IsZero() {
		p.found = map[uuid.UUID]foundPerson{} // all are found again at their next request
	}
	p.found[id] = foundPerson{now, secondFactor}
}

func (p *persons) forget(id uuid.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.found, id)
}

func (p *persons) recent(id uuid.UUID, now time.Time) (secondFactor, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.found[id]
	return f.secondFactor, ok && now.Sub(f.at) < personTTL
}

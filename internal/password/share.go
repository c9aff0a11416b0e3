package password

import (
	"cmp"
	"container/list"
	"slices"
	"time"

	"github.com/reevehq/reeve/tenants"
)

// share is one project's part of a Gate.
type share struct {
	used  time.Duration // slot time while another call waited; see settle
	held  int           // slots that it holds now
	turn  uint64        // when it began to wait or was last served; breaks ties
	calls *list.List    // waiting calls: chan struct{}, closed on admission; first come first served
}

// shareOf finds or makes a project's share.
func (g *Gate) shareOf(ref tenants.Ref) *share {
	s := g.shares[ref]
	if s == nil {
		s = &share{calls: list.New()}
		g.shares[ref] = s
	}
	return s
}

// settle charges each project for the slots that it held since the last call,
// including running calls. Time while no call waited was taken from nobody and
// is not charged, and neither is time before the share existed. It is called
// before every change of who holds or waits.
func (g *Gate) settle() {
	now := g.now()
	spent := now.Sub(g.last)
	g.last = now
	line := g.line()
	for _, s := range g.shares {
		if len(line) == 0 {
			s.used = 0
		} else {
			s.used += time.Duration(s.held) * spent
		}
	}
	g.floor = 0
	if len(line) > 0 {
		g.floor = slices.MinFunc(line, fewest).used
	}
	// A project without calls is kept while it is ahead: otherwise a sequence
	// of slow calls, each to an empty queue, would always count as a
	// newcomer's.
	for ref, s := range g.shares {
		if s.held == 0 && s.calls.Len() == 0 && s.used <= g.floor {
			delete(g.shares, ref)
		}
	}
}

// next gives a free slot to the waiting project that used least.
func (g *Gate) next() {
	line := g.line()
	if len(line) > 1 {
		// At most one project can be at the limit, so at least one other is
		// left.
		line = slices.DeleteFunc(line, func(s *share) bool { return s.held >= max(1, g.slots-1) })
	}
	if len(line) == 0 {
		g.free++
		return
	}
	s := slices.MinFunc(line, fewest)
	s.held++
	s.turn = g.turn()
	close(s.calls.Remove(s.calls.Front()).(chan struct{}))
}

// line lists the waiting projects.
func (g *Gate) line() []*share {
	var line []*share
	for _, s := range g.shares {
		if s.calls.Len() > 0 {
			line = append(line, s)
		}
	}
	return line
}

func (g *Gate) turn() uint64 {
	g.turns++
	return g.turns
}

func fewest(a, b *share) int {
	return cmp.Or(cmp.Compare(a.used, b.used), cmp.Compare(a.turn, b.turn))
}

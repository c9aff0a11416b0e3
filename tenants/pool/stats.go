package pool

import "github.com/reevehq/reeve/tenants"

// Stats is a snapshot of a Budget.
type Stats struct {
	Total   int // the limit
	Open    int // places taken: dialing, in use, idle or closing
	InUse   int
	Idle    int
	Waiting int
	Tenants int // projects with a connection or a waiter

	// Counters since the start.
	Opened   uint64 // dials that succeeded
	Failed   uint64 // dials that failed
	Evicted  uint64 // connections closed in favour of another project
	Recalled uint64 // loans ended for another project, see Budget.recallLongest
	Refused  uint64 // requests that were refused, timed out or were given up while waiting
}

// TenantStats is a snapshot of one project's part of a Budget.
type TenantStats struct {
	Open    int // dialing, in use, idle or closing
	InUse   int
	Idle    int
	Waiting int
}

func (s *share) stats() TenantStats {
	return TenantStats{Open: s.held() + s.closing, InUse: s.inUse, Idle: len(s.idle), Waiting: s.waiters.n}
}

// Stats counts over all projects.
func (b *Budget) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	st := Stats{
		Total: b.o.Total, Open: b.places, Tenants: len(b.shares),
		Opened: b.opened, Failed: b.failed, Evicted: b.evicted, Recalled: b.recalled, Refused: b.refused,
	}
	for _, s := range b.shares {
		t := s.stats()
		st.InUse += t.InUse
		st.Idle += t.Idle
		st.Waiting += t.Waiting
	}
	return st
}

// Refs lists the projects that hold a connection at the moment, in no order.
func (b *Budget) Refs() []tenants.Ref {
	b.mu.Lock()
	defer b.mu.Unlock()
	refs := make([]tenants.Ref, 0, len(b.shares))
	for ref, s := range b.shares {
		if s.established() > 0 {
			refs = append(refs, ref)
		}
	}
	return refs
}

// TenantStats counts for one project; all zero if it is quiet.
func (b *Budget) TenantStats(ref tenants.Ref) TenantStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.shares[ref]; s != nil {
		return s.stats()
	}
	return TenantStats{}
}

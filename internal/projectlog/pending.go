package projectlog

import (
	"slices"
	"time"
)

// The share of one project. Whoever floods a project's log with one code leaves
// room for the others.
const (
	projectBurst, projectPerSecond = 100, 5
	codeBurst, codePerSecond       = 20, 1
	// maxRequestIDs is the number of request ids that a record names.
	maxRequestIDs = 20
)

// CodeDropped is the code of the entry that says how many were dropped.
const CodeDropped = "log_entries_dropped"

// pending are the records of one project that wait to be written.
type pending struct {
	records []*Record // the oldest first
	equal   map[entryKey]*Record
	dropped map[string]int // by code, since they were last reported
	all     bucket
	byCode  map[string]*bucket
}

// admit reports whether an entry becomes a record. Otherwise it is counted: in an
// equal record of the same interval, or as dropped where the project or the code
// has no room.
func (p *pending) admit(key entryKey, e Entry, now time.Time) bool {
	if same := p.equal[key]; same != nil {
		same.count(e.requestIDs(), 1)
		return false
	}
	if p.byCode == nil {
		p.byCode = map[string]*bucket{}
	}
	code := p.byCode[e.Code]
	if code == nil {
		code = &bucket{}
		p.byCode[e.Code] = code
	}
	if code.take(now, codeBurst, codePerSecond) && p.all.take(now, projectBurst, projectPerSecond) {
		return true
	}
	p.drop(e.Code, 1)
	return false
}

// add adds the record of an admitted entry. It returns the number of records that
// were added.
func (p *pending) add(key entryKey, r *Record) int {
	if same := p.equal[key]; same != nil { // added since
		same.count(r.RequestIDs, r.Count)
		return 0
	}
	if p.equal == nil {
		p.equal = map[entryKey]*Record{}
	}
	p.equal[key] = r
	p.records = append(p.records, r)
	return 1 - p.trim(maxWaitingOfProject)
}

// count counts n more equal entries.
func (r *Record) count(requestIDs []string, n int) {
	r.Count += n
	room := max(0, maxRequestIDs-len(r.RequestIDs))
	r.RequestIDs = append(r.RequestIDs, requestIDs[:min(room, len(requestIDs))]...)
}

func (p *pending) drop(code string, n int) {
	if p.dropped == nil {
		p.dropped = map[string]int{}
	}
	p.dropped[code] += n
}

// trim drops the oldest records beyond most, and returns how many.
func (p *pending) trim(most int) int {
	n := len(p.records) - most
	if n <= 0 {
		return 0
	}
	for _, r := range p.records[:n] {
		p.drop(r.Code, r.Count)
	}
	p.records = slices.Clone(p.records[n:])
	clear(p.equal) // it may have dropped ones
	return n
}

// endInterval ends the time in which equal entries are counted together, and
// reports the dropped ones in a record. It returns the number of records that
// were added.
func (p *pending) endInterval(ref string, now time.Time) int {
	clear(p.equal)
	if len(p.dropped) == 0 {
		return 0
	}
	detail, total := make(map[string]any, len(p.dropped)), 0
	for code, n := range p.dropped {
		detail[code] = n
		total += n
	}
	clear(p.dropped)
	r := Entry{
		Project: ref, At: now, Level: Warning, Code: CodeDropped, Detail: detail,
		Message: "There were more entries than the log takes. The detail has the number of dropped entries for each code.",
	}.record()
	r.Count = total
	p.records = append(p.records, r)
	return 1
}

// settled reports whether nothing is lost if the project is forgotten.
func (p *pending) settled(now time.Time) bool {
	for _, b := range p.byCode {
		if !b.full(now, codePerSecond) {
			return false
		}
	}
	return len(p.records) == 0 && len(p.dropped) == 0 && p.all.full(now, projectPerSecond)
}

// bucket is a token bucket. The zero bucket is full.
type bucket struct {
	used float64
	at   time.Time
}

func (b *bucket) take(now time.Time, burst, perSecond float64) bool {
	b.used = max(0, b.used-max(0, now.Sub(b.at).Seconds())*perSecond)
	b.at = now
	if b.used+1 > burst {
		return false
	}
	b.used++
	return true
}

func (b *bucket) full(now time.Time, perSecond float64) bool {
	return b.used-now.Sub(b.at).Seconds()*perSecond <= 0
}

// equalShare returns the largest number that each count may be reduced to so that
// all together are at most total.
func equalShare(counts []int, total int) int {
	slices.Sort(counts)
	for i, n := range counts {
		if rest := len(counts) - i; n*rest > total {
			return total / rest
		}
		total -= n
	}
	return int(^uint(0) >> 1)
}

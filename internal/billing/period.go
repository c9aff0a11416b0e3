package billing

import "time"

// Anchor is the day of the month on which an organization's billing periods begin, 1 to
// 31. In a shorter month the period begins on its last day.
type Anchor int

// AnchorOf is the anchor of an organization that was created at t.
func AnchorOf(t time.Time) Anchor { return Anchor(t.UTC().Day()) }

// Period is a billing period: whole days in UTC.
type Period struct {
	Start time.Time // midnight, UTC
	End   time.Time // exclusive; the start of the next period
}

// At returns the period that t is in.
func (a Anchor) At(t time.Time) Period {
	year, month, _ := t.UTC().Date()
	start := a.in(year, month)
	if t.Before(start) {
		return Period{a.in(year, month-1), start}
	}
	return Period{start, a.in(year, month+1)}
}

// Starting returns the period that starts on a day; false if none does.
func (a Anchor) Starting(day time.Time) (Period, bool) {
	p := a.At(day)
	return p, p.Start.Equal(day)
}

// in is the start in a month, which may be 0 or 13: those of the years beside.
func (a Anchor) in(year int, month time.Month) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(max(int(a), 1), last)-1)
}

// Contains reports whether t is in the period.
func (p Period) Contains(t time.Time) bool { return !t.Before(p.Start) && t.Before(p.End) }

// Days is the number of days, 28 to 31.
func (p Period) Days() int { return int(p.End.Sub(p.Start) / (24 * time.Hour)) }

// Day returns the day of t in UTC, as its midnight.
func Day(t time.Time) time.Time {
	year, month, day := t.UTC().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

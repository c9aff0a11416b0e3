//go:build linux || darwin

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// beside compares a request of the other projects with and without a flood.
type beside struct {
	Flood   string `json:"flood"`
	flooded `json:"flooder"`
	Alone   wait `json:"alone"`
	Under   wait `json:"under"`
	// Processor time during the flood, in processors.
	Reeve    float64 `json:"reeve_processors"`
	Postgres float64 `json:"postgres_processors"`
}

// wait is the waits of one kind of request of the other projects.
type wait struct {
	Kind    string         `json:"kind"`
	Good    int            `json:"answered"`
	Refused map[string]int `json:"refused,omitempty"`
	P50     float64        `json:"p50_ms"`
	P99     float64        `json:"p99_ms"`
	Longest float64        `json:"longest_ms"`
	Example string         `json:"example,omitempty"`
}

func waitOf(w waits) wait {
	out := wait{
		Kind: w.kind, Good: w.good, P50: ms(quantile(w.times, 0.5)), P99: ms(quantile(w.times, 0.99)), Longest: ms(quantile(w.times, 1)),
		Example: w.example,
	}
	for status, n := range w.refused {
		if out.Refused == nil {
			out.Refused = map[string]int{}
		}
		name := fmt.Sprint(status)
		if status == 0 {
			name = "no answer"
		}
		out.Refused[name] = n
	}
	return out
}

func floodOf(kind string, got flooded, alone, under waits, cpu spent, d time.Duration) beside {
	return beside{
		Flood: kind, flooded: got, Alone: waitOf(alone), Under: waitOf(under),
		Reeve: cpu.reeve.Seconds() / d.Seconds(), Postgres: cpu.postgres.Seconds() / d.Seconds(),
	}
}

func (r *report) printFloods(w io.Writer) {
	rows := [][]string{{
		"flood", "per second", "refused", "others", "p50 alone", "under", "p99 alone", "under", "factor", "longest alone", "under", "Reeve", "Postgres",
	}}
	for _, f := range r.Floods {
		rows = append(rows, []string{
			f.Flood, short(f.PerSecond), fmt.Sprint(f.flooded.Refused), f.Alone.Kind,
			fmt.Sprintf("%.2f", f.Alone.P50), fmt.Sprintf("%.2f", f.Under.P50),
			fmt.Sprintf("%.2f", f.Alone.P99), fmt.Sprintf("%.2f", f.Under.P99), fmt.Sprintf("%.1f", f.Under.P99/f.Alone.P99),
			fmt.Sprintf("%.1f", f.Alone.Longest), fmt.Sprintf("%.1f", f.Under.Longest),
			fmt.Sprintf("%.2f", f.Reeve), fmt.Sprintf("%.2f", f.Postgres),
		})
	}
	printTable(w, "Waits of five other projects, in ms, while a project floods the server with 64 requests at once", rows)
}

// besieged compares the requests of the other projects with and without an
// attack, kind by kind.
type besieged struct {
	Attack string   `json:"attack"`
	State  string   `json:"state"` // reached, never reached, or - when Postgres does not show it
	Alone  []wait   `json:"alone"`
	Under  []wait   `json:"under"`
	Missed []string `json:"missed,omitempty"` // goals
}

// longestWait is the goal for any request of the others.
const longestWait = 4000 // ms

func siegeOf(name, state string, alone, under []waits) besieged {
	out := besieged{Attack: name, State: state}
	if state == neverReached {
		out.Missed = append(out.Missed, "its state was never reached")
	}
	for i := range alone {
		a, u := waitOf(alone[i]), waitOf(under[i])
		out.Alone, out.Under = append(out.Alone, a), append(out.Under, u)
		if u.Longest >= longestWait {
			out.Missed = append(out.Missed, fmt.Sprintf("%s waited %.1f s", u.Kind, u.Longest/1000))
		}
		for status, n := range u.Refused {
			if a.Refused[status] == 0 {
				out.Missed = append(out.Missed, fmt.Sprintf("%s refused %d times (%s): %s", u.Kind, n, status, u.Example))
			}
		}
	}
	return out
}

// whole adds the kinds up: answered, refused by status, and the longest wait
// with its kind.
func whole(kinds []wait) (good int, refused string, longest wait) {
	byStatus := map[string]int{}
	for _, k := range kinds {
		good += k.Good
		for status, n := range k.Refused {
			byStatus[status] += n
		}
		if k.Longest > longest.Longest {
			longest = k
		}
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		parts = append(parts, fmt.Sprintf("%s: %d", status, byStatus[status]))
	}
	return good, cmp.Or(strings.Join(parts, ", "), "-"), longest
}

func (r *report) printSieges(w io.Writer) {
	rows := [][]string{{
		"attack", "state", "answered alone", "under", "refused alone", "under", "user p50 alone", "under", "p99 alone", "under", "longest alone", "under", "of", "goal",
	}}
	var missed []string
	for _, s := range r.Sieges {
		good, refused, longest := whole(s.Alone)
		goodUnder, refusedUnder, longestUnder := whole(s.Under)
		goal := "met"
		if len(s.Missed) > 0 {
			goal = "missed"
			missed = append(missed, fmt.Sprintf("%s: %s", s.Attack, strings.Join(s.Missed, "; ")))
		}
		user, userUnder := s.Alone[0], s.Under[0]
		rows = append(rows, []string{
			s.Attack, s.State, fmt.Sprint(good), fmt.Sprint(goodUnder), refused, refusedUnder,
			fmt.Sprintf("%.2f", user.P50), fmt.Sprintf("%.2f", userUnder.P50), fmt.Sprintf("%.2f", user.P99), fmt.Sprintf("%.2f", userUnder.P99),
			fmt.Sprintf("%.0f", longest.Longest), fmt.Sprintf("%.0f", longestUnder.Longest), longestUnder.Kind, goal,
		})
	}
	printTable(w, "Requests of five other projects, times in ms, while owners attack the server", rows)
	if len(rows) > 1 {
		fmt.Fprintf(w, "\nThe goal: no request of the others waits for %d s, and none is refused with a status that does not occur without the attack.\n",
			longestWait/1000)
	}
	for _, m := range missed {
		fmt.Fprintf(w, "\nmissed by %s\n", m)
	}
}

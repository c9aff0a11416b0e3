//go:build linux || darwin

package main

import (
	"fmt"
	"io"
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
		"flood", "per second", "refused", "p50 alone", "under", "p99 alone", "under", "factor", "longest alone", "under", "Reeve", "Postgres",
	}}
	for _, f := range r.Floods {
		rows = append(rows, []string{
			f.Flood, short(f.PerSecond), fmt.Sprint(f.flooded.Refused),
			fmt.Sprintf("%.2f", f.Alone.P50), fmt.Sprintf("%.2f", f.Under.P50),
			fmt.Sprintf("%.2f", f.Alone.P99), fmt.Sprintf("%.2f", f.Under.P99), fmt.Sprintf("%.1f", f.Under.P99/f.Alone.P99),
			fmt.Sprintf("%.1f", f.Alone.Longest), fmt.Sprintf("%.1f", f.Under.Longest),
			fmt.Sprintf("%.2f", f.Reeve), fmt.Sprintf("%.2f", f.Postgres),
		})
	}
	printTable(w, "GET /user of five other projects, in ms, while a project floods the server with 64 requests at once", rows)
}

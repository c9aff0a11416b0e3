//go:build linux || darwin

package main

import (
	"encoding/json"
	"os"
	"time"
)

// report is the result of a run. Times are milliseconds, processor time is
// microseconds per request.
type report struct {
	Machine   machine    `json:"machine"`
	Loads     []load     `json:"loads"`
	Creations []creation `json:"creations"`
	Fleet     facts      `json:"fleet"`
	Floods    []beside   `json:"floods,omitempty"`
	Sieges    []besieged `json:"attacks,omitempty"`
	Notes     []string   `json:"notes,omitempty"`
}

// load is a figure of requests per second.
type load struct {
	Name        string  `json:"name"`
	Limit       bool    `json:"limit,omitempty"` // what the machine allows, not what Reeve does
	Connections int     `json:"connections,omitempty"`
	PerSecond   float64 `json:"per_second"`
	P50         float64 `json:"p50_ms"`
	P95         float64 `json:"p95_ms"`
	P99         float64 `json:"p99_ms"`
	Requests    int     `json:"requests"`
	Errors      int     `json:"errors"`
	Reeve       float64 `json:"reeve_cpu_us"`
	Postgres    float64 `json:"postgres_cpu_us"`
	Client      float64 `json:"client_cpu_us"`
	Note        string  `json:"note,omitempty"`
}

func loadOf(name string, s sent, cpu spent) load {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(1, s.done+s.errors)) }
	return load{
		Name: name, PerSecond: float64(s.done) / s.took.Seconds(), Requests: s.done, Errors: s.errors, Note: s.example,
		P50: ms(quantile(s.times, 0.5)), P95: ms(quantile(s.times, 0.95)), P99: ms(quantile(s.times, 0.99)),
		Reeve: each(cpu.reeve), Postgres: each(cpu.postgres), Client: each(cpu.client),
	}
}

// creation is a figure of projects that were created, one after the other.
type creation struct {
	Name      string  `json:"name"`
	Projects  int     `json:"projects"`
	Median    float64 `json:"median_ms"`
	P95       float64 `json:"p95_ms"`
	Longest   float64 `json:"longest_ms"`
	PerSecond float64 `json:"per_second"`
}

// facts are single results, in the order in which they were measured.
type facts []fact

type fact struct {
	When  string `json:"when"`
	What  string `json:"what"`
	Value string `json:"value"`
}

// add leaves out unknown values.
func (f *facts) add(when, what, value string) {
	if value != "" {
		*f = append(*f, fact{when, what, value})
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// save writes the report as JSON; an empty path is nowhere.
func (r *report) save(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

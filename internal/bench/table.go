//go:build linux || darwin

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// print writes the report as Markdown that is readable as plain text.
func (r *report) print(w io.Writer) {
	m := r.Machine
	fmt.Fprintf(w, "%d cores (%s, %s), %s, Postgres %s, data %s", m.Cores, m.Processor, m.System, m.Go, m.Postgres, m.Data)
	if m.Load != "" {
		fmt.Fprintf(w, ", load average before the run %s", m.Load)
	}
	if m.InProcess {
		fmt.Fprint(w, ", server within the benchmark")
	}
	var set []string
	for _, name := range slices.Sorted(maps.Keys(m.Settings)) {
		set = append(set, name+"="+m.Settings[name])
	}
	fmt.Fprintf(w, ".\nPostgres settings: %s.\nClient, server and Postgres share the cores", strings.Join(set, ", "))
	if m.Grouped {
		fmt.Fprint(w, "; during attacks, while all cores are wanted, Postgres gets half of the time, as a service of equal weight")
	}
	fmt.Fprint(w, ".\n")
	r.printLoads(w)
	r.printCreations(w)
	r.printFleet(w)
	r.printFloods(w)
	r.printSieges(w)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
}

func (r *report) printLoads(w io.Writer) {
	rows := [][]string{{"figure", "per second", "p50 ms", "p95 ms", "p99 ms", "requests", "errors", "Reeve", "Postgres", "client"}}
	var notes []string
	for _, l := range r.Loads {
		name := l.Name
		if l.Limit {
			name += " (limit)"
		}
		if l.Note != "" {
			notes = append(notes, fmt.Sprintf("%s: %s", l.Name, l.Note))
		}
		if l.Requests+l.Errors == 0 {
			continue
		}
		rows = append(rows, []string{
			name, short(l.PerSecond), fmt.Sprintf("%.2f", l.P50), fmt.Sprintf("%.2f", l.P95), fmt.Sprintf("%.2f", l.P99),
			fmt.Sprint(l.Requests), fmt.Sprint(l.Errors), cpu(l.Reeve), cpu(l.Postgres), cpu(l.Client),
		})
	}
	printTable(w, "Requests per second, and processor time of each in µs", rows)
	for _, n := range notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
}

func (r *report) printCreations(w io.Writer) {
	rows := [][]string{{"projects created", "number", "median ms", "p95 ms", "longest ms", "per second"}}
	for _, c := range r.Creations {
		rows = append(rows, []string{
			c.Name, fmt.Sprint(c.Projects), fmt.Sprintf("%.1f", c.Median), fmt.Sprintf("%.1f", c.P95), fmt.Sprintf("%.1f", c.Longest), short(c.PerSecond),
		})
	}
	printTable(w, "Creating projects, one after the other", rows)
}

func (r *report) printFleet(w io.Writer) {
	rows := [][]string{{"one process", "what", "found"}}
	for _, f := range r.Fleet {
		rows = append(rows, []string{f.When, f.What, f.Value})
	}
	printTable(w, "One process, many projects", rows)
}

func short(f float64) string {
	if f < 100 {
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.0f", f)
}

// cpu leaves out times that are too short to be seen.
func cpu(us float64) string {
	if us < 0.5 {
		return "-"
	}
	return fmt.Sprintf("%.0f", us)
}

// printTable aligns the columns, numbers to the right; nothing without rows.
func printTable(w io.Writer, title string, rows [][]string) {
	if len(rows) < 2 {
		return
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Fprintf(w, "\n%s:\n\n", title)
	for n, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s ", cell, pad)
			} else {
				fmt.Fprintf(w, "| %s%s ", pad, cell)
			}
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for i := range row {
				rule := strings.Repeat("-", width[i])
				if i > 0 {
					rule = rule[1:] + ":"
				}
				fmt.Fprintf(w, "| %s ", rule)
			}
			fmt.Fprintln(w, "|")
		}
	}
}

//go:build linux || darwin

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 101)
	for i := range hundred {
		hundred[i] = time.Duration(i)
	}
	for _, tc := range []struct {
		name  string
		times []time.Duration
		q     float64
		want  time.Duration
	}{
		{"none", nil, 0.5, 0},
		{"one", hundred[7:8], 0.99, 7},
		{"median", hundred, 0.5, 50},
		{"p95", hundred, 0.95, 95},
		{"p99", hundred, 0.99, 99},
	} {
		if got := quantile(tc.times, tc.q); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	b := &bench{options: options{concurrency: 2}}
	got := b.script("SELECT $1::pg_catalog.uuid, $2 + 1, $1", func(client int) []string {
		return []string{variable("user", client), ":counter"}
	})
	want := "\\if :client_id = 0\nSELECT :user0::pg_catalog.uuid, :counter + 1, :user0;\n" +
		"\\elif :client_id = 1\nSELECT :user1::pg_catalog.uuid, :counter + 1, :user1;\n" +
		"\\endif\n\\set counter :counter + 1\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestReadPgbench(t *testing.T) {
	t.Parallel()
	logs := filepath.Join(t.TempDir(), "figure")
	for name, text := range map[string]string{".12": "0 1 3000 0 1700000000 1\n", ".12.1": "1 1 1000 0 1700000000 2\n1 2 2000 0 1700000000 3\n"} {
		if err := os.WriteFile(logs+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readPgbench([]byte("number of transactions actually processed: 500\ntps = 250.0 (without initial connection time)\n"), logs)
	if err != nil {
		t.Fatal(err)
	}
	if got.done != 500 || got.took != 2*time.Second || quantile(got.times, 0.5) != 2*time.Millisecond || len(got.times) != 3 {
		t.Errorf("got %+v", got)
	}
	if _, err := readPgbench([]byte("pgbench: error: connection failed"), logs); err == nil {
		t.Error("what is no result was read as one")
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	r := report{Loads: []load{
		loadOf("user", sent{took: time.Second, done: 2, times: []time.Duration{time.Millisecond, 3 * time.Millisecond}}, spent{reeve: time.Millisecond}),
		loadOf("refresh", sent{took: time.Second, errors: 1, example: "429 slow down"}, spent{}),
		{Name: "pgbench-user", Limit: true, Note: "pgbench is not installed"},
	}}
	var out strings.Builder
	r.print(&out)
	var table []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "|") {
			table = append(table, line)
		}
	}
	if len(table) != 4 {
		t.Fatalf("%d lines of a table:\n%s", len(table), out.String())
	}
	for _, line := range table {
		if len(line) != len(table[0]) || strings.Count(line, "|") != 11 {
			t.Errorf("not in line: %s", line)
		}
	}
	for _, want := range []string{"refresh: 429 slow down", "pgbench-user: pgbench is not installed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestParseOptions(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-seconds", "-1"}, {"-owner", "-inprocess"}, {"-only", "("}, {"-concurrency", "0"}, {"-projects", "0"}, {"-cpuprofile", "x"}, {"stray"},
	} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	o, err := parseOptions(nil)
	if err != nil || o.duration != 5*time.Second || o.concurrency != 16 || o.projects != 1000 {
		t.Errorf("defaults: %+v, %v", o, err)
	}
	if o, err = parseOptions([]string{"-owner"}); err != nil || o.duration != 12*time.Second {
		t.Errorf("defaults of -owner: %+v, %v", o, err)
	}
}

package dev

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLastPort(t *testing.T) {
	t.Parallel()
	const told = `{"url":"http://localhost:8000","access_token":"t","postgres_url":"postgres://u:p@127.0.0.1:4711/postgres"}`
	cases := map[string]struct {
		state, port string // files, "" for none
		legible     bool
		want        int
	}{
		"first start":        {"", "", true, 0},
		"both":               {told, "4711\n", true, 4711},
		"an older folder":    {told, "", true, 4711},
		"dev.json damaged":   {`{"url":`, "4711\n", false, 4711},
		"dev.json deleted":   {"", "4711\n", true, 4711},
		"another's Postgres": {`{"postgres_url":"postgres://db:5432/x"}`, "4711\n", true, 4711},
		"both damaged":       {"\x00", "x", false, 0},
		"no port":            {told, "70000", true, 4711},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{"dev.json": tc.state, "postgres.port": tc.port} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s, legible := readState(dir)
			if got := lastPort(dir, s); got != tc.want || legible != tc.legible {
				t.Errorf("port %d, legible %t", got, legible)
			}
		})
	}
}

//go:build linux || darwin

package main

import (
	"bufio"
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
)

// machine describes what the figures depend on.
type machine struct {
	Cores     int               `json:"cores"`
	Processor string            `json:"processor,omitempty"`
	System    string            `json:"system"`
	Go        string            `json:"go"`
	Postgres  string            `json:"postgres"`
	Settings  map[string]string `json:"postgres_settings"`
	Data      string            `json:"postgres_data"`
	Load      string            `json:"load_average,omitempty"` // before the run
	InProcess bool              `json:"in_process,omitempty"`
	Grouped   bool              `json:"postgres_cpu_group,omitempty"`
}

func (b *bench) machine(ctx context.Context) (machine, error) {
	m := machine{
		Cores: runtime.NumCPU(), Processor: processor(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Data: b.pg.where, InProcess: b.inProcess, Settings: map[string]string{},
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	err := b.pg.with(ctx, maintenance, func(c *pgx.Conn) error {
		if err := c.QueryRow(ctx, `show server_version`).Scan(&m.Postgres); err != nil {
			return err
		}
		for _, name := range shown {
			var value string
			if err := c.QueryRow(ctx, `select current_setting($1)`, name).Scan(&value); err != nil {
				return err
			}
			m.Settings[name] = value
		}
		return nil
	})
	return m, err
}

func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, _ := strings.Cut(s.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

package main

import (
	"bufio"
	"context"
	"errors"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type keysReportLeak struct {
	Keys    []string `arg:"" optional:"" help:"Their full texts; read from the input, one a line, if left out."`
	FoundAt string   `name:"found-at" placeholder:"URL" help:"Where they were found."`
}

// leakedKey is a key in a report.
type leakedKey struct {
	Token string `json:"token"`
	URL   string `json:"url,omitempty"`
}

// Run reports.
func (k *keysReportLeak) Run(ctx context.Context, p program, r *remote) error {
	keys := k.Keys
	if len(keys) == 0 && p.in != nil {
		lines := bufio.NewScanner(p.in)
		for lines.Scan() {
			if text := strings.TrimSpace(lines.Text()); text != "" {
				keys = append(keys, text)
			}
		}
		if err := lines.Err(); err != nil {
			return err
		}
	}
	if len(keys) == 0 {
		return usage{errors.New("nothing to report: name the keys, or write them to the input")}
	}
	c, err := r.client(p)
	if err != nil {
		return err
	}
	report := make([]leakedKey, len(keys))
	for i, key := range keys {
		report[i] = leakedKey{key, k.FoundAt}
	}
	answer, err := c.Create(ctx, manage.Path("leaked-keys"), report)
	if err != nil {
		return err
	}
	return r.print(p, answer, column{"REPORTED", "message"})
}

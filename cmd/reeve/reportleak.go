package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type keysReportLeak struct {
	Keys    []string `arg:"" optional:"" help:"Their full texts; read from the input, one a line, if left out."`
	FoundAt string   `name:"found-at" placeholder:"URL" help:"Where they were found."`
}

// reportSize is how many keys a report may have.
const reportSize = 100

// leakedKey is a key in a report.
type leakedKey struct {
	Token string `json:"token"`
	URL   string `json:"url,omitempty"`
}

// Run reports. It needs no access token.
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
	c, err := r.anonymous(p)
	if err != nil {
		return err
	}
	var answer json.RawMessage
	for sent := 0; sent < len(keys); sent += reportSize {
		batch := keys[sent:min(sent+reportSize, len(keys))]
		report := make([]leakedKey, len(batch))
		for i, key := range batch {
			report[i] = leakedKey{key, k.FoundAt}
		}
		if answer, err = c.Create(ctx, manage.Path("leaked-keys"), report); err != nil {
			return fmt.Errorf("%d of %d keys are reported: %w", sent, len(keys), err)
		}
	}
	return r.print(p, answer, column{"REPORTED", "message"})
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/manage"
)

type logsCommand struct {
	ofProject
	RequestID string       `placeholder:"ID" help:"Only of one request: the X-Request-Id of its answer."`
	User      string       `placeholder:"ID" help:"Only of one user."`
	Level     string       `enum:"info,warning,error" default:"info" help:"The least level: info, warning or error."`
	Code      string       `placeholder:"CODE" help:"Only with one code."`
	Text      string       `placeholder:"TEXT" help:"Only with this text in the message or the detail."`
	Since     logTime      `placeholder:"TIME" help:"Only from a time on: 2026-05-04T12:00:00Z, or 90m for 90 minutes ago."`
	Until     logTime      `placeholder:"TIME" help:"Only before a time."`
	Limit     messageLimit `default:"100" placeholder:"N" help:"How many at most, up to 1000 (${default})."`
	Follow    bool         `short:"f" help:"Go on with new entries until it is interrupted."`
}

// logTime is a time, or how long ago it is.
type logTime struct{ time.Time }

// UnmarshalText reads a flag.
func (t *logTime) UnmarshalText(text []byte) error {
	if ago, err := time.ParseDuration(string(text)); err == nil && ago >= 0 {
		t.Time = time.Now().Add(-ago)
		return nil
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return errors.New("must be a time such as 2026-05-04T12:00:00Z, or a duration such as 90m")
	}
	t.Time = at
	return nil
}

func logColumns() []column {
	return []column{
		{"AT", "at"},
		{"LEVEL", "level"},
		{"CODE", "code"},
		{"COUNT", "count"},
		{"REQUEST", "request_id"},
		{"USER", "user_id"},
		{"ROUTE", "route"},
		{"MESSAGE", "message"},
		{"DETAIL", "detail"},
	}
}

// followEvery is the interval at which new entries are asked for.
const followEvery = 2 * time.Second

// Run lists the newest entries, the newest first. With --follow the newest is the
// last, and new ones come after it.
func (l *logsCommand) Run(ctx context.Context, p program, r *remote) error {
	c, ref, err := r.project(ctx, p, l.Project)
	if err != nil {
		return err
	}
	path := manage.Path("projects", ref, "logs") + "?"
	entries, err := l.entries(ctx, c, path+l.query().Encode())
	if err != nil {
		return err
	}
	if !l.Follow {
		if len(entries) == 0 && r.Output != "json" {
			_, err := fmt.Fprintln(p.out, "no entries")
			return err
		}
		list, err := entries.list()
		if err != nil {
			return err
		}
		return r.print(p, list, logColumns()...)
	}
	return stopped(ctx, l.follow(ctx, p, r, c, path, entries))
}

func (l *logsCommand) query() url.Values {
	q := url.Values{"limit": {strconv.Itoa(int(l.Limit))}, "level": {l.Level}}
	for name, value := range map[string]string{"request_id": l.RequestID, "user_id": l.User, "code": l.Code, "text": l.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]logTime{"since": l.Since, "until": l.Until} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return q
}

// logEntries are entries of a log as the server sent them, the newest first.
type logEntries []json.RawMessage

func (logsCommand) entries(ctx context.Context, c *manage.Client, path string) (logEntries, error) {
	answer, err := c.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	var page struct {
		Logs logEntries `json:"logs"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return page.Logs, nil
}

// list is the entries as a JSON list.
func (e logEntries) list() (json.RawMessage, error) {
	if e == nil {
		e = logEntries{}
	}
	return json.Marshal(e)
}

// follow prints the entries, the oldest first, and then new ones as they come.
func (l *logsCommand) follow(ctx context.Context, p program, r *remote, c *manage.Client, path string, entries logEntries) error {
	q := l.query()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		slices.Reverse(entries)
		for _, e := range entries {
			if err := r.printLogLine(p, e); err != nil {
				return err
			}
		}
		if n := len(entries); n > 0 {
			var newest struct{ ID string }
			if err := json.Unmarshal(entries[n-1], &newest); err != nil {
				return fmt.Errorf("read an entry: %w", err)
			}
			q.Set("after", newest.ID)
			q.Set("limit", strconv.Itoa(maxMessages))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		var err error
		if entries, err = l.entries(ctx, c, path+q.Encode()); err != nil {
			return err
		}
	}
}

// printLogLine prints one entry as a line: its JSON, or the values of the table.
func (r *remote) printLogLine(p program, entry json.RawMessage) error {
	if r.Output == "json" {
		_, err := fmt.Fprintf(p.out, "%s\n", entry)
		return err
	}
	rows, err := rowsOf(entry)
	if err != nil {
		return err
	}
	var cells []string
	for _, c := range logColumns() {
		if cell := text(toSecond(c, rows[0][c.member])); cell != "" {
			cells = append(cells, cell)
		}
	}
	_, err = fmt.Fprintln(p.out, strings.Join(cells, "  "))
	return err
}

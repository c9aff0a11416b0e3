package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/reevehq/reeve/internal/manage"
)

type sqlCommand struct {
	Ref      string `arg:"" help:"The project: its ref, or its name if no other has it."`
	Query    string `arg:"" optional:"" help:"SQL, one or more statements; the rows of the last one that returns any are shown."`
	File     string `placeholder:"FILE" help:"Read the SQL from a file; - is the standard input."`
	ReadOnly bool   `help:"Run one statement that can change nothing. Who may only read the project needs this."`
	As       string `enum:",owner,anon,authenticated,service_role" default:"" placeholder:"ROLE" help:"Run one statement as a caller of your API: anon, authenticated, service_role or owner. It is rolled back."`
	User     string `placeholder:"ID" help:"With --as authenticated: the user whose claims policies see."`
	Commit   bool   `help:"With --as: keep what the statement did."`
}

// maxSQL is the largest script that the server takes.
const maxSQL = 1 << 20

// Run runs SQL as the project's owner role.
func (s *sqlCommand) Run(ctx context.Context, p program, r *remote) error {
	query, err := s.query(p)
	if err != nil {
		return err
	}
	if s.As == "" && (s.User != "" || s.Commit) {
		return usage{errors.New("--user and --commit need --as")}
	}
	c, ref, err := r.project(ctx, p, s.Ref)
	if err != nil {
		return err
	}
	body := map[string]any{"query": query, "read_only": s.ReadOnly}
	if s.As != "" {
		body["run_as"], body["commit"] = map[string]any{"role": s.As, "user_id": s.User}, s.Commit
	}
	answer, err := c.Post(ctx, manage.Path("projects", ref, "database", "query"), body)
	if err != nil {
		return err
	}
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(answer, &rows); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if len(rows) == 0 {
		fmt.Fprintln(p.err, "No rows.")
		return nil
	}
	names, err := namesOf(rows[0])
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{printable(name), name}
	}
	values, err := rowsOf(answer)
	if err != nil {
		return err
	}
	for _, row := range values {
		for name, value := range row {
			if list, ok := value.([]any); ok {
				raw, err := encode(list)
				if err != nil {
					return fmt.Errorf("read the answer: %w", err)
				}
				row[name] = strings.TrimSpace(string(raw))
			}
		}
	}
	return printTable(p.out, values, columns)
}

// query is the SQL of the command line, or of the file.
func (s *sqlCommand) query(p program) (string, error) {
	switch {
	case s.Query != "" && s.File != "", s.Query == "" && s.File == "":
		return "", usage{errors.New("give the SQL or --file, not both")}
	case s.Query != "":
		return s.Query, nil
	case s.File == "-":
		return readSQL(p.in)
	}
	f, err := os.Open(s.File)
	if err != nil {
		return "", usage{err}
	}
	defer func() { _ = f.Close() }()
	return readSQL(f)
}

func readSQL(from io.Reader) (string, error) {
	var b strings.Builder
	n, err := io.Copy(&b, io.LimitReader(from, maxSQL+1))
	if err != nil {
		return "", usage{fmt.Errorf("read the SQL: %w", err)}
	}
	if n > maxSQL {
		return "", usage{errors.New("the SQL is larger than 1 MB: use psql")}
	}
	return b.String(), nil
}

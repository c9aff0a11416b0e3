package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// column is a column of a table and the member of the JSON in it.
type column struct{ title, member string }

// print prints an answer: as it is, or its objects as rows of a table.
func (r *remote) print(p program, answer json.RawMessage, columns ...column) error {
	if r.Output == "json" {
		return printJSON(p.out, answer)
	}
	rows, err := rowsOf(answer)
	if err != nil {
		return err
	}
	return printTable(p.out, rows, columns)
}

func printJSON(out io.Writer, answer json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(answer), "", "  "); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(out)
	return err
}

// rowsOf returns the objects of a list, or a single one.
func rowsOf(answer json.RawMessage) (rows []map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if bytes.HasPrefix(bytes.TrimSpace(answer), []byte("[")) {
		err = d.Decode(&rows)
	} else {
		var one map[string]any
		err = d.Decode(&one)
		rows = append(rows, one)
	}
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return rows, nil
}

func printTable(out io.Writer, rows []map[string]any, columns []column) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	line := func(cell func(column) string) {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = cell(c)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	line(func(c column) string { return c.title })
	for _, row := range rows {
		line(func(c column) string { return text(toSecond(c, row[c.member])) })
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for l := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(out, strings.TrimRight(l, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// toSecond removes the fraction of a time's second, whose width varies.
func toSecond(c column, v any) any {
	s, ok := v.(string)
	if !ok || c.member != "at" && !strings.HasSuffix(c.member, "_at") {
		return v
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return v
	}
	return at.UTC().Format(time.RFC3339)
}

// encode encodes a value of this program as JSON.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the output is to be copied
	err := e.Encode(v)
	return b.Bytes(), err
}

// show prints such a value as JSON.
func show(p program, v any) error {
	answer, err := encode(v)
	if err != nil {
		return err
	}
	return printJSON(p.out, answer)
}

// maxCell is the longest cell, in characters.
const maxCell = 300

// text shows a JSON value on one line of a terminal, without control
// characters: text of others must not control the terminal.
func text(v any) string {
	var s string
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		s = v
	case []any:
		if len(v) > 0 {
			s = text(v[0])
		}
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		s = string(b)
	}
	s = printable(s)
	if runes := []rune(s); len(runes) > maxCell {
		s = string(runes[:maxCell]) + "…"
	}
	return s
}

// printable replaces each control character by a blank.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// printList prints the members of one object, one per line, in the object's
// order; only the named ones, if there are names.
func printList(out io.Writer, answer json.RawMessage, only ...string) error {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	names, err := namesOf(answer)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, name := range names {
		if len(only) == 0 || slices.Contains(only, name) {
			fmt.Fprintf(w, "%s\t%s\n", text(name), text(members[name]))
		}
	}
	return w.Flush()
}

// namesOf returns the names of an object's members in order.
func namesOf(object json.RawMessage) (names []string, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		names = append(names, fmt.Sprint(name))
	}
	return names, nil
}

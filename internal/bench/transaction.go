//go:build linux || darwin

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// transaction is a transaction of the server's that pgbench runs too. Its
// statements are those that Postgres logs while the server does a request, so that
// they are always the server's.
type transaction struct {
	name    string
	marker  string // in one of its statements, and in no other transaction of the request
	request func(worker int) []byte
	// arguments are SQL for values of the worker's transaction that each run needs
	// anew; ids that belong to no account are new in any case.
	arguments func(worker int) map[string]string
}

func pgbenchOf(figure string) string { return "pgbench-" + figure }

// pgbenchTransaction runs a transaction with pgbench and reports it.
func (b *bench) pgbenchTransaction(ctx context.Context, t transaction, p *project) error {
	if !b.wants(t.name) {
		return nil
	}
	progress("%s", t.name)
	program, err := findPgbench()
	if err != nil {
		b.report.Loads = append(b.report.Loads, load{Name: t.name, Limit: true, Note: err.Error()})
		return nil
	}
	database := "reeve_" + p.Ref
	recorded, err := b.record(ctx, t, database)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	script := filepath.Join(b.temp, t.name+".sql")
	if err := os.WriteFile(script, []byte(b.transactionScript(t, recorded)), 0o600); err != nil {
		return err
	}
	// The server would find the rows that pgbench writes, and mails that it cannot
	// read.
	if err := b.stopServer(); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	accounts := b.accounts
	b.accounts = nil // they have no session, and the script has their ids
	got, cpu, err := b.runPgbench(ctx, program, database, script)
	b.accounts = accounts
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	l := loadOf(t.name, got, cpu)
	l.Limit = true
	l.Note = fmt.Sprintf("%d statements in a transaction", len(recorded[0])-2)
	b.report.Loads = append(b.report.Loads, l)
	return b.restart(ctx)
}

// record has the server do the request of each worker once, and returns the
// statements of its transactions.
func (b *bench) record(ctx context.Context, t transaction, database string) ([][]string, error) {
	if err := b.logStatements(ctx, "SET log_statement = 'all'"); err != nil {
		return nil, err
	}
	transactions := make([][]string, b.concurrency)
	// One after the other: only the order in the log tells them apart.
	err := each(ctx, b.addr, 1, b.concurrency, func(c *conn, w int) error {
		from, err := b.pg.logged()
		if err != nil {
			return err
		}
		if _, err := good(c.do(t.request(w))); err != nil {
			return err
		}
		log, err := b.pg.logFrom(from)
		if err != nil {
			return err
		}
		transactions[w] = transactionOf(log, database, t.marker)
		if transactions[w] == nil {
			return fmt.Errorf("no transaction with %q in Postgres's log", t.marker)
		}
		return nil
	})
	return transactions, errors.Join(err, b.logStatements(ctx, "RESET log_statement"))
}

// logStatements changes whether Postgres logs statements, for every connection.
func (b *bench) logStatements(ctx context.Context, change string) error {
	return b.pg.with(ctx, maintenance, func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "ALTER SYSTEM "+change); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "SELECT pg_reload_conf()")
		time.Sleep(500 * time.Millisecond) // backends reload before their next statement
		return err
	})
}

// logFile is where devpg keeps Postgres's log.
func (p *postgres) logFile() string { return filepath.Join(p.dir, "postgres.log") }

func (p *postgres) logged() (int64, error) {
	fi, err := os.Stat(p.logFile())
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

func (p *postgres) logFrom(offset int64) (string, error) {
	raw, err := os.ReadFile(p.logFile())
	if err != nil {
		return "", err
	}
	return string(raw[min(offset, int64(len(raw))):]), nil
}

// An entry of the log is a line with the prefix "time [pid] user@database ", and
// the lines behind it that begin with a tab.
var (
	logEntry   = regexp.MustCompile(`^\S+ \S+ \S+ \[(\d+)\] \S+@(\S+) (\w+):  (.*)$`)
	logged     = regexp.MustCompile(`(?s)^(?:statement|execute [^:]*): (.*)$`)
	logPending = "parameters: "
)

// transactionOf returns the statements of the first transaction of the database
// that has the marker, with the values of their parameters, from BEGIN to COMMIT;
// nil if there is none.
func transactionOf(log, database, marker string) []string {
	open := map[string][]string{} // by connection
	var done [][]string
	var pid, kind, text string
	flush := func() {
		if kind == "DETAIL" && strings.HasPrefix(text, logPending) {
			if of := open[pid]; len(of) > 0 {
				of[len(of)-1] = withValues(of[len(of)-1], strings.TrimPrefix(text, logPending))
			}
		}
		statement := logged.FindStringSubmatch(text)
		if kind != "LOG" || statement == nil {
			return
		}
		switch sql := statement[1]; {
		case strings.EqualFold(sql, "begin"):
			open[pid] = []string{"BEGIN"}
		case strings.EqualFold(sql, "commit") && open[pid] != nil:
			done = append(done, append(open[pid], "COMMIT"))
			delete(open, pid)
		case open[pid] != nil:
			open[pid] = append(open[pid], sql)
		}
	}
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\n")
		if more, ok := strings.CutPrefix(line, "\t"); ok {
			text += "\n" + more
			continue
		}
		flush()
		kind = ""
		if m := logEntry.FindStringSubmatch(line); m != nil && m[2] == database {
			pid, kind, text = m[1], m[3], m[4]
		}
	}
	flush()
	for _, t := range done {
		if strings.Contains(strings.Join(t, "\n"), marker) {
			return t
		}
	}
	return nil
}

var parameter = regexp.MustCompile(`\$(\d+) = (NULL|'(?:[^']|'')*')`)

// withValues puts the logged values into a statement.
func withValues(statement, values string) string {
	given := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(values, -1) {
		given[m[1]] = literal(m[2])
	}
	return placeholder.ReplaceAllStringFunc(statement, func(p string) string { return cmp.Or(given[p[1:]], p) })
}

// literal hides the colons of a text from pgbench, which would take the words
// behind them for variables.
func literal(quoted string) string {
	if !strings.Contains(quoted, ":") {
		return quoted
	}
	return "E" + strings.ReplaceAll(strings.ReplaceAll(quoted, `\`, `\\`), ":", `\x3A`)
}

var quotedID = regexp.MustCompile(`'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'`)

// transactionScript has a branch for each client, as replay's script. A statement
// of its own, before the transaction, computes the values that are new in each
// run.
func (b *bench) transactionScript(t transaction, recorded [][]string) string {
	known := map[string]bool{"'00000000-0000-0000-0000-000000000000'": true}
	for _, a := range b.accounts {
		known["'"+a.User.ID+"'"] = true
	}
	var out strings.Builder
	for client, statements := range recorded {
		fresh := map[string]string{}
		if t.arguments != nil {
			maps.Copy(fresh, t.arguments(client))
		}
		all := strings.Join(statements, ";\n") + ";\n"
		for _, id := range quotedID.FindAllString(all, -1) {
			if !known[id] && fresh[id] == "" {
				fresh[id] = "pg_catalog.gen_random_uuid()"
			}
		}
		word := `\elif`
		if client == 0 {
			word = `\if`
		}
		fmt.Fprintf(&out, "%s :client_id = %d\n", word, client)
		var computed []string
		for i, id := range slices.Sorted(maps.Keys(fresh)) {
			name := "new" + strconv.Itoa(i)
			computed = append(computed, fresh[id]+" AS "+name)
			all = strings.ReplaceAll(all, id, ":"+name)
		}
		if len(computed) > 0 {
			fmt.Fprintf(&out, "SELECT %s \\gset\n", strings.Join(computed, ", "))
		}
		out.WriteString(all)
	}
	return out.String() + "\\endif\n\\set counter :counter + 1\n"
}

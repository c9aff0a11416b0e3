package typegen

import (
	"context"
	"errors"
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/testkit"
)

var update = flag.Bool("update", false, "write the expected files")

func TestMain(m *testing.M) { testkit.Main(m) }

// generate returns the types of a database that SQL has made.
func generate(t *testing.T, sql string, schemas ...string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), testkit.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY);"+sql); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SET search_path = pg_catalog"); err != nil {
		t.Fatal(err)
	}
	var out string
	err = pgx.BeginTxFunc(t.Context(), conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		out, err = TypeScript(t.Context(), tx, schemas)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTypeScript compares the types of testdata/schema.sql with the expected ones.
// clients/cli/sql.test.js compares them with what the stock CLI makes of the database.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	sql, err := os.ReadFile("testdata/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	for file, schemas := range map[string][]string{"testdata/both.ts": {"public", "app", "nowhere"}, "testdata/app.ts": {"app"}} {
		got := generate(t, string(sql), schemas...)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", file, diff)
		}
	}
}

// TestHostileNames: names are data wherever they stand, and nothing of the
// developer's is called.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	got := generate(t, `SET search_path = public;
		CREATE FUNCTION pg_relation_is_updatable(oid, boolean) RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE ''called''; END';
		CREATE TABLE "x: string }; evil: {" ("a""; b" int, "line
break" int, "*/" int, "\\" int, "${x}" int, "\u2028" int);
		CREATE TYPE "e'" AS ENUM ('"; evil', 'a
b');
		CREATE VIEW v AS SELECT 1 AS ":resorigtbl", 2 AS "}", 3 AS "(", "a""; b" AS ":resno 1" FROM "x: string }; evil: {";`, "public")
	for _, want := range []string{
		`"x: string }; evil: {": {`, `"a\"; b": number | null`, `"line\nbreak": number | null`, `"e'": "\"; evil" | "a\nb"`,
		`":resorigtbl": number | null`, `"}": number | null`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// TestTooLarge: a schema whose types multiply is refused, and quickly.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), testkit.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), `CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a);
		DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE VIEW v%s AS SELECT id, b FROM a', i); END LOOP; END $$; SET search_path = pg_catalog`)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TypeScript(t.Context(), tx, []string{"public"}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("300 views of a table that refers to itself: %v", err)
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	got := generate(t, "", "public")
	if strings.Count(got, "[_ in never]: never") != 5 || !strings.Contains(got, "export const Constants = {\n  public: {\n    Enums: {},\n  },\n} as const\n") {
		t.Error(got)
	}
}

// FuzzParseRule: no text makes the parser or the search for origins fail.
func FuzzParseRule(f *testing.F) {
	f.Add(`({QUERY :commandType 1 :rtable ({RANGETBLENTRY :rtekind 0 :relid 1}) :jointree {FROMEXPR :fromlist ({RANGETBLREF :rtindex 1})} :targetList ({TARGETENTRY :expr {VAR :varno 1 :varattno 1 :varlevelsup 0} :resno 1 :resname a\ b :resorigtbl 1 :resorigcol 1 :resjunk false})})`)
	f.Add(`({QUERY :rtable ({RANGETBLENTRY :rtekind 2 :joinaliasvars ({VAR :varno 1 :varattno 1 :varlevelsup 0})}) :targetList ({TARGETENTRY :expr {VAR :varno 1 :varattno 1 :varlevelsup 0} :resno 1})})`)
	f.Add(`({QUERY :cteList ({COMMONTABLEEXPR :ctename x :ctequery {QUERY}}) :rtable ({RANGETBLENTRY :rtekind 6 :ctename x :ctelevelsup 0}) :targetList ({TARGETENTRY :expr {VAR :varno 1 :varattno 1} :resno 1})})`)
	f.Add(strings.Repeat("({", 300))
	f.Fuzz(func(t *testing.T, text string) {
		table := &relation{id: 1, columns: []*column{{number: 1, name: "a"}}}
		view := &relation{id: 2, view: true, columns: []*column{{number: 1, name: "a", nullable: true}}}
		db := &database{relations: []*relation{table, view}, byID: map[uint32]*relation{1: table, 2: view}}
		v := views{db: db, queries: map[uint32]*node{2: parseRule(text)}}
		v.trace()
	})
}

// TestWorkIsBounded: what multiplies is counted where it is made. It is not parallel,
// because it counts what the process allocates.
func TestWorkIsBounded(t *testing.T) {
	labels := make([]string, 20_000)
	for i := range labels {
		labels[i] = strings.Repeat("x", 63)
	}
	wide := &relation{id: 1, schema: "public", name: "wide"}
	for i := range 400 {
		wide.columns = append(wide.columns, &column{number: int16(i + 1), name: "c", typeID: 10})
	}
	elsewhere := map[uint32]*typ{
		10: {id: 10, schema: "elsewhere", name: "e", kind: 'e', values: labels},
		11: {id: 11, schema: "public", name: "wide", kind: 'c', relation: 1},
	}
	var same []*function
	for range 5_000 {
		same = append(same, &function{schema: "public", name: "f", args: []argument{{name: "a", typeID: 12}}, returns: 12})
	}
	for name, db := range map[string]*database{
		"result":    {schemas: []string{"public"}, types: elsewhere, functions: []*function{{schema: "public", name: "f", returns: 11, set: true}}, byID: map[uint32]*relation{1: wide}},
		"overloads": {schemas: []string{"public"}, functions: same},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := db.typeScript(t.Context())
		runtime.ReadMemStats(&after)
		if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; !errors.Is(err, ErrTooLarge) || grown > 600 {
			t.Errorf("%s: %v after %d MB", name, err, grown)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := (&database{schemas: []string{"public"}, functions: same[:1000]}).typeScript(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context has ended: %v", err)
	}
}

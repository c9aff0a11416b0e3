package typegen

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// typeScript writes the types, with two blanks for each level and no semicolons.
func (db *database) typeScript(ctx context.Context) (out string, err error) {
	w := writer{database: db, order: collate.New(language.English), ctx: ctx}
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case spent:
			out, err = "", cause.err
		default:
			panic(cause)
		}
	}()
	w.sort()
	w.index()
	w.line("export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]")
	w.line("")
	w.block("export type Database = {", func() {
		for _, schema := range db.schemas {
			w.block(property(schema)+": {", func() { w.schema(schema) })
		}
	}, "}")
	w.text.WriteString(helpers(db.defaultSchema()))
	w.block("export const Constants = {", func() {
		for _, schema := range db.schemas {
			w.block(property(schema)+": {", func() { w.constants(schema) }, "},")
		}
	}, "} as const")
	return w.text.String(), nil
}

// maxWork bounds what is looked at and made on the way, in bytes and steps: names of
// types that are repeated, functions of one name, keys seen from views multiply.
const maxWork = 64 << 20

// spent ends the writing from wherever it is.
type spent struct{ err error }

// spend counts work. It panics with a spent when there was too much, or when the
// context has ended; typeScript recovers.
func (w *writer) spend(n int) {
	before := w.work
	if w.work += n + 1; w.work > maxWork {
		panic(spent{ErrTooLarge})
	}
	if before>>16 != w.work>>16 {
		if err := w.ctx.Err(); err != nil {
			panic(spent{err})
		}
	}
}

// defaultSchema is the one whose names the helper types take without a schema.
func (db *database) defaultSchema() string {
	if len(db.schemas) == 0 || slices.Contains(db.schemas, "public") {
		return "public"
	}
	return db.schemas[0]
}

type writer struct {
	*database
	order *collate.Collator
	text  strings.Builder
	depth int
	ctx   context.Context //nolint:containedctx // of the one call that it lives for
	work  int             // see spend
	// computed are the functions that are shown as fields of a relation, keysOf the
	// foreign keys of a table, and shownBy the relations that show a table.
	computed map[*relation][]*function
	keysOf   map[uint32][]key
	shownBy  map[uint32][]*relation
	// related counts the relationships.
	related int
}

// index finds what belongs together. It follows sort.
func (w *writer) index() {
	w.computed, w.keysOf, w.shownBy = map[*relation][]*function{}, map[uint32][]key{}, map[uint32][]*relation{}
	for _, f := range w.functions {
		if len(f.args) != 1 {
			continue
		}
		if r := w.rowOf(f.args[0].typeID); r != nil && r.schema == f.schema {
			w.computed[r] = append(w.computed[r], f)
		}
	}
	for _, k := range w.keys {
		w.keysOf[k.from] = append(w.keysOf[k.from], k)
	}
	for _, r := range w.relations {
		for _, table := range w.tablesOf(r) {
			w.shownBy[table] = append(w.shownBy[table], r)
		}
	}
}

// tablesOf returns the tables whose columns a relation shows.
func (w *writer) tablesOf(r *relation) []uint32 {
	if !r.view {
		return []uint32{r.id}
	}
	var out []uint32
	for _, c := range r.columns {
		for _, o := range c.origins {
			w.spend(len(out))
			if !slices.Contains(out, o.relation) {
				out = append(out, o.relation)
			}
		}
	}
	return out
}

func (w *writer) line(text string) {
	w.spend(len(text))
	if w.text.Len()+len(text) > maxOutput {
		panic(spent{ErrTooLarge})
	}
	if text != "" {
		w.text.WriteString(strings.Repeat("  ", w.depth))
	}
	w.text.WriteString(text + "\n")
}

// block writes lines that are indented, between a first and a last one, which is "}" by
// default.
func (w *writer) block(first string, lines func(), last ...string) {
	w.line(first)
	w.depth++
	lines()
	w.depth--
	w.line(strings.Join(append(last, "}")[:1], ""))
}

// section writes a member that is never empty.
func (w *writer) section(name string, n int, lines func()) {
	w.block(name+": {", func() {
		if n == 0 {
			w.line("[_ in never]: never")
		}
		lines()
	})
}

// sort orders all that is written by its name, as people in English expect it.
func (w *writer) sort() {
	slices.SortFunc(w.schemas, w.compare)
	slices.SortFunc(w.relations, func(a, b *relation) int { return cmp.Or(w.compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	for _, r := range w.relations {
		slices.SortFunc(r.columns, func(a, b *column) int { return w.compare(a.name, b.name) })
	}
	slices.SortStableFunc(w.functions, func(a, b *function) int { return w.compare(a.name, b.name) })
}

func (w *writer) compare(a, b string) int {
	return cmp.Or(w.order.CompareString(a, b), strings.Compare(a, b))
}

// quote returns a TypeScript string.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// property returns a name as a member of a type: quoted, unless it is a plain word.
func property(name string) string {
	for i, r := range name {
		letter := r == '_' || r == '$' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return quote(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

func (w *writer) schema(schema string) {
	var tables, views []*relation
	for _, r := range w.relations {
		switch {
		case r.schema != schema:
		case r.view:
			views = append(views, r)
		default:
			tables = append(tables, r)
		}
	}
	w.section("Tables", len(tables), func() {
		for _, t := range tables {
			w.relation(t)
		}
	})
	w.section("Views", len(views), func() {
		for _, v := range views {
			w.relation(v)
		}
	})
	w.functionsOf(schema)
	var enums, composites []*typ
	for _, t := range w.types {
		if t.schema == schema && len(t.values) > 0 {
			enums = append(enums, t)
		}
		if t.schema == schema && len(t.attributes) > 0 {
			composites = append(composites, t)
		}
	}
	byName := func(a, b *typ) int { return w.compare(a.name, b.name) }
	slices.SortFunc(enums, byName)
	slices.SortFunc(composites, byName)
	w.section("Enums", len(enums), func() {
		for _, t := range enums {
			w.line(property(t.name) + ": " + w.union(t.values))
		}
	})
	w.section("CompositeTypes", len(composites), func() {
		for _, t := range composites {
			w.block(property(t.name)+": {", func() {
				for _, a := range t.attributes {
					w.line(property(a.name) + ": " + orNull(w.typeOf(a.typeID), true))
				}
			})
		}
	})
}

func (w *writer) constants(schema string) {
	var enums []*typ
	for _, t := range w.types {
		if t.schema == schema && len(t.values) > 0 {
			enums = append(enums, t)
		}
	}
	slices.SortFunc(enums, func(a, b *typ) int { return w.compare(a.name, b.name) })
	if len(enums) == 0 {
		w.line("Enums: {},")
		return
	}
	w.block("Enums: {", func() {
		for _, t := range enums {
			quoted := make([]string, len(t.values))
			for i, v := range t.values {
				quoted[i] = quote(v)
			}
			w.line(property(t.name) + ": [" + strings.Join(quoted, ", ") + "],")
		}
	}, "},")
}

func (w *writer) union(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		w.spend(len(v) + len(" | "))
		quoted[i] = quote(v)
	}
	return strings.Join(quoted, " | ")
}

const unknown = "unknown"

// orNull adds null to a type. Whatever is not null and may be any JSON is told so.
func orNull(ts string, nullable bool) string {
	switch {
	case ts == unknown:
		return ts
	case nullable:
		return ts + " | null"
	case ts == "Json":
		return "NonNullable<Json>"
	}
	return ts
}

func (w *writer) relation(r *relation) {
	computed := w.computed[r]
	w.block(property(r.name)+": {", func() {
		w.block("Row: {", func() {
			for _, c := range r.columns {
				w.line(property(c.name) + ": " + w.columnType(c))
			}
			for _, f := range computed {
				w.member(property(f.name)+": ", w.result(f), strings.TrimPrefix(orNull(w.typeOf(f.returns), true), w.typeOf(f.returns)))
			}
		})
		names := make([]string, len(computed))
		for i, f := range computed {
			names[i] = f.name
		}
		w.line("ComputedFields: " + cmp.Or(w.union(names), "never"))
		if !r.view || r.insertable {
			w.block("Insert: {", func() { w.written(r, true) })
		}
		if !r.view || r.updatable {
			w.block("Update: {", func() { w.written(r, false) })
		}
		w.relationships(r)
	})
}

func (w *writer) columnType(c *column) string {
	return orNull(w.typeOf(w.baseOf(c.typeID)), c.nullable)
}

// baseOf returns the type that a domain is of.
func (w *writer) baseOf(id uint32) uint32 {
	for depth := 0; depth < maxDepth; depth++ {
		t := w.types[id]
		if t == nil || t.kind != 'd' {
			return id
		}
		id = t.base
	}
	return id
}

// written writes the columns of Insert or Update.
func (w *writer) written(r *relation, insert bool) {
	for _, c := range r.columns {
		switch {
		case c.generated, r.view && !c.updatable && r.updatable: // without: by a trigger
			w.line(property(c.name) + "?: never")
		case r.view:
			w.line(property(c.name) + "?: " + orNull(w.typeOf(w.baseOf(c.typeID)), true))
		case insert && !c.optional && !c.nullable:
			w.line(property(c.name) + ": " + w.columnType(c))
		default:
			w.line(property(c.name) + "?: " + w.columnType(c))
		}
	}
}

// member writes a member whose type may have several lines.
func (w *writer) member(before string, lines []string, after string) {
	for i, line := range lines {
		if i == 0 {
			line = before + line
		}
		if i == len(lines)-1 {
			line += after
		}
		w.line(line)
	}
}

// relationship is a foreign key as seen from tables and views.
type relationship struct {
	name                string
	columns, references []string
	oneToOne            bool
	to                  string
}

func (w *writer) relationships(r *relation) {
	var all []relationship
	for _, table := range w.tablesOf(r) {
		for _, k := range w.keysOf[table] {
			for _, columns := range w.showing(r, k.from, k.columns) {
				all = append(all, w.seen(r, k, columns)...)
			}
		}
	}
	if len(all) == 0 {
		w.line("Relationships: []")
		return
	}
	slices.SortStableFunc(all, func(a, b relationship) int {
		return cmp.Or(w.compare(a.name, b.name), w.compare(a.to, b.to), w.compare(list(a.references), list(b.references)))
	})
	w.block("Relationships: [", func() {
		for _, one := range all {
			w.block("{", func() {
				w.line("foreignKeyName: " + quote(one.name))
				w.line("columns: " + list(one.columns))
				w.line(fmt.Sprintf("isOneToOne: %t", one.oneToOne))
				w.line("referencedRelation: " + quote(one.to))
				w.line("referencedColumns: " + list(one.references))
			}, "},")
		}
	}, "]")
}

// seen returns a foreign key, whose columns a relation shows under these names, for
// every relation of the schema that shows what it references.
func (w *writer) seen(r *relation, k key, columns []string) (out []relationship) {
	for _, to := range w.shownBy[k.to] {
		w.spend(1)
		if to.schema != r.schema {
			continue
		}
		for _, references := range w.showing(to, k.to, k.references) {
			out = append(out, relationship{k.name, columns, references, k.isOneToOne, to.name})
			if w.related++; w.related > maxRelated {
				panic(spent{ErrTooLarge})
			}
		}
	}
	return out
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// maxShown bounds the ways in which a view shows the columns of one foreign key.
const maxShown = 16

// showing returns the names under which a relation shows columns of a table, in each
// way in which it shows them all: itself, or a view of it.
func (w *writer) showing(r *relation, table uint32, columns []int16) [][]string {
	if !r.view && r.id != table {
		return nil
	}
	ways := [][]string{nil}
	for _, number := range columns {
		var next [][]string
		for _, c := range r.columns {
			w.spend(len(c.origins))
			if !r.view && c.number != number || r.view && !slices.Contains(c.origins, origin{table, number}) {
				continue
			}
			for _, way := range ways {
				if len(next) < maxShown {
					next = append(next, append(slices.Clone(way), c.name))
				}
			}
		}
		ways = next
	}
	return ways
}

package typegen

import (
	"cmp"
	"slices"
	"strings"
)

// scalars are the types of TypeScript for types of Postgres.
var scalars = map[string]string{
	"bool": "boolean",
	"int2": "number", "int4": "number", "int8": "number", "float4": "number", "float8": "number", "numeric": "number",
	"bytea": "string", "bpchar": "string", "varchar": "string", "text": "string", "citext": "string", "uuid": "string", "vector": "string",
	"date": "string", "time": "string", "timetz": "string", "timestamp": "string", "timestamptz": "string", "interval": "string",
	"json": "Json", "jsonb": "Json", "void": "undefined", "record": "Record<string, unknown>",
}

// typeOf returns the type of TypeScript for a type of Postgres.
func (w *writer) typeOf(id uint32) string {
	w.spend(1)
	t := w.types[id]
	if t == nil || t.kind == 'd' {
		return unknown
	}
	if t.element != 0 {
		element := w.typeOf(t.element)
		if strings.Contains(element, "|") {
			element = "(" + element + ")"
		}
		return element + "[]"
	}
	if scalar, ok := scalars[t.name]; ok && (t.schema == "pg_catalog" || t.name == "citext" || t.name == "vector") {
		return scalar
	}
	included := slices.Contains(w.schemas, t.schema)
	place := "Database[" + quote(t.schema) + "]"
	switch {
	case len(t.values) > 0 && included:
		return place + `["Enums"][` + quote(t.name) + "]"
	case len(t.values) > 0:
		return w.union(t.values)
	case t.relation == 0 || !included:
		return unknown
	}
	switch r := w.byID[t.relation]; {
	case r == nil:
		return place + `["CompositeTypes"][` + quote(t.name) + "]"
	case r.view:
		return place + `["Views"][` + quote(r.name) + `]["Row"]`
	default:
		return place + `["Tables"][` + quote(r.name) + `]["Row"]`
	}
}

// rowOf returns the relation that a type is the row of, if its schema is included.
func (w *writer) rowOf(id uint32) *relation {
	t := w.types[id]
	if t == nil || t.relation == 0 || !slices.Contains(w.schemas, t.schema) {
		return nil
	}
	return w.byID[t.relation]
}

// result returns the type of a function's result without the brackets of a set, in lines.
func (w *writer) result(f *function) []string {
	object := func(members []string) []string {
		out := []string{"{"}
		for _, m := range members {
			out = append(out, "  "+m)
		}
		return append(out, "}")
	}
	if len(f.results) > 0 {
		var members []string
		for _, a := range f.results {
			members = append(members, property(a.name)+": "+w.typeOf(a.typeID))
		}
		return object(members)
	}
	if r := w.rowOf(f.returns); r != nil && r.schema == f.schema {
		var members []string
		for _, c := range r.columns {
			w.spend(len(c.name))
			members = append(members, property(c.name)+": "+w.columnType(c))
		}
		return object(members)
	}
	return []string{w.typeOf(f.returns)}
}

// callable reports whether clients can name the arguments of a function: all have
// names, or the only one has none and is a text, JSON or a row.
func (w *writer) callable(f *function) bool {
	unnamed := slices.ContainsFunc(f.args, func(a argument) bool { return a.name == "" })
	if !unnamed {
		return true
	}
	if len(f.args) != 1 {
		return false
	}
	t := w.types[f.args[0].typeID]
	return t != nil && (t.schema == "pg_catalog" && (t.name == "text" || t.name == "json" || t.name == "jsonb") || w.rowOf(t.id) != nil)
}

func (w *writer) functionsOf(schema string) {
	var names []string
	byName := map[string][]*function{}
	for _, f := range w.functions {
		if f.schema != schema || !w.callable(f) {
			continue
		}
		if byName[f.name] == nil {
			names = append(names, f.name)
		}
		byName[f.name] = append(byName[f.name], f)
	}
	w.section("Functions", len(names), func() {
		for _, name := range names {
			w.overloads(name, byName[name])
		}
	})
}

func (w *writer) overloads(name string, all []*function) {
	conflict := w.conflict(all)
	signatures := make([][]string, len(all))
	for i, f := range all {
		signatures[i] = w.signature(f, conflict)
	}
	slices.SortFunc(signatures, func(a, b []string) int { return cmp.Compare(strings.Join(a, "\n"), strings.Join(b, "\n")) })
	if len(signatures) == 1 {
		w.member(property(name)+": ", signatures[0], "")
		return
	}
	w.line(property(name) + ":")
	w.depth++
	for _, s := range signatures {
		w.member("| ", s, "")
	}
	w.depth--
}

// conflict is the message for functions of the same name between which a client cannot
// choose: each has one argument, of the same name.
func (w *writer) conflict(all []*function) string {
	if len(all) < 2 {
		return ""
	}
	var shown []string
	for _, f := range all {
		if len(f.args) != 1 || f.args[0].name == "" || f.args[0].optional || f.args[0].name != all[0].args[0].name {
			return ""
		}
		typeName := unknown
		if t := w.types[f.args[0].typeID]; t != nil {
			typeName = t.name
		}
		w.spend(len(f.schema) + len(f.name) + len(f.args[0].name) + len(typeName))
		shown = append(shown, f.schema+"."+f.name+"("+f.args[0].name+" => "+typeName+")")
	}
	return "Could not choose the best candidate function between: " + strings.Join(shown, ", ") +
		". Try renaming the parameters or the function itself in the database so function overloading can be resolved"
}

// signature returns a function's arguments and result as an object type, in lines.
func (w *writer) signature(f *function, conflict string) []string {
	w.spend(len(f.args))
	args := slices.Clone(f.args)
	slices.SortFunc(args, func(a, b argument) int { return w.compare(a.name, b.name) })
	members := make([]string, len(args))
	for i, a := range args {
		name, ts := property(a.name), w.typeOf(a.typeID)
		if a.optional {
			name += "?"
		}
		if r := w.rowOf(a.typeID); r != nil && a.name != "" {
			whole := strings.TrimSuffix(ts, `["Row"]`)
			ts = "Omit<" + ts + ", " + whole + `["ComputedFields"]>`
		}
		members[i] = name + ": " + ts
	}
	out := []string{"{"}
	if len(members) == 0 {
		out = append(out, "  Args: Record<PropertyKey, never>")
	} else {
		out = append(out, "  Args: { "+strings.Join(members, "; ")+" }")
	}
	options := w.setofOptions(f)
	oneRow := options != nil && f.oneRow
	after := ""
	if f.set && !oneRow {
		after = "[]"
	}
	result := w.result(f)
	if len(f.args) == 1 && f.args[0].name == "" && w.rowOf(f.args[0].typeID) != nil {
		conflict = "the function " + f.schema + "." + f.name +
			" with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
	}
	if conflict != "" {
		w.spend(len(conflict))
		result, after = []string{"{ error: true } & " + quote(conflict)}, ""
	}
	for i, line := range result {
		if i == 0 {
			line = "Returns: " + line
		}
		if i == len(result)-1 {
			if strings.Contains(line, "|") && after != "" && len(result) == 1 {
				line = "Returns: (" + strings.TrimPrefix(line, "Returns: ") + ")"
			}
			line += after
		}
		out = append(out, "  "+line)
	}
	return append(append(out, options...), "}")
}

// setofOptions returns the member that tells what a function's rows can be embedded
// with; nil for other functions.
func (w *writer) setofOptions(f *function) []string {
	t := w.types[f.returns]
	if t == nil || len(f.results) > 0 || t.relation == 0 || t.schema == "pg_catalog" {
		return nil
	}
	from := "*"
	if len(f.args) == 1 {
		if r := w.rowOf(f.args[0].typeID); r != nil {
			from = qualified(r.schema, r.name)
		}
	}
	oneToOne := !f.set || f.oneRow
	return []string{
		"  SetofOptions: {",
		"    from: " + quote(from),
		"    to: " + quote(t.name),
		"    isOneToOne: " + boolean(oneToOne),
		"    isSetofReturn: " + boolean(f.set),
		"  }",
	}
}

// qualified is a name as Postgres writes it with public as the search path.
func qualified(schema, name string) string {
	out := identifier(name)
	if schema != "public" {
		out = identifier(schema) + "." + out
	}
	return out
}

func identifier(name string) string {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

package typegen

import (
	"strconv"
	"strings"
)

// Postgres stores a view as a tree of nodes in text form (pg_node_tree): a node is
// {TYPE :field value ...}, a list is (value ...). Only what leads from a column of the
// view to a column of a table is looked at; what is not understood counts as computed.

// node is a node, a list or a word.
type node struct {
	kind   string // of a node; "" for a list
	fields map[string]*node
	list   []*node
	word   string
}

// maxDepth bounds the nesting of nodes, and of views and subqueries.
const maxDepth = 200

// parseRule returns the query of a view; nil for what is not understood.
func parseRule(text string) *node {
	p := rule{text: text}
	root := p.value(0)
	if root == nil || len(root.list) == 0 {
		return nil
	}
	return root.list[0]
}

type rule struct{ text string }

// peek returns the next token without consuming it.
func (p *rule) peek() string {
	p.text = strings.TrimLeft(p.text, " \n\t")
	if p.text == "" {
		return ""
	}
	if strings.IndexByte("(){}", p.text[0]) >= 0 {
		return p.text[:1]
	}
	end := 0
	for end < len(p.text) && strings.IndexByte(" \n\t(){}", p.text[end]) < 0 {
		if p.text[end] == '\\' {
			end++
		}
		end++
	}
	return p.text[:min(end, len(p.text))]
}

func (p *rule) next() string {
	token := p.peek()
	p.text = p.text[len(token):]
	return token
}

// value reads a value; nil at the end, or where nodes are nested too deeply.
func (p *rule) value(depth int) *node {
	if depth > maxDepth {
		p.text = ""
		return nil
	}
	switch token := p.next(); token {
	case "", "}", ")":
		return nil
	case "(":
		out := &node{}
		for token := p.peek(); token != ")" && token != ""; token = p.peek() {
			v := p.value(depth + 1)
			if v == nil {
				break
			}
			out.list = append(out.list, v)
		}
		p.next()
		return out
	case "{":
		out := &node{kind: p.next(), fields: map[string]*node{}}
		for token := p.peek(); token != "}" && token != ""; token = p.peek() {
			name := p.next()
			v := p.value(depth + 1)
			if v == nil {
				break
			}
			if strings.HasPrefix(name, ":") {
				out.fields[name[1:]] = v
			}
			// A constant has several words.
			for token := p.peek(); token != "}" && token != "" && !strings.HasPrefix(token, ":"); token = p.peek() {
				if p.value(depth+1) == nil {
					break
				}
			}
		}
		p.next()
		return out
	default:
		return &node{word: strings.ReplaceAll(token, `\`, "")}
	}
}

// field returns a field; an empty node if there is none.
func (n *node) field(name string) *node {
	if n != nil && n.fields[name] != nil {
		return n.fields[name]
	}
	return &node{}
}

func (n *node) number(name string) int {
	v, err := strconv.Atoi(n.field(name).word)
	if err != nil {
		return 0
	}
	return v
}

// at returns the element of a list, counted from 1.
func (n *node) at(i int) *node {
	if n == nil || i < 1 || i > len(n.list) {
		return nil
	}
	return n.list[i-1]
}

// views finds the origins and the nullability of views' columns.
type views struct {
	db      *database
	queries map[uint32]*node
	done    map[uint32]bool
	// steps and origins count work: beyond the bounds columns are as if computed.
	steps, origins int
}

// maxSteps bounds the entries of target lists that are looked at.
const maxSteps = 20_000_000

func (v *views) trace() {
	v.done = map[uint32]bool{}
	for _, r := range v.db.relations {
		v.view(r, 0)
	}
}

// view sets the origins and the nullability of a view's columns, once.
func (v *views) view(r *relation, depth int) {
	if !r.view || v.done[r.id] {
		return
	}
	v.done[r.id] = true // before, because a view may refer to itself by a rule
	query := v.queries[r.id]
	for _, c := range r.columns {
		c.nullable = c.nullable && !v.notNull(query, nil, v.target(query, int(c.number)), depth+1)
		if origin, ok := v.origin(v.target(query, int(c.number)), depth+1); ok {
			c.origins = origin
		}
	}
}

// target returns the entry of a query's target list with a number.
func (v *views) target(query *node, number int) *node {
	for _, entry := range query.field("targetList").list {
		if v.steps++; v.steps > maxSteps {
			return nil
		}
		if entry.number("resno") == number && entry.field("resjunk").word != "true" {
			return entry
		}
	}
	return nil
}

// origin returns the column of a table that an entry shows, which Postgres notes
// itself, through the views between them.
func (v *views) origin(entry *node, depth int) ([]origin, bool) {
	o := origin{relation: uint32(entry.number("resorigtbl")), column: int16(entry.number("resorigcol"))}
	if depth > maxDepth || o.relation == 0 {
		return nil, false
	}
	r := v.db.byID[o.relation]
	if r == nil {
		return nil, false
	}
	out := []origin{o}
	if r.view {
		v.view(r, depth+1)
		for _, c := range r.columns {
			if c.number == o.column && v.origins+len(c.origins) <= maxOrigins {
				v.origins += len(c.origins)
				out = append(out, c.origins...)
			}
		}
	}
	return out, true
}

// notNull reports whether an entry of a query's target list shows a column that is
// never null. outer are the queries around it, the innermost last.
func (v *views) notNull(query *node, outer []*node, entry *node, depth int) bool {
	if query == nil || entry == nil || depth > maxDepth {
		return false
	}
	if query.field("setOperations").kind != "" || len(query.field("groupingSets").list) > 0 {
		return false
	}
	return v.exprNotNull(query, outer, entry.field("expr"), depth)
}

func (v *views) exprNotNull(query *node, outer []*node, expr *node, depth int) bool {
	if depth > maxDepth || expr.kind != "VAR" || expr.number("varlevelsup") != 0 {
		return false
	}
	index, column := expr.number("varno"), expr.number("varattno")
	if nullable(query.field("jointree"), index, depth) {
		return false
	}
	entry := query.field("rtable").at(index)
	switch entry.number("rtekind") {
	case 0: // a relation
		r := v.db.byID[uint32(entry.number("relid"))]
		if r == nil {
			return false
		}
		v.view(r, depth+1)
		for _, c := range r.columns {
			if int(c.number) == column {
				return !c.nullable
			}
		}
	case 1: // a subquery
		inner := entry.field("subquery")
		return v.notNull(inner, append(outer, query), v.target(inner, column), depth+1)
	case 2: // a join
		return v.exprNotNull(query, outer, orEmpty(entry.field("joinaliasvars").at(column)), depth+1)
	case 6: // WITH
		around := append(outer, query)
		up := len(around) - 1 - entry.number("ctelevelsup")
		if up < 0 || entry.field("self_reference").word == "true" {
			return false
		}
		for _, cte := range around[up].field("cteList").list {
			if cte.field("ctename").word == entry.field("ctename").word && cte.field("cterecursive").word != "true" {
				inner := cte.field("ctequery")
				return v.notNull(inner, around[:up+1], v.target(inner, column), depth+1)
			}
		}
	}
	return false
}

func orEmpty(n *node) *node {
	if n == nil {
		return &node{}
	}
	return n
}

// nullable reports whether an outer join can make the columns of an entry of the range
// table null.
func nullable(tree *node, index, depth int) bool {
	if depth > maxDepth {
		return true
	}
	switch tree.kind {
	case "FROMEXPR":
		for _, from := range tree.field("fromlist").list {
			if contains(from, index, depth+1) {
				return nullable(from, index, depth+1)
			}
		}
	case "JOINEXPR":
		if tree.number("rtindex") == index {
			return false // what it joins is looked at
		}
		left, right := tree.field("larg"), tree.field("rarg")
		kind, inLeft := tree.number("jointype"), contains(left, index, depth+1)
		const leftJoin, fullJoin, rightJoin = 1, 2, 3
		if kind == fullJoin || kind == leftJoin && !inLeft || kind == rightJoin && inLeft {
			return true
		}
		if inLeft {
			return nullable(left, index, depth+1)
		}
		return nullable(right, index, depth+1)
	}
	return false
}

// contains reports whether a part of a join tree holds an entry of the range table.
func contains(tree *node, index, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch tree.kind {
	case "RANGETBLREF":
		return tree.number("rtindex") == index
	case "JOINEXPR":
		return tree.number("rtindex") == index || contains(tree.field("larg"), index, depth+1) || contains(tree.field("rarg"), index, depth+1)
	case "FROMEXPR":
		for _, from := range tree.field("fromlist").list {
			if contains(from, index, depth+1) {
				return true
			}
		}
	}
	return false
}

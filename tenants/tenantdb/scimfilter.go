package tenantdb

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/scim"
)

// scimTable says where the attributes of a kind of SCIM resources are. All of them are
// in the document, except those that have a column or are rows of another table.
type scimTable struct {
	alias, from string
	// columns are of simple attributes. Those that are marked as folded are in lower case.
	columns map[string]scimColumn
	// related is the attribute whose values are rows of another table: those of from, which
	// refer to the resource.
	related     string
	relatedFrom string
	relatedSub  map[string]string
}

type scimColumn struct {
	sql     string
	kind    scim.Type
	folded  bool
	indexed bool
	id      bool // a uuid
}

var scimUsers = scimTable{
	alias: "u", from: "auth.scim_users u",
	columns: map[string]scimColumn{
		"id":                {sql: "u.id", kind: scim.String, indexed: true, id: true},
		"userName":          {sql: "u.user_name", kind: scim.String, folded: true, indexed: true},
		"externalId":        {sql: "u.external_id", kind: scim.String, indexed: true},
		"active":            {sql: "u.active", kind: scim.Boolean},
		"meta.created":      {sql: "u.created_at", kind: scim.DateTime},
		"meta.lastModified": {sql: "u.updated_at", kind: scim.DateTime},
		"meta.resourceType": {sql: "'User'", kind: scim.String},
	},
	related: "groups", relatedFrom: "reeve.scim_member m JOIN reeve.scim_group o ON o.id = m.group_id AND m.scim_user_id = u.id",
	relatedSub: map[string]string{"value": "o.id", "display": "o.resource->>'displayName'", "type": "'direct'"},
}

var scimGroups = scimTable{
	alias: "g", from: "reeve.scim_group g",
	columns: map[string]scimColumn{
		"id":                {sql: "g.id", kind: scim.String, indexed: true, id: true},
		"displayName":       {sql: "g.display_name", kind: scim.String, folded: true, indexed: true},
		"externalId":        {sql: "g.external_id", kind: scim.String, indexed: true},
		"meta.created":      {sql: "g.created_at", kind: scim.DateTime},
		"meta.lastModified": {sql: "g.updated_at", kind: scim.DateTime},
		"meta.resourceType": {sql: "'Group'", kind: scim.String},
	},
	related: "members", relatedFrom: "reeve.scim_member m JOIN auth.scim_users o ON o.id = m.scim_user_id AND o.deleted_at IS NULL AND m.group_id = g.id",
	relatedSub: map[string]string{"value": "o.id", "display": scimShownName("o"), "type": "'User'"},
}

// scimShownName is the SQL of the name by which lists show a user.
func scimShownName(alias string) string {
	return `coalesce(` + alias + `.resource->>'displayName', ` + alias + `.resource->>'userName')`
}

// scimSQL turns a filter into a condition.
type scimSQL struct {
	table scimTable
	args  []any
	depth int // of aliases
}

func (b *scimSQL) arg(v any) string {
	b.args = append(b.args, v)
	return "$" + strconv.Itoa(len(b.args))
}

// refuse is a filter on an attribute that is not stored.
func refuse(p scim.Path) error {
	return scim.ErrFilter.Saying(fmt.Sprintf("%s cannot be in a filter", p))
}

// where is the condition of a filter on a row. positive says that it is not below a NOT:
// then a condition that is NULL is as good as one that is false, and an index helps.
func (b *scimSQL) where(e scim.Expr, positive bool) (string, error) {
	return b.tree(e, positive, b.compare)
}

func (b *scimSQL) tree(e scim.Expr, positive bool, leaf func(scim.Compare, bool) (string, error)) (string, error) {
	two := func(l, r scim.Expr, op string) (string, error) {
		left, err := b.tree(l, positive, leaf)
		if err != nil {
			return "", err
		}
		right, err := b.tree(r, positive, leaf)
		return "(" + left + op + right + ")", err
	}
	switch e := e.(type) {
	case scim.And:
		return two(e.Left, e.Right, " AND ")
	case scim.Or:
		return two(e.Left, e.Right, " OR ")
	case scim.Not:
		of, err := b.tree(e.Of, false, leaf)
		return "NOT " + of, err
	case scim.Any:
		return b.any(e)
	case scim.Compare:
		return leaf(e, positive)
	}
	return "", fmt.Errorf("unknown filter %T", e)
}

// any is the condition that one value of a complex attribute passes a filter.
func (b *scimSQL) any(e scim.Any) (string, error) {
	if e.Path.Extension == "" && e.Path.Attr.Name == b.table.related {
		inner, err := b.tree(e.Filter, true, func(c scim.Compare, _ bool) (string, error) { return b.relatedTo(c, c.Path.Attr.Name) })
		return "EXISTS (SELECT FROM " + b.table.relatedFrom + " WHERE " + inner + ")", err
	}
	if e.Path.Attr.Name == "meta" && e.Path.Extension == "" {
		return "", refuse(e.Path)
	}
	return b.some(e.Path, func(value string) (string, error) {
		return b.tree(e.Filter, false, func(c scim.Compare, _ bool) (string, error) {
			return b.plain(c, value+"->"+literal(c.Path.Attr.Name)), nil
		})
	})
}

// some is the condition that one value of a complex attribute passes.
func (b *scimSQL) some(p scim.Path, passes func(value string) (string, error)) (string, error) {
	b.depth++
	value := "v" + strconv.Itoa(b.depth) + ".v"
	inner, err := passes(value)
	return "EXISTS (SELECT FROM " + elements(b.document(p)) + " v" + strconv.Itoa(b.depth) + "(v) WHERE " + inner + ")", err
}

// elements are the values of an attribute, one or many.
func elements(value string) string {
	return "pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(" + value + ") WHEN 'array' THEN " + value +
		" WHEN 'object' THEN pg_catalog.jsonb_build_array(" + value + ") ELSE '[]' END)"
}

// document is an attribute in the document. Names are those of the schemas.
func (b *scimSQL) document(p scim.Path) string {
	s := b.table.alias + ".resource"
	if p.Extension != "" {
		s += "->" + literal(p.Extension)
	}
	return s + "->" + literal(p.Attr.Name)
}

func literal(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }

func (b *scimSQL) compare(c scim.Compare, positive bool) (string, error) {
	p := c.Path
	if p.Extension == "" {
		if column, ok := b.table.columns[p.String()]; ok {
			cond := b.column(c, column)
			if positive && c.Op != scim.NotEqual {
				return cond, nil
			}
			return "coalesce(" + cond + ", false)", nil
		}
		switch p.Attr.Name {
		case b.table.related:
			return b.relatedAny(c)
		case "id", "meta":
			return "", refuse(p)
		}
	}
	if p.Attr.Type == scim.Complex && p.Sub != nil {
		return b.each(c, func(c scim.Compare) (string, error) {
			return b.some(p, func(value string) (string, error) { return b.plain(c, value+"->"+literal(p.Sub.Name)), nil })
		})
	}
	return b.plain(c, b.document(p)), nil
}

// each negates a comparison that is about all values.
func (b *scimSQL) each(c scim.Compare, any func(scim.Compare) (string, error)) (string, error) {
	negate := c.Op == scim.NotEqual && c.Value != nil || c.Op == scim.Equal && c.Value == nil
	switch {
	case negate && c.Value == nil, c.Op == scim.NotEqual && c.Value == nil:
		c.Op = scim.Present
	case negate:
		c.Op = scim.Equal
	}
	cond, err := any(c)
	if negate {
		cond = "NOT " + cond
	}
	return cond, err
}

// plain compares a JSON value; it is never NULL.
func (b *scimSQL) plain(c scim.Compare, value string) string {
	has := "coalesce((" + value + ") NOT IN ('null', '[]', '{}'), false)"
	switch {
	case c.Op == scim.Present, c.Op == scim.NotEqual && c.Value == nil:
		return has
	case c.Op == scim.Equal && c.Value == nil:
		return "NOT " + has
	}
	text := "(" + value + " #>> '{}')"
	leaf := c.Path.Leaf()
	var cond string
	switch v := c.Value.(type) {
	case bool:
		cond = text + " = " + b.arg(strconv.FormatBool(v))
	case string:
		if !leaf.CaseExact {
			text = "pg_catalog.lower(" + text + ")"
		}
		cond = b.text(text, c.Op, v, !leaf.CaseExact)
	default:
		cond = "false"
	}
	if c.Op == scim.NotEqual {
		return "NOT coalesce(" + cond + ", false)"
	}
	return "coalesce(" + cond + ", false)"
}

// text compares text; ne as eq, which the caller negates.
func (b *scimSQL) text(text string, op scim.Op, v string, fold bool) string {
	want := b.arg(v) + "::pg_catalog.text"
	if fold {
		want = "pg_catalog.lower(" + want + ")"
	}
	switch op {
	case scim.Contains:
		return "pg_catalog.strpos(" + text + ", " + want + ") > 0"
	case scim.StartsWith:
		return "pg_catalog.starts_with(" + text + ", " + want + ")"
	case scim.EndsWith:
		return "pg_catalog.right(" + text + ", pg_catalog.length(" + want + ")) = " + want
	case scim.Greater, scim.GreaterOrEqual, scim.Less, scim.LessOrEqual:
		return text + ` COLLATE pg_catalog."C" ` + order(op) + " " + want
	}
	return text + " = " + want
}

func order(op scim.Op) string {
	switch op {
	case scim.Greater:
		return ">"
	case scim.GreaterOrEqual:
		return ">="
	case scim.Less:
		return "<"
	case scim.LessOrEqual:
		return "<="
	}
	return "="
}

// column compares a column; NULL where it is.
func (b *scimSQL) column(c scim.Compare, column scimColumn) string {
	switch {
	case c.Op == scim.Present, c.Op == scim.NotEqual && c.Value == nil:
		return column.sql + " IS NOT NULL"
	case c.Op == scim.Equal && c.Value == nil:
		return column.sql + " IS NULL"
	}
	var cond string
	switch v := c.Value.(type) {
	case bool:
		cond = column.sql + " = " + b.arg(v)
	case time.Time:
		cond = column.sql + " " + order(c.Op) + " " + b.arg(v)
	case string:
		if id, err := uuid.Parse(v); column.id && err == nil && (c.Op == scim.Equal || c.Op == scim.NotEqual) {
			cond = column.sql + " = " + b.arg(id)
		} else {
			text := column.sql
			if column.id {
				text += "::pg_catalog.text"
			}
			cond = b.text(text, c.Op, v, column.folded)
		}
	}
	if c.Op == scim.NotEqual {
		return "NOT coalesce(" + cond + ", false)"
	}
	return cond
}

// relatedAny compares the values that are rows of another table.
func (b *scimSQL) relatedAny(c scim.Compare) (string, error) {
	return b.each(c, func(c scim.Compare) (string, error) {
		inner := "true"
		if c.Path.Sub != nil {
			var err error
			if inner, err = b.relatedTo(c, c.Path.Sub.Name); err != nil {
				return "", err
			}
		}
		return "EXISTS (SELECT FROM " + b.table.relatedFrom + " WHERE " + inner + ")", nil
	})
}

func (b *scimSQL) relatedTo(c scim.Compare, sub string) (string, error) {
	sql, ok := b.table.relatedSub[sub]
	if !ok {
		return "", refuse(c.Path)
	}
	column := scimColumn{sql: "(" + sql + ")", id: sub == "value"}
	if sub != "value" {
		column.sql, column.folded = "pg_catalog.lower("+column.sql+")", true
	}
	return "coalesce(" + b.column(c, column) + ", false)", nil
}

// indexed reports whether an index finds the resources that pass.
func (t scimTable) indexed(e scim.Expr) bool {
	switch e := e.(type) {
	case scim.And:
		return t.indexed(e.Left) || t.indexed(e.Right)
	case scim.Or:
		return t.indexed(e.Left) && t.indexed(e.Right)
	case scim.Any:
		return e.Path.Attr.Name == t.related && valueEquals(e.Filter)
	case scim.Compare:
		if e.Op != scim.Equal || e.Value == nil || e.Path.Extension != "" {
			return false
		}
		return t.columns[e.Path.String()].indexed || e.Path.Attr.Name == t.related && e.Path.Sub != nil && e.Path.Sub.Name == "value"
	}
	return false
}

func valueEquals(e scim.Expr) bool {
	switch e := e.(type) {
	case scim.And:
		return valueEquals(e.Left) || valueEquals(e.Right)
	case scim.Compare:
		return e.Op == scim.Equal && e.Value != nil && e.Path.Attr.Name == "value"
	}
	return false
}

// sort is the ORDER BY of a query. bounded says that no index has this order.
func (b *scimSQL) sort(p *scim.Path, descending bool) (by string, bounded bool, err error) {
	direction, nulls := "", " NULLS LAST"
	if descending {
		direction, nulls = " DESC", " DESC NULLS FIRST"
	}
	id := b.table.alias + ".id" + direction
	if p == nil {
		return b.table.alias + ".created_at" + direction + ", " + id, false, nil
	}
	if column, ok := b.table.columns[p.String()]; ok && p.Extension == "" {
		switch {
		case p.String() == "id":
			return id, false, nil
		case column.kind == scim.DateTime, p.String() == "userName":
			by = column.sql
			if column.kind == scim.String {
				by += ` COLLATE pg_catalog."C"`
			}
			return by + direction + ", " + id, false, nil
		case column.kind == scim.String:
			return column.sql + ` COLLATE pg_catalog."C"` + nulls + ", " + id, true, nil
		}
		return column.sql + nulls + ", " + id, true, nil
	}
	if p.Extension == "" && (p.Attr.Name == b.table.related || p.Attr.Name == "meta" || p.Attr.Name == "id") {
		return "", false, scim.ErrPath.Saying(fmt.Sprintf("sortBy: %s is no attribute to sort by", *p))
	}
	value := b.document(*p)
	switch {
	case p.Attr.MultiValued: // the main value, else the first
		value = "(SELECT s.v->" + literal(p.Sub.Name) + " FROM " + elements(value) + ` WITH ORDINALITY s(v, n)
			ORDER BY coalesce(s.v->'primary' = 'true', false) DESC, s.n LIMIT 1)`
	case p.Sub != nil:
		value += "->" + literal(p.Sub.Name)
	}
	text := "(" + value + " #>> '{}')"
	if !p.Leaf().CaseExact {
		text = "pg_catalog.lower(" + text + ")"
	}
	return text + ` COLLATE pg_catalog."C"` + nulls + ", " + id, true, nil
}

package sqlrun

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// result is a statement's columns and rows.
type result struct {
	columns []column
	rows    []json.RawMessage
	returns bool // the statement has a result, perhaps without rows
}

// column is a column of a result.
type column struct {
	name   []byte // as JSON, with the colon
	type_  uint32
	value  int  // which of the row's values it shows
	hidden bool // an earlier column of the same name shows the last one's value
}

// newResult describes the rows' objects. Of columns with the same name the last one
// counts, at the place of the first.
func newResult(fields []pgproto3.FieldDescription) result {
	columns, first := make([]column, len(fields)), make(map[string]int, len(fields))
	for i, f := range fields {
		name := string(f.Name)
		columns[i] = column{name: append(text(f.Name), ':'), type_: f.DataTypeOID, value: i}
		if at, again := first[name]; again {
			columns[i].hidden = true
			columns[at].value, columns[at].type_ = i, f.DataTypeOID
		} else {
			first[name] = i
		}
	}
	return result{columns: columns, returns: true}
}

// object returns a row as a JSON object.
func (r result) object(values [][]byte) json.RawMessage {
	out := []byte{'{'}
	for _, c := range r.columns {
		if c.hidden || c.value >= len(values) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, c.name...), encode(c.type_, values[c.value])...)
	}
	return append(out, '}')
}

// elements are the array types whose values are JSON arrays, with the type of their
// elements. Those of other types are texts.
var elements = map[uint32]uint32{
	pgtype.BoolArrayOID: pgtype.BoolOID, pgtype.Int2ArrayOID: pgtype.Int2OID, pgtype.Int4ArrayOID: pgtype.Int4OID,
	pgtype.OIDArrayOID: pgtype.OIDOID, pgtype.Int8ArrayOID: pgtype.TextOID,
	pgtype.Float4ArrayOID: pgtype.Float4OID, pgtype.Float8ArrayOID: pgtype.Float8OID, pgtype.NumericArrayOID: pgtype.Float8OID,
	pgtype.TextArrayOID: pgtype.TextOID, pgtype.VarcharArrayOID: pgtype.TextOID, pgtype.BPCharArrayOID: pgtype.TextOID,
	pgtype.UUIDArrayOID: pgtype.TextOID, pgtype.DateArrayOID: pgtype.TextOID, pgtype.TimestampArrayOID: pgtype.TextOID,
	pgtype.TimestamptzArrayOID: pgtype.TextOID, pgtype.TimeArrayOID: pgtype.TextOID, pgtype.TimetzArrayOID: pgtype.TextOID,
	pgtype.IntervalArrayOID: pgtype.TextOID, pgtype.InetArrayOID: pgtype.TextOID, pgtype.CIDRArrayOID: pgtype.TextOID,
	pgtype.MacaddrArrayOID: pgtype.TextOID, pgtype.JSONArrayOID: pgtype.JSONOID, pgtype.JSONBArrayOID: pgtype.JSONBOID,
	pgtype.NameArrayOID: pgtype.TextOID,
}

// maxSafe is the largest integer that every JSON client reads exactly.
const maxSafe = 1<<53 - 1

// encode returns a value, which is in Postgres' text format, as JSON: numbers,
// booleans, JSON and arrays of such as what they are, an int8 that a double cannot
// hold, a numeric and all else as text.
func encode(oid uint32, value []byte) []byte {
	if value == nil {
		return []byte("null")
	}
	switch oid {
	case pgtype.BoolOID:
		return strconv.AppendBool(nil, len(value) == 1 && value[0] == 't')
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.OIDOID:
		if json.Valid(value) {
			return value
		}
	case pgtype.Int8OID:
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && -maxSafe <= n && n <= maxSafe {
			return value
		}
	case pgtype.Float4OID, pgtype.Float8OID:
		f, err := strconv.ParseFloat(string(value), 64)
		if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return []byte("null")
		}
		if json.Valid(value) {
			return value
		}
	case pgtype.JSONOID, pgtype.JSONBOID:
		if json.Valid(value) { // what is nested too deeply is not, for Go
			return value
		}
	}
	if element, ok := elements[oid]; ok {
		if out, ok := encodeArray(element, value); ok {
			return out
		}
	}
	return text(value)
}

// text returns a JSON string.
func text(value []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(string(value)) // a string cannot fail
	return bytes.TrimRight(b.Bytes(), "\n")
}

// maxDimensions is Postgres' own bound.
const maxDimensions = 6

// encodeArray returns an array literal as a JSON array, nested like the literal. It
// returns false for what is no such literal.
func encodeArray(element uint32, literal []byte) ([]byte, bool) {
	if len(literal) > 0 && literal[0] == '[' { // bounds: [0:2]={...}
		_, rest, ok := bytes.Cut(literal, []byte("="))
		if !ok {
			return nil, false
		}
		literal = rest
	}
	p := array{element: element, rest: literal}
	if !p.list(1) || len(p.rest) > 0 {
		return nil, false
	}
	return p.out, true
}

// array reads an array literal from rest and writes JSON to out.
type array struct {
	element uint32
	rest    []byte
	out     []byte
}

func (p *array) next(c byte) bool {
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *array) list(depth int) bool {
	if depth > maxDimensions || !p.next('{') {
		return false
	}
	p.out = append(p.out, '[')
	for first := true; !p.next('}'); first = false {
		if !first {
			if !p.next(',') {
				return false
			}
			p.out = append(p.out, ',')
		}
		if len(p.rest) > 0 && p.rest[0] == '{' {
			if !p.list(depth + 1) {
				return false
			}
			continue
		}
		value, ok := p.value()
		if !ok {
			return false
		}
		p.out = append(p.out, encode(p.element, value)...)
	}
	p.out = append(p.out, ']')
	return true
}

// value reads an element; nil is NULL.
func (p *array) value() ([]byte, bool) {
	if !p.next('"') {
		end := bytes.IndexAny(p.rest, ",{}\"")
		if end < 1 {
			return nil, false
		}
		value := p.rest[:end]
		p.rest = p.rest[end:]
		if string(value) == "NULL" {
			return nil, true
		}
		return value, true
	}
	value := []byte{}
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return value, true
		case c == '\\' && i+1 < len(p.rest):
			i++
			value = append(value, p.rest[i])
		default:
			value = append(value, c)
		}
	}
	return nil, false
}

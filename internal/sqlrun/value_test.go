package sqlrun

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		oid        uint32
		text, want string
	}{
		{pgtype.Int8OID, "9007199254740991", "9007199254740991"},
		{pgtype.Int8OID, "-9007199254740992", `"-9007199254740992"`},
		{pgtype.NumericOID, "1.50", `"1.50"`},
		{pgtype.Float8OID, "1e+20", "1e+20"},
		{pgtype.Float8OID, "-Infinity", "null"},
		{pgtype.BoolOID, "f", "false"},
		{pgtype.JSONOID, ` {"a": 1} `, ` {"a": 1} `},
		{pgtype.JSONOID, strings.Repeat("[", 20000) + strings.Repeat("]", 20000), `"` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `"`},
		{pgtype.TextArrayOID, `{a,"NULL",NULL,"q\"\\,{}",""}`, `["a","NULL",null,"q\"\\,{}",""]`},
		{pgtype.Int4ArrayOID, `[2:3][0:1]={{1,2},{3,4}}`, `[[1,2],[3,4]]`},
		{pgtype.JSONBArrayOID, `{"{\"a\": [1]}",null}`, `[{"a": [1]},null]`},
		{pgtype.TextArrayOID, `{}`, `[]`},
		{pgtype.TextArrayOID, `{a`, `"{a"`},
		{pgtype.TextArrayOID, `{a}}`, `"{a}}"`},
		{pgtype.TextArrayOID, strings.Repeat("{", 9), `"{{{{{{{{{"`},
		{pgtype.TextOID, "<b>&\u2028", "\"<b>&\\u2028\""},
	} {
		got := string(encode(c.oid, []byte(c.text)))
		if got != c.want || !json.Valid([]byte(got)) {
			t.Errorf("%d %.50s: %.80s, want %.80s", c.oid, c.text, got, c.want)
		}
	}
	if got := string(encode(pgtype.TextOID, nil)); got != "null" {
		t.Error(got)
	}
}

// FuzzEncode: whatever a server sends becomes JSON.
func FuzzEncode(f *testing.F) {
	for oid := range elements {
		f.Add(oid, `{a,"b\"",NULL,{1,2}}`)
	}
	for _, oid := range []uint32{pgtype.Int4OID, pgtype.Int8OID, pgtype.Float8OID, pgtype.BoolOID, pgtype.JSONOID, pgtype.TextOID} {
		f.Add(oid, "1")
	}
	f.Fuzz(func(t *testing.T, oid uint32, text string) {
		if got := encode(oid, []byte(text)); !json.Valid(got) {
			t.Errorf("%d %q: %q", oid, text, got)
		}
	})
}

func TestLineAt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 500)
	for _, c := range []struct {
		sql              string
		position, number int
		line             string
		column           int
		ok               bool
	}{
		{"SELECT x", 8, 1, "SELECT x", 7, true},
		{"SELECT 1;\r\nSELECT x\nFROM y", 19, 2, "SELECT x", 7, true},
		{"SELECT", 7, 1, "SELECT", 6, true},
		{"SELECT\n", 8, 2, "", 0, true},
		{"é x", 3, 1, "é x", 2, true},
		{long + "x", 501, 1, strings.Repeat("é", 100) + "x", 100, true},
		{"SELECT", 0, 0, "", 0, false},
		{"SELECT", 100, 0, "", 0, false},
	} {
		line, number, column, ok := lineAt(c.sql, c.position)
		if line != c.line || number != c.number || column != c.column || ok != c.ok {
			t.Errorf("%.20q at %d: %q, %d, %d, %t", c.sql, c.position, line, number, column, ok)
		}
	}
}

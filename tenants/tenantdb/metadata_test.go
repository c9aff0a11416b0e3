package tenantdb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// Everything that auth.MergeMetadata accepts can be stored, is read back
// unchanged, and is within the bound.
func TestMetadataStored(t *testing.T) {
	t.Parallel()
	f, ctx := flowtest.New(t), context.Background()
	for name, c := range map[string]struct{ body, want string }{
		"large integer":   {`{"a":9007199254740993}`, `{"a": 9007199254740993}`},
		"longest integer": {`{"a":` + strings.Repeat("7", 400) + `}`, `{"a": ` + strings.Repeat("7", 400) + `}`},
		"long fraction":   {`{"a":0.` + strings.Repeat("7", 398) + `}`, `{"a": 0.` + strings.Repeat("7", 398) + `}`},
		"trailing zeros":  {`{"a":1.50}`, `{"a": 1.50}`},
		"exponent":        {`{"a":1.5e3}`, `{"a": 1500}`},
		"largest":         {`{"a":1e308}`, `{"a": 1` + strings.Repeat("0", 308) + `}`},
		"smallest":        {`{"a":5e-324}`, `{"a": 0.` + strings.Repeat("0", 323) + `5}`},
		"negative zero":   {`{"a":-0.0e-300}`, ``},
		"no exponent":     {`{"a":0e999}`, ``},
		"lone surrogate":  {`{"a":"\udc00\ud800"}`, "{\"a\": \"\ufffd\ufffd\"}"},
		"broken UTF-8":    {"{\"a\":\"\xff\"}", "{\"a\": \"\ufffd\"}"},
		"controls":        {`{"\u0001":"\u007f\u2028"}`, "{\"\\u0001\": \"\x7f\u2028\"}"},
		"deepest":         {`{"a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`, `{"a": ` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`},
		"many members":    {`{"` + strings.Join(strings.Split(strings.Repeat("x", 400), ""), `":1,"`) + `":1}`, `{"x": 1}`},
	} {
		var changes map[string]any
		dec := json.NewDecoder(strings.NewReader(c.body))
		dec.UseNumber()
		if err := dec.Decode(&changes); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		merged, err := auth.MergeMetadata(nil, changes)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		u := user(f, uuid.NewString()+"@example.com")
		u.UserMetadata = merged
		if err := f.A.DB.Tx(ctx, func(tx *tenantdb.Tx) error { return tx.CreateUser(ctx, u) }); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got auth.User
		if err := f.A.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) { got, err = tx.UserByID(ctx, u.ID, false); return err }); err != nil {
			t.Fatal(err)
		}
		if c.want != "" && string(got.UserMetadata) != c.want {
			t.Errorf("%s: %.200s", name, got.UserMetadata)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, got.UserMetadata); err != nil || compact.Len() > auth.MaxMetadata {
			t.Errorf("%s: %d bytes, %v", name, compact.Len(), err)
		}
	}
}

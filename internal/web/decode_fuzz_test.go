package web

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/fault"
)

// FuzzDecodeJSON: a body is decoded or refused as the client's fault, and
// decoded values can be stored: Postgres does not accept NUL.
func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{
		`{"email":"a@b.c","password":"x","data":{"a":[1,null,{"b":"c"}]}}`, `{"email":5}`, `{"data":[]}`, `null`, `[]`, ``, `{`, `{"email":"\u0000"}`,
		`{"email":"\\u0000"}`, `{"email":"\\\u0000"}`, `{"\u0000":1}`, `{"data":{"n":1e400}}`, "{\"email\":\"\xff\"}", `{"email":"\ud800"}`, `{"a":1}{"b":2}`,
		`{"email":"a","email":"b"}`, `{"EMAIL":"a"}`, strings.Repeat(`{"data":`, 100),
	} {
		f.Add([]byte(seed))
	}
	type request struct {
		Email    string         `json:"email"`
		Password *string        `json:"password"`
		Confirm  bool           `json:"confirm"`
		Data     map[string]any `json:"data"`
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var r request
		err := DecodeJSON(body, &r)
		if err == nil {
			if stored, err := json.Marshal(r); err != nil || strings.Contains(strings.ReplaceAll(string(stored), `\\`, ""), `\u0000`) {
				t.Fatalf("%q was decoded to %q, %v", body, stored, err)
			}
			return
		}
		var refused *fault.Error
		if !errors.As(err, &refused) || refused.Kind != fault.Invalid || refused.Code == "" {
			t.Fatalf("%q: %v", body, err)
		}
	})
}

package auth_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reevehq/reeve/internal/auth"
)

type object = map[string]any

// nested is an array of arrays, n deep.
func nested(n int) any {
	var v any = "x"
	for range n {
		v = []any{v}
	}
	return v
}

func TestMergeMetadata(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("1, ", auth.MaxMetadata) + "1" // as jsonb is written
	for name, c := range map[string]struct {
		raw     string
		changes object
		want    string // "" = refused
	}{
		"nothing":                   {``, nil, `{}`},
		"empty":                     {`{}`, object{}, `{}`},
		"first":                     {``, object{"a": 1}, `{"a":1}`},
		"further":                   {`{"a":1}`, object{"b": "x"}, `{"a":1,"b":"x"}`},
		"replaced":                  {`{"a":{"x":1}}`, object{"a": object{"y": 2}}, `{"a":{"y":2}}`},
		"null removes":              {`{"a":1,"b":2}`, object{"a": nil}, `{"b":2}`},
		"null removes nothing":      {`{"b":2}`, object{"a": nil}, `{"b":2}`},
		"null within stays":         {`{}`, object{"a": object{"x": nil}}, `{"a":{"x":null}}`},
		"not an object":             {`[1]`, object{"a": 1}, `{"a":1}`},
		"null":                      {`null`, object{"a": 1}, `{"a":1}`},
		"no JSON":                   {`{"a"`, object{"a": 1}, `{"a":1}`},
		"large integers stay":       {`{"a":9007199254740993,"b":123456789012345678901234567890}`, object{"c": true}, `{"a":9007199254740993,"b":123456789012345678901234567890,"c":true}`},
		"large integers are new":    {`{}`, object{"id": json.Number("9007199254740993")}, `{"id":9007199254740993}`},
		"fractions":                 {`{"a":0.10}`, object{"b": json.Number("1.50")}, `{"a":0.10,"b":1.50}`},
		"exponents":                 {`{}`, object{"a": json.Number("1e21"), "b": json.Number("5E-7"), "z": json.Number("0e5")}, `{"a":1e21,"b":5E-7,"z":0e5}`},
		"number too large":          {`{}`, object{"a": json.Number("1e400")}, ``},
		"number far too large":      {`{}`, object{"a": []any{object{"b": json.Number("1e999999999")}}}, ``},
		"number too small":          {`{}`, object{"a": json.Number("1e-400")}, ``},
		"number too long":           {`{}`, object{"a": json.Number(strings.Repeat("1", 500))}, ``},
		"fraction too long":         {`{}`, object{"a": json.Number("0." + strings.Repeat("1", 500))}, ``},
		"numbers get long in jsonb": {`{}`, object{"a": slices.Repeat([]any{json.Number("1e300")}, 100)}, ``},
		"deep":                      {`{}`, object{"a": nested(99)}, `{"a":` + strings.Repeat("[", 99) + `"x"` + strings.Repeat("]", 99) + `}`},
		"too deep":                  {`{}`, object{"a": nested(100)}, ``},
		"as large as may be":        {`{}`, object{"a": strings.Repeat("x", auth.MaxMetadata-8)}, `{"a":"` + strings.Repeat("x", auth.MaxMetadata-8) + `"}`},
		"too large":                 {`{}`, object{"a": strings.Repeat("x", auth.MaxMetadata-7)}, ``},
		"too large together":        {`{"b":"` + strings.Repeat("x", auth.MaxMetadata-10) + `"}`, object{"a": "xx"}, ``},
		"larger than too large":     {`{"a": [` + large + `]}`, object{"b": 1}, ``},
		"less than too large":       {`{"a": [` + large + `],"b":123}`, object{"b": 1}, `{"a":[` + strings.ReplaceAll(large, " ", "") + `],"b":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := auth.MergeMetadata(json.RawMessage(c.raw), c.changes)
			if string(got) != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, auth.ErrValidation) {
				t.Errorf("%.200s, %v", got, err)
			}
		})
	}
}

// Merging is assigning keys of a map, whatever the values.
func TestMergeMetadataProperty(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.Int64(), func(n int64) any { return n }), rapid.Map(rapid.String(), func(s string) any { return s }))
	maps := rapid.MapOfN(rapid.StringN(0, 4, 8), value, 0, 6)
	rapid.Check(t, func(t *rapid.T) {
		before, changes := maps.Draw(t, "before"), maps.Draw(t, "changes")
		raw, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		got, err := auth.MergeMetadata(raw, changes)
		if err != nil {
			t.Fatal(err)
		}
		want := object{}
		for k, v := range before {
			want[k] = v
		}
		for k, v := range changes {
			if want[k] = v; v == nil {
				delete(want, k)
			}
		}
		if text, _ := json.Marshal(want); string(text) != string(got) {
			t.Fatalf("%s and %v give %s, want %s", raw, changes, got, text)
		}
	})
}

func TestWithProvider(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		`{}`:                   `{"provider":"email","providers":["email"]}`,
		`{"plan":"pro"}`:       `{"plan":"pro","provider":"email","providers":["email"]}`,
		`{"provider":"email"}`: `{"provider":"email","providers":["email"]}`,
		`{"provider":"github","providers":["github"]}`: `{"provider":"github","providers":["github","email"]}`,
		`{"provider":"email","providers":["email"]}`:   `{"provider":"email","providers":["email"]}`,
		`{"providers":"what an admin wrote"}`:          `{"provider":"email","providers":["email"]}`,
		`[]`:                                           `{"provider":"email","providers":["email"]}`,
	} {
		raw := json.RawMessage(before)
		got, err := auth.MergeMetadata(raw, auth.WithProvider(raw, auth.ProviderEmail))
		if err != nil || string(got) != want {
			t.Errorf("%s becomes %s, %v, want %s", before, got, err, want)
		}
	}
}

func TestUserState(t *testing.T) {
	t.Parallel()
	now := time.Now()
	past, future := now.Add(-time.Second), now.Add(time.Second)
	for _, c := range []struct {
		name   string
		until  *time.Time
		banned bool
	}{{"never", nil, false}, {"was", &past, false}, {"ends now", &now, false}, {"is", &future, true}} {
		if u := (auth.User{BannedUntil: c.until}); u.Banned(now) != c.banned {
			t.Errorf("%s: banned %v", c.name, !c.banned)
		}
	}
	u := auth.User{Factors: []auth.Factor{{Status: "unverified"}}}
	if u.HasVerifiedFactor() {
		t.Error("an unverified factor counts")
	}
	u.Factors = append(u.Factors, auth.Factor{Status: "verified"})
	if !u.HasVerifiedFactor() {
		t.Error("a verified factor does not count")
	}
	s := auth.Session{CreatedAt: now, RefreshedAt: &past}
	if !s.LastActive().Equal(now) {
		t.Error("a refresh before the beginning counts")
	}
	if s.RefreshedAt = &future; !s.LastActive().Equal(future) {
		t.Error("a refresh does not count")
	}
}

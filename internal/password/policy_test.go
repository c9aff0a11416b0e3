package password

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/fault"
)

func TestPolicyCheck(t *testing.T) {
	t.Parallel()
	strict := Policy{MinLength: 8, RequiredCharacters: []string{"abc", "ABC", ":0é"}}
	for name, c := range map[string]struct {
		policy   Policy
		password string
		want     *fault.Error
		reasons  []string
	}{
		"zero policy asks for six":           {Policy{}, "12345", ErrWeak, []string{ReasonLength}},
		"six are enough":                     {Policy{}, "123456", nil, nil},
		"a lower minimum is raised to six":   {Policy{MinLength: 1}, "12345", ErrWeak, []string{ReasonLength}},
		"empty":                              {Policy{}, "", ErrWeak, []string{ReasonLength}},
		"characters count, not bytes":        {Policy{}, "ééé", ErrWeak, []string{ReasonLength}},
		"all sets occur":                     {strict, "aA0aaaaa", nil, nil},
		"a set of more than ASCII":           {strict, "aAéaaaaa", nil, nil},
		"one set is missing":                 {strict, "aaaaaaa0", ErrWeak, []string{ReasonCharacters}},
		"short, and two sets are missing":    {strict, "a", ErrWeak, []string{ReasonLength, ReasonCharacters}},
		"an empty set asks for nothing":      {Policy{RequiredCharacters: []string{""}}, "123456", nil, nil},
		"72 bytes":                           {Policy{}, strings.Repeat("x", 72), nil, nil},
		"73 bytes":                           {Policy{}, strings.Repeat("x", 73), ErrTooLong, nil},
		"37 characters of two bytes":         {Policy{}, strings.Repeat("é", 37), ErrTooLong, nil},
		"NUL, where bcrypt would end":        {Policy{}, "1234567\x00", ErrNUL, nil},
		"a minimum beyond what bcrypt takes": {Policy{MinLength: 73}, strings.Repeat("x", 72), ErrWeak, []string{ReasonLength}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.policy.Check(c.password)
			if c.want == nil {
				if err != nil {
					t.Fatalf("Check = %v, want nil", err)
				}
				return
			}
			if !errors.Is(err, c.want) {
				t.Fatalf("Check = %v, want %v", err, c.want)
			}
			f := fault.From(err)
			if c.reasons == nil {
				if f.Details != nil || f.Message != c.want.Message {
					t.Errorf("fault = %+v, want no details and message %q", f, c.want.Message)
				}
				return
			}
			want := map[string]any{"weak_password": map[string]any{"reasons": c.reasons}}
			if diff := cmp.Diff(want, f.Details); diff != "" {
				t.Error(diff)
			}
			if c.password != "" && strings.Contains(f.Message, c.password) && len(c.password) > 4 {
				t.Errorf("message repeats the password: %q", f.Message)
			}
		})
	}
}

func TestPolicyMessage(t *testing.T) {
	t.Parallel()
	w := Policy{MinLength: 8, RequiredCharacters: []string{"ab", "01"}}.Weakness("x")
	want := &Weakness{
		Message: "Password should be at least 8 characters. Password should contain at least one character of each: ab, 01.",
		Reasons: []string{"length", "characters"},
	}
	if diff := cmp.Diff(want, w); diff != "" {
		t.Error(diff)
	}
}

func TestParseRequired(t *testing.T) {
	t.Parallel()
	// The longest form that the Management API offers.
	const symbols = `abc:ABC:012:!@#$%^&*()_+-=[]{};'\\:"|<>?,./` + "`~"
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"empty":                            {"", nil},
		"one set":                          {"abc", []string{"abc"}},
		"two sets":                         {"abc:01", []string{"abc", "01"}},
		"empty sets are dropped":           {":a::b:", []string{"a", "b"}},
		"escaped colon":                    {`a\:b:c`, []string{"a:b", "c"}},
		"two escaped colons":               {`a\:b\:c`, []string{"a:b:c"}},
		"only an escaped colon":            {`\:`, []string{":"}},
		"other backslashes are themselves": {`a\b:c\`, []string{`a\b`, `c\`}},
		"symbols of the Management API":    {symbols, []string{"abc", "ABC", "012", `!@#$%^&*()_+-=[]{};'\:"|<>?,./` + "`~"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseRequired(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, in := range map[string]string{
		"control character": "abc\n", "NUL": "a\x00", "not UTF-8": "a\xff",
		"too long": strings.Repeat("x", 1025), "too many sets": strings.Repeat("x:", 17),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ParseRequired(in); !errors.Is(err, ErrBadRequired) {
				t.Errorf("error = %v, want ErrBadRequired", err)
			}
		})
	}
}

// Whatever was read can be written with escapes and is read as the same.
func FuzzParseRequired(f *testing.F) {
	f.Add(`a\:b:c\`)
	f.Add(`!;'\\:"|:01`)
	f.Fuzz(func(t *testing.T, in string) {
		sets, err := ParseRequired(in)
		if err != nil {
			return
		}
		escaped := make([]string, len(sets))
		for i, set := range sets {
			if set == "" {
				t.Fatal("empty set")
			}
			escaped[i] = strings.ReplaceAll(set, ":", `\:`)
		}
		// A set that ends in a backslash can only be the last.
		if slices.ContainsFunc(escaped[:max(len(escaped)-1, 0)], func(s string) bool { return strings.HasSuffix(s, `\`) }) {
			t.Fatalf("set before the last ends in a backslash: %q", sets)
		}
		joined := strings.Join(escaped, ":")
		again, err := ParseRequired(joined)
		if err == nil && !slices.Equal(again, sets) {
			t.Errorf("%q read as %q, then %q as %q", in, sets, joined, again)
		}
	})
}

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/auth"
)

func TestHasNUL(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		``: false, `{}`: false, `"\u0000"`: true, `{"a":"x\u0000y"}`: true, `{"\u0000":1}`: true, `"\\\u0000"`: true,
		`"\\u0000"`: false, `"\\\\u0000"`: false, `"\u00000"`: true, `"\u0001"`: false, `"u0000"`: false, `"\u000`: false,
		`\u0000`: true, `\`: false, `"\u0020\u0000"`: true, `"\"\u0000"`: true, `"\U0000"`: false,
	} {
		if got := hasNUL([]byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

// A body with too many values is refused before they are decoded.
func TestManyValues(t *testing.T) {
	t.Parallel()
	array := func(n int, v string) string { return "[" + strings.Repeat(v+",", n-1) + v + "]" }
	for name, tc := range map[string]struct {
		body string
		want bool
	}{
		"as many as are allowed":    {array(maxValues-1, "1"), false},
		"one more":                  {array(maxValues, "1"), true},
		"objects":                   {array(maxValues/2+1, `{"a":1}`), true},
		"members":                   {`{"a":` + array(maxValues, "1") + `}`, true},
		"a long text":               {`{"a":"` + strings.Repeat(`,[{`, maxValues) + `"}`, false},
		"a text with quotes":        {`{"a":"` + strings.Repeat(`\",`, maxValues) + `"}`, false},
		"a text with backslashes":   {`["` + strings.Repeat(`\\`, maxValues) + `",` + array(maxValues, "1")[1:], true},
		"spaces between":            {array(maxValues, " 1 "), true},
		"an end within an escape":   {`"` + strings.Repeat("x", maxValues) + `\`, false},
		"empty arrays in one array": {array(maxValues/2+1, `[]`), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := manyValues([]byte(tc.body)); got != tc.want {
				t.Errorf("got %v", got)
			}
			var v any
			err := DecodeJSON([]byte(tc.body), &v)
			if refused := errors.Is(err, auth.ErrValidation); refused != tc.want {
				t.Errorf("DecodeJSON: %v", err)
			}
		})
	}
}

// hasNUL agrees with a decoder on all valid JSON.
func FuzzHasNUL(f *testing.F) {
	for _, s := range []string{`"\u0000"`, `"\\u0000"`, `{"a":["\\\u0000"]}`, `{"\u0000":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v any
		if json.Unmarshal(body, &v) != nil {
			return
		}
		if holdsNUL(v) && !hasNUL(body) {
			t.Errorf("%q: a NUL passes", body)
		}
		if hasNUL(body) && !bytes.Contains(body, []byte(`\u0000`)) {
			t.Errorf("%q: no NUL is refused", body)
		}
	})
}

// holdsNUL reports whether a decoded JSON value contains a NUL.
func holdsNUL(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		return slices.ContainsFunc(v, holdsNUL)
	case map[string]any:
		for name, e := range v {
			if holdsNUL(name) || holdsNUL(e) {
				return true
			}
		}
	}
	return false
}

// form is what the requests below are decoded into.
type form struct {
	Name  string         `json:"name"`
	Count int            `json:"count"`
	Data  map[string]any `json:"data"`
	query string
}

// BindQuery implements QueryBinder.
func (f *form) BindQuery(q url.Values, _ func(string) string) error {
	f.query = q.Get("q")
	return nil
}

func ask(method, target, contentType string, body io.Reader) *gin.Context {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(method, target, body)
	if contentType != "" {
		c.Request.Header.Set("Content-Type", contentType)
	}
	return c
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const asJSON = "application/json"
	for name, c := range map[string]struct {
		method, target, contentType, body string
		want                              form
	}{
		"all":              {"POST", "/?q=x", asJSON, `{"name":"n","count":2,"data":{"a":[1]}}`, form{Name: "n", Count: 2, Data: map[string]any{"a": []any{json.Number("1")}}, query: "x"}},
		"unknown member":   {"POST", "/", asJSON, `{"name":"n","other":{"x":[]}}`, form{Name: "n"}},
		"DELETE, no body":  {"DELETE", "/?q=x", asJSON, ``, form{query: "x"}},
		"DELETE with body": {"DELETE", "/", asJSON, `{"name":"n"}`, form{Name: "n"}},
		"no content type":  {"POST", "/", "", `{"name":"n"}`, form{Name: "n"}},
		"text":             {"POST", "/", "text/plain;charset=UTF-8", `{"name":"n"}`, form{Name: "n"}},
		"form by its name": {"POST", "/", "application/x-www-form-urlencoded", `{"name":"n"}`, form{Name: "n"}},
		"no media type":    {"POST", "/", "json", `{"name":"n"}`, form{Name: "n"}},
		"broken type":      {"POST", "/", "application/json; =", `{"name":"n"}`, form{Name: "n"}},
		"charset":          {"PUT", "/", "application/json; charset=utf-8", `{"name":"é"}`, form{Name: "é"}},
		"vendor type":      {"PATCH", "/", "application/vnd.x+json", `{"name":"n"}`, form{Name: "n"}},
		"white space":      {"POST", "/", asJSON, " {\"name\":\"n\"}\r\n\t ", form{Name: "n"}},
		"null":             {"POST", "/", asJSON, `null`, form{}},
		"GET with body":    {"GET", "/?q=x", asJSON, `{"name":"n"}`, form{query: "x"}},
		"digits stay":      {"POST", "/", asJSON, `{"data":{"a":9007199254740993,"b":1.10}}`, form{Data: map[string]any{"a": json.Number("9007199254740993"), "b": json.Number("1.10")}}},
		"broken UTF-16":    {"POST", "/", asJSON, `{"name":"\ud800"}`, form{Name: "\ufffd"}},
		"broken UTF-8":     {"POST", "/", asJSON, "{\"name\":\"\xff\"}", form{Name: "\ufffd"}},
		"escaped backlash": {"POST", "/", asJSON, `{"name":"\\u0000"}`, form{Name: `\u0000`}},
		"last one counts":  {"POST", "/", asJSON, `{"name":"a","name":"b"}`, form{Name: "b"}},
		"broken query":     {"POST", "/?q=x&%zz&a;b", asJSON, `{}`, form{query: "x"}},
	} {
		got, err := newDecoder[form]().decode(ask(c.method, c.target, c.contentType, strings.NewReader(c.body)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, *got, cmp.AllowUnexported(form{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestDecodeRefused(t *testing.T) {
	t.Parallel()
	const asJSON = "application/json"
	for name, c := range map[string]struct {
		target, contentType, body string
		want                      error
	}{
		"no JSON":              {"/", asJSON, `{bad`, auth.ErrBadJSON},
		"cut off":              {"/", asJSON, `{"name":"n"`, auth.ErrBadJSON},
		"something behind":     {"/", asJSON, `{"name":"n"} x`, auth.ErrBadJSON},
		"two values":           {"/", asJSON, `{"name":"n"}{"name":"m"}`, auth.ErrBadJSON},
		"bracket behind":       {"/", asJSON, `{"name":"n"}]`, auth.ErrBadJSON},
		"blanks":               {"/", asJSON, `   `, auth.ErrBadJSON},
		"a number":             {"/", asJSON, `7`, auth.ErrBadJSON},
		"an array":             {"/", asJSON, `[]`, auth.ErrBadJSON},
		"wrong type":           {"/", asJSON, `{"name":1}`, auth.ErrBadJSON},
		"wrong type of number": {"/", asJSON, `{"count":1.5}`, auth.ErrBadJSON},
		"number too large":     {"/", asJSON, `{"count":1e99}`, auth.ErrBadJSON},
		"data an array":        {"/", asJSON, `{"data":[]}`, auth.ErrBadJSON},
		"deep":                 {"/", asJSON, `{"data":` + strings.Repeat(`{"a":`, 20000), auth.ErrBadJSON},
		"raw control":          {"/", asJSON, "{\"name\":\"\x00\"}", auth.ErrBadJSON},
		"NUL":                  {"/", asJSON, `{"name":"\u0000"}`, auth.ErrValidation},
		"NUL in a key":         {"/", asJSON, `{"data":{"\u0000":1}}`, auth.ErrValidation},
		"empty":                {"/", asJSON, ``, auth.ErrBadJSON},
		"empty, no type":       {"/", "", ``, auth.ErrBadJSON},
		"form":                 {"/", "application/x-www-form-urlencoded", `name=n`, auth.ErrBadJSON},
		"NUL in the query":     {"/?q=a%00", asJSON, ``, auth.ErrValidation},
		"NUL in a query key":   {"/?a%00=q", asJSON, ``, auth.ErrValidation},
		"broken UTF-8 query":   {"/?q=%ff", asJSON, ``, auth.ErrValidation},
		"broken UTF-8 key":     {"/?%ff=q", asJSON, ``, auth.ErrValidation},
		"one byte too much":    {"/", asJSON, `"` + strings.Repeat("a", MaxBody-1) + `"`, auth.ErrBodyTooLarge},
	} {
		if got, err := newDecoder[form]().decode(ask("POST", c.target, c.contentType, strings.NewReader(c.body))); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// An error names the wrong member and never shows a value.
	_, err := newDecoder[form]().decode(ask("POST", "/", asJSON, strings.NewReader(`{"count":"hunter2"}`)))
	if err == nil || !strings.Contains(err.Error(), "count: must not be a JSON string") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("wrong type: %v", err)
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat(" ", MaxBody-2) + "{}"
	if body, err := readBody(ask("POST", "/", "", strings.NewReader(whole))); err != nil || len(body) != MaxBody {
		t.Errorf("the largest body: %d bytes, %v", len(body), err)
	}
	if _, err := readBody(ask("POST", "/", "", iotest.ErrReader(io.ErrUnexpectedEOF))); !errors.Is(err, auth.ErrBadJSON) {
		t.Errorf("a body that breaks off: %v", err)
	}
	if _, err := newDecoder[None]().decode(ask("POST", "/", "text/plain", strings.NewReader("whatever"))); err != nil {
		t.Errorf("a route without a body reads it: %v", err)
	}
	if _, err := newDecoder[query]().decode(ask("POST", "/?q=x", "text/plain", strings.NewReader("whatever"))); err != nil {
		t.Errorf("a route of a query reads the body: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{}`, `{"data":{"a":1e400}}`, `[`, `{"name":"\ud800"}`, `{"data":{"a":-0.0e-5}}`} {
		f.Add([]byte(s), "q=x")
	}
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		c := ask(http.MethodPost, "/", "", bytes.NewReader(body))
		c.Request.URL.RawQuery = query
		got, err := newDecoder[form]().decode(c)
		if err != nil {
			return
		}
		if !StorableText(got.Name) || !StorableText(got.query) {
			t.Errorf("%+v cannot be stored", got)
		}
		if _, err := auth.MergeMetadata(nil, got.Data); err != nil && !errors.Is(err, auth.ErrValidation) {
			t.Errorf("%q: %v", body, err)
		}
	})
}

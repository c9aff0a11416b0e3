package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/fault"
)

// MaxBody bounds a request body of the tenant plane, in bytes.
const MaxBody = 1 << 20

// maxValues bounds the values in a body. Decoding a number of one digit costs
// fifty bytes and more; a megabyte of them would take 40 ms. Metadata, the
// largest part of any request, has at most half as many in auth.MaxMetadata.
const maxValues = auth.MaxMetadata

// BodyBinder is implemented by requests that read their body themselves, whatever it is
// and whether there is one. The body has at most MaxBody bytes.
type BodyBinder interface{ BindBody(body []byte) }

// BodyOptional is implemented by requests whose body may be left out.
type BodyOptional interface{ BodyOptional() }

// decoder reads requests into values of one type.
type decoder[Req any] struct {
	body bool
	form []formField
}

// newDecoder inspects the type once, when its route is mounted: a body is only
// read into types with JSON members, and a form only into types with form
// fields.
func newDecoder[Req any]() decoder[Req] {
	t := reflect.TypeFor[Req]()
	form := formFields(t)
	own := reflect.PointerTo(t).Implements(reflect.TypeFor[BodyBinder]())
	return decoder[Req]{body: hasMembers(t) || form != nil || own, form: form}
}

// hasMembers reports whether JSON can set any field of a struct.
func hasMembers(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return true
	}
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		return f.IsExported() && !f.Anonymous && f.Tag.Get("json") != "-"
	})
}

// decode reads the body: a form if the type has fields for one and the
// Content-Type says so, else JSON whatever the Content-Type is, as in the
// reference: a bare fetch sends text/plain. So any site can send such a request
// without a preflight. That is safe, because browsers do not add the
// credentials by themselves. Then it binds headers, query and path. It ignores
// unknown members, because the SDKs send more than is needed.
func (d decoder[Req]) decode(c *gin.Context) (*Req, error) {
	req := new(Req)
	if err := checkQuery(c.Request); err != nil {
		return nil, err
	}
	if d.body {
		if err := d.decodeBody(c, req); err != nil {
			return nil, err
		}
	}
	if h, ok := any(req).(HeaderBinder); ok {
		h.BindHeader(c.Request.Header)
	}
	if q, ok := any(req).(QueryBinder); ok {
		if err := q.BindQuery(c.Request.URL.Query(), c.Param); err != nil {
			return nil, err
		}
	}
	if q, ok := any(req).(RawQueryBinder); ok {
		q.BindRawQuery(c.Request.URL.RawQuery)
	}
	return req, nil
}

// decodeBody requires a body wherever one has a meaning: it is optional for
// DELETE and a BodyOptional, and GET has none.
func (d decoder[Req]) decodeBody(c *gin.Context, into *Req) error {
	method := c.Request.Method
	if method == http.MethodGet || method == http.MethodHead {
		return nil
	}
	body, err := readBody(c)
	if b, own := any(into).(BodyBinder); own && err == nil {
		b.BindBody(body)
		return nil
	}
	_, optional := any(into).(BodyOptional)
	if err != nil || (len(body) == 0 && (optional || method == http.MethodDelete)) {
		return err
	}
	if d.form != nil && isForm(c.GetHeader("Content-Type")) {
		return decodeForm(body, d.form, reflect.ValueOf(into).Elem())
	}
	return DecodeJSON(body, into)
}

func readBody(c *gin.Context) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, auth.ErrBodyTooLarge
	case err != nil:
		return nil, auth.ErrBadJSON.Because(err).Saying("The request body could not be read")
	}
	c.Set(bodyKey, body)
	return body, nil
}

// DecodeJSON reads one JSON value strictly, ignoring unknown members; numbers
// of untyped values keep their digits. auth.ErrBadJSON; auth.ErrValidation for
// text that Postgres cannot store, and for more values than any request needs.
func DecodeJSON(body []byte, into any) error {
	if len(body) == 0 {
		return auth.ErrBadJSON.Saying("The request body is empty, it must be JSON")
	}
	if hasNUL(body) {
		return auth.ErrValidation.Saying("Text must not contain NUL characters")
	}
	if manyValues(body) {
		return auth.ErrValidation.Saying("The request body has too many values")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // metadata keeps the digits of its numbers
	err := dec.Decode(into)
	if err == nil {
		if _, end := dec.Token(); end != io.EOF {
			err = errTrailing
		}
	}
	var wrongType *json.UnmarshalTypeError
	var refused *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return auth.ErrBadJSON.Because(err).Saying(fmt.Sprintf("%s: must not be a JSON %s", wrongType.Field, wrongType.Value))
	}
	return auth.ErrBadJSON.Because(err)
}

var errTrailing = errors.New("something follows the JSON value")

// hasNUL reports whether the body has an escaped U+0000, which Postgres cannot
// store. (A raw NUL is not valid JSON.)
func hasNUL(body []byte) bool {
	for i := 0; i+5 < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		if string(body[i+1:i+6]) == "u0000" {
			return true
		}
		i++ // an escape is two characters: "\\u0000" is text
	}
	return false
}

// manyValues reports whether a JSON body has more than maxValues values. Each
// value but the first follows a comma or the beginning of its array or object.
// (In what is not JSON any text may count.)
func manyValues(body []byte) bool {
	if len(body) <= maxValues {
		return false
	}
	values, text := 1, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			text = !text
		case c == '\\':
			i++ // not the end of the text
		case !text && (c == ',' || c == '[' || c == '{'):
			values++
		}
	}
	return values > maxValues
}

func checkQuery(r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	for key, values := range r.URL.Query() {
		for _, v := range values {
			if !StorableText(key) || !StorableText(v) {
				return auth.ErrValidation.Saying("The query string holds text that cannot be stored")
			}
		}
	}
	return nil
}

// StorableText reports whether Postgres can store s: valid UTF-8 without NUL.
func StorableText(s string) bool { return !strings.ContainsRune(s, 0) && utf8.ValidString(s) }

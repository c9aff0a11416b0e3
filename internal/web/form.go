package web

import (
	"bytes"
	"fmt"
	"mime"
	"net/url"
	"reflect"
	"strings"

	"github.com/reevehq/reeve/internal/auth"
)

// Forms (application/x-www-form-urlencoded) are read into request types whose
// fields have a tag form:"name", with or instead of one for JSON. A string
// field accepts one value; a []string accepts several, in the order in which
// they are sent. Unknown fields are ignored (RFC 6749, section 3.2), but count
// towards the bounds.

// Bounds of a form.
const (
	maxFormFields = 64
	maxFormValue  = 512 << 10 // bytes; a SAML response in base64 fits
)

// formField is the destination of a form's field.
type formField struct {
	name     string
	index    []int
	repeated bool
}

// formFields lists the form fields of a request type; nil if there are none. It
// panics on an unsupported type, when its route is mounted.
func formFields(t reflect.Type) []formField {
	var fields []formField
	for _, f := range reflect.VisibleFields(t) {
		name, ok := f.Tag.Lookup("form")
		if !ok {
			continue
		}
		repeated := f.Type == reflect.TypeFor[[]string]()
		if !repeated && f.Type != reflect.TypeFor[string]() {
			panic(fmt.Sprintf("web: %s.%s: a field of a form is a string or a []string", t, f.Name))
		}
		fields = append(fields, formField{name: name, index: f.Index, repeated: repeated})
	}
	return fields
}

func isForm(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/x-www-form-urlencoded"
}

// decodeForm is strict where parsers differ: it refuses a semicolon, a bad
// escape, and a repeated field that is not a []string.
func decodeForm(body []byte, fields []formField, into reflect.Value) error {
	if bytes.Count(body, []byte("&")) >= maxFormFields {
		return errForm(fmt.Sprintf("The form has more than %d fields", maxFormFields))
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return errForm("The request body is no form")
	}
	for name, sent := range values {
		for _, v := range sent {
			if len(v) > maxFormValue || len(name) > maxFormValue {
				return errForm("A field of the form is too long")
			}
			if !StorableText(name) || !StorableText(v) {
				return errForm("The form holds text that cannot be stored")
			}
		}
	}
	for _, f := range fields {
		sent := values[f.name]
		switch {
		case len(sent) == 0:
		case f.repeated:
			into.FieldByIndex(f.index).Set(reflect.ValueOf(sent))
		case len(sent) > 1:
			return errForm(f.name + ": must not be repeated")
		default:
			into.FieldByIndex(f.index).SetString(strings.Clone(sent[0]))
		}
	}
	return nil
}

func errForm(message string) error { return auth.ErrValidation.Saying(message) }

package web

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reevehq/reeve/internal/auth"
)

// grantForm accepts a form and JSON, as /oauth/token does.
type grantForm struct {
	Grant     string   `json:"grant_type" form:"grant_type"`
	Resources []string `json:"resource" form:"resource"`
	relay
}

type relay struct {
	State string `json:"-" form:"RelayState"`
}

const asForm = "application/x-www-form-urlencoded"

func TestDecodeForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contentType, body string
		want              grantForm
	}{
		"fields":        {asForm, "grant_type=a+b%26&RelayState=%2Fx", grantForm{Grant: "a b&", relay: relay{State: "/x"}}},
		"charset":       {asForm + "; charset=UTF-8", "grant_type=%C3%A9", grantForm{Grant: "é"}},
		"any case":      {"Application/X-WWW-Form-Urlencoded", "grant_type=a", grantForm{Grant: "a"}},
		"repeated":      {asForm, "resource=b&resource=a", grantForm{Resources: []string{"b", "a"}}},
		"unknown field": {asForm, "other=1&other=2&grant_type=a", grantForm{Grant: "a"}},
		"empty":         {asForm, "", grantForm{}},
		"no value":      {asForm, "grant_type", grantForm{}},
		"JSON":          {"application/json", `{"grant_type":"a","resource":["b"]}`, grantForm{Grant: "a", Resources: []string{"b"}}},
		"JSON as text":  {"text/plain", `{"grant_type":"a"}`, grantForm{Grant: "a"}},
		"most fields":   {asForm, strings.Repeat("x=1&", maxFormFields-1) + "grant_type=a", grantForm{Grant: "a"}},
		"longest value": {asForm, "grant_type=" + strings.Repeat("a", maxFormValue), grantForm{Grant: strings.Repeat("a", maxFormValue)}},
	} {
		got, err := newDecoder[grantForm]().decode(ask("POST", "/", c.contentType, strings.NewReader(c.body)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, *got, cmp.AllowUnexported(grantForm{}, relay{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestDecodeFormRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contentType, body string
		want              error
	}{
		"field sent twice":   {asForm, "grant_type=a&grant_type=a", auth.ErrValidation},
		"too many fields":    {asForm, strings.Repeat("x=1&", maxFormFields) + "grant_type=a", auth.ErrValidation},
		"ampersands":         {asForm, strings.Repeat("&", MaxBody), auth.ErrValidation},
		"long value":         {asForm, "grant_type=" + strings.Repeat("a", maxFormValue+1), auth.ErrValidation},
		"long unknown one":   {asForm, "other=" + strings.Repeat("a", maxFormValue+1), auth.ErrValidation},
		"long name":          {asForm, strings.Repeat("a", maxFormValue+1) + "=a", auth.ErrValidation},
		"bad escape":         {asForm, "grant_type=%zz", auth.ErrValidation},
		"semicolon":          {asForm, "grant_type=a;b=c", auth.ErrValidation},
		"NUL":                {asForm, "grant_type=%00", auth.ErrValidation},
		"broken UTF-8":       {asForm, "grant_type=%ff", auth.ErrValidation},
		"NUL in a name":      {asForm, "%00=a", auth.ErrValidation},
		"body too large":     {asForm, "grant_type=" + strings.Repeat("a", MaxBody), auth.ErrBodyTooLarge},
		"no type":            {"", "grant_type=a", auth.ErrBadJSON},
		"multipart":          {"multipart/form-data; boundary=x", "--x--", auth.ErrBadJSON},
		"JSON called a form": {asForm, `{"grant_type":"a&grant_type=b&grant_type=c"}`, auth.ErrValidation},
	} {
		if got, err := newDecoder[grantForm]().decode(ask("POST", "/", c.contentType, strings.NewReader(c.body))); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// A route without form fields reads no form.
	if _, err := newDecoder[form]().decode(ask("POST", "/", asForm, strings.NewReader("name=n"))); !errors.Is(err, auth.ErrBadJSON) {
		t.Errorf("a route of JSON takes a form: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a field that cannot be filled is mounted")
		}
	}()
	newDecoder[struct {
		Count int `form:"count"`
	}]()
}

func FuzzDecodeForm(f *testing.F) {
	for _, s := range []string{"grant_type=a&resource=b&resource=c", "%", "a;b", "grant_type=%00", "&&&="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := newDecoder[grantForm]().decode(ask("POST", "/", asForm, strings.NewReader(body)))
		if err != nil {
			return
		}
		values, err := url.ParseQuery(body)
		if err != nil || got.Grant != values.Get("grant_type") || len(values["grant_type"]) > 1 || !StorableText(got.Grant) {
			t.Errorf("%q: %+v, %v", body, got, err)
		}
	})
}

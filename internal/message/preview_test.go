package message

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]TemplateFault{
		"{{ .Secret }}": {Line: 1, Column: 4, Reason: "there is no variable .Secret"},
		"<p>Ähm\n  ä {{ .Token }} {{ if .Email }}{{ $.A }}":    {Line: 2, Column: 18, Reason: "unexpected EOF"},
		"<p>Ähm\n  ä {{ .Token }} {{ .A.B }}":                  {Line: 2, Column: 23, Reason: "there is no variable .A"},
		"<p>\nä {{ .Token }} ü {{ .Token | nothing }}":         {Line: 2, Column: 18, Reason: `function "nothing" not defined`},
		"a {{ .Token }} {{ end }}":                             {Line: 1, Column: 16, Reason: "unexpected {{end}}"},
		"\n {{ .Token ":                                        {Line: 2, Column: 2, Reason: "unclosed action"},
		"x\n{{ if .Email }}ö{{ call .Data.f }}{{ end }}":       {Line: 2, Column: 20, Reason: `function "call" is not available`},
		`{{ define "x" }}{{ end }}x`:                           {Reason: "define, block and template are not available"},
		"\n<a href=\"{{ if .Email }}\"{{ end }}>":              {Line: 2, Column: 16, Reason: "branches"},
		"\n{{ range .Data }}{{ $x := print $.Data }}{{ end }}": {Line: 2, Column: 34, Reason: "template builds too much text", Large: true},
	} {
		p, err := NewChecker(1).Preview(t.Context(), Confirmation, Template{Content: source}, "jane@example.com", data())
		if err != nil || len(p.Faults) != 1 {
			t.Errorf("%q: %+v, %v", source, p.Faults, err)
			continue
		}
		got := p.Faults[0]
		if got.Subject || got.Line != want.Line || got.Column != want.Column || got.Large != want.Large || !strings.Contains(got.Reason, want.Reason) {
			t.Errorf("%q: %+v, want %+v", source, got, want)
		}
		if want.Large != (p.Message.TemplateError == nil) {
			t.Errorf("%q: %v", source, p.Message.TemplateError)
		}
	}
	good := Template{Subject: "Code {{ .Token }}", Content: `<p>{{ .Data.name }} <a href="{{ .ConfirmationURL }}">x</a></p>`}
	p, err := NewChecker(1).Preview(t.Context(), Recovery, good, "jane@example.com", SampleData(Recovery, "Shop", "https://shop.example", "https://ref.example/auth/v1"))
	if err != nil || len(p.Faults) != 0 || p.Message.Subject != "Code 123456" || !strings.Contains(p.Message.Text, "https://ref.example/auth/v1/verify?token=") {
		t.Errorf("%+v, %v", p, err)
	}
	// A faulty subject leaves the content as it is.
	good.Subject = "{{ .Nothing }}"
	if p, err = NewChecker(1).Preview(t.Context(), Recovery, good, "j@example.com", data()); err != nil || len(p.Faults) != 1 || !p.Faults[0].Subject || !strings.Contains(p.Message.HTML, "<p>") {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := NewChecker(1).Preview(t.Context(), "nonsense", good, "j@example.com", data()); !errors.Is(err, ErrUnknownKind) {
		t.Error(err)
	}
	busy := NewChecker(0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := busy.Preview(ctx, Recovery, good, "j@example.com", data()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

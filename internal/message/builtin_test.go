package message

import (
	"strings"
	"testing"
)

// TestBuiltin: the texts that a project starts from make the built-in mail.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		own, ok := Builtin(kind)
		if !ok {
			t.Fatalf("%s has no built-in mail", kind)
		}
		if strings.Contains(own.Content, "{{template") || strings.Contains(own.Content, "{{define") {
			t.Errorf("%s: a part is not in its place: %s", kind, own.Content)
		}
		d := SampleData(kind, "Shop", "https://shop.example", "https://ref.example/auth/v1")
		got, err := NewChecker(1).Preview(t.Context(), kind, own, "jane@example.com", d)
		if err != nil || len(got.Faults) != 0 {
			t.Errorf("%s: %+v, %v", kind, got.Faults, err)
		}
		want, err := Render(kind, Template{}, "jane@example.com", d)
		if err != nil || got.Message.Subject != want.Subject || got.Message.Text != want.Text {
			t.Errorf("%s: %q, want %q, %v", kind, got.Message.Text, want.Text, err)
		}
		for _, v := range Variables(kind, d, "jane@example.com") {
			if err := NewChecker(1).Check(t.Context(), kind, false, "{{ "+v.Name+" }}"); err != nil || v.Sample == "" {
				t.Errorf("%s: %+v, %v", kind, v, err)
			}
		}
	}
	if _, ok := Builtin(LeakedKey); ok {
		t.Error("a mail of the control plane is offered")
	}
}

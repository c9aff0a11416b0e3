package saml_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/saml"
)

// in returns a response, signed, with a text put at the end of its statement afterwards.
func (w *world) in(text string) string {
	raw, _ := base64.StdEncoding.DecodeString(w.Encoded(sound()))
	return base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(raw), "</saml:AttributeStatement>", text+"</saml:AttributeStatement>", 1)))
}

// costly are forged responses that are as much work as the bounds let them be.
func costly(w *world) map[string]string {
	attributes := func(form string, n int) (s string) {
		for i := range n {
			s += fmt.Sprintf(form, i)
		}
		return s
	}
	deep := func(attributes, leaf string, n int) string {
		return strings.Repeat("<a"+attributes+">", 18) + strings.Repeat(leaf, n) + strings.Repeat("</a>", 18)
	}
	const most = 3900
	return map[string]string{
		"elements":   w.in(strings.Repeat("<b/>", most)),
		"signatures": w.in(deep(attributes(` a%d=""`, 40), "<Signature/>", most)),
		"namespaces": w.in(strings.Repeat("<b"+attributes(` xmlns:p%d="u"`, 36)+"/>", 200)),
		"attributes": w.in(strings.Repeat("<b"+attributes(` a%d=""`, 40)+"/>", 190)),
		"text":       w.in("<saml:Attribute>" + strings.Repeat("x", 250_000) + "</saml:Attribute>"),
		"references": w.in(strings.Repeat("&amp;", 50_000)),
	}
}

// TestForgeryCost: what nobody has signed is neither copied nor canonicalized, however
// large it is.
func TestForgeryCost(t *testing.T) {
	w := newWorld(t)
	allocated := func(encoded string) float64 {
		r, err := saml.ParseResponse(encoded)
		if err != nil {
			t.Fatal(err)
		}
		w.idp.Certificates[0] = newWorld(t).Certificate // of somebody else
		return testing.AllocsPerRun(1, func() {
			if _, _, err := r.Verify(w.self, w.idp, w.want); err == nil {
				t.Error("accepted")
			}
		})
	}
	small := allocated(w.in(""))
	for name, encoded := range costly(w) {
		if large := allocated(encoded); large > small+15_000 {
			t.Errorf("%s: %v allocations, %v for a small one", name, large, small)
		}
	}
}

// TestBounds: what is beyond a bound is refused before it is read.
func TestBounds(t *testing.T) {
	w := newWorld(t)
	prefixes := ""
	for i := range 13 {
		prefixes += fmt.Sprintf("<a xmlns:a%d=\"u\" xmlns:b%d=\"u\" xmlns:c%d=\"u\" xmlns:d%d=\"u\" xmlns:e%d=\"u\">", i, i, i, i, i)
	}
	for name, text := range map[string]string{
		"elements":        strings.Repeat("<b/>", 4000),
		"attributes, all": strings.Repeat("<b a=\"\" b=\"\" c=\"\"/>", 2700),
		"depth":           strings.Repeat("<b>", 24) + strings.Repeat("</b>", 24),
		"prefixes":        prefixes + strings.Repeat("</a>", 13),
		"bytes":           strings.Repeat(" ", saml.MaxMessage),
		"names":           "<é/>",
		"attributes":      "<b é=\"\"/>",
		"colons":          "<saml::b/>",
	} {
		if _, err := saml.ParseResponse(w.in(text)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// BenchmarkForged measures what a forged response costs: reading and refusing it.
func BenchmarkForged(b *testing.B) {
	w := newWorld(b)
	for name, encoded := range costly(w) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := saml.ParseResponse(encoded)
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := r.Verify(w.self, w.idp, w.want); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

package message

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadHTML(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		html, text string
		links      []string
	}{
		"empty":              {"", "", nil},
		"white space":        {"<p>\n a <b>b</b>c\u00a0 d </p>\n\n\n<p>e</p>", "a bc d\n\ne\n", nil},
		"head and style":     {"<head><title>t</title></head><style>x{}</style><script>y</script>z", "z\n", nil},
		"hidden":             {`<div style="DISPLAY: none"><div>a</div>b</div>c`, "c\n", nil},
		"hidden, not closed": {`<p style="display:none"><b>a</p>c`, "c\n", nil},
		"hidden void":        {`<img style="display:none" alt="x">c`, "xc\n", nil},
		"list":               {"<ul><li>a<li>b</ul>c<br>d<hr>e", "- a\n- b\n\nc\nd\n\n----\n\ne\n", nil},
		"cells":              {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n", nil},
		"entities":           {"a &amp; b &lt;c&gt;", "a & b <c>\n", nil},
		"link":               {`see <a href="https://x.example/?a=1&amp;b=2">here</a>.`, "see here:\nhttps://x.example/?a=1&b=2\n.\n", []string{"https://x.example/?a=1&b=2"}},
		"bare link":          {`<a href="https://x.example">https://x.example</a>`, "https://x.example\n", []string{"https://x.example"}},
		"app link":           {`<a href="myapp://in">go</a>`, "go:\nmyapp://in\n", []string{"myapp://in"}},
		"link without words": {`<a href="https://x.example"></a>`, "https://x.example\n", []string{"https://x.example"}},
		"twice":              {`<a href="https://x.example">https://x.example</a> <a href="https://x.example">https://x.example</a>`, "https://x.example https://x.example\n", []string{"https://x.example"}},
		"nothing to follow":  {`<a href="#top">a</a> <a href="mailto:x@y.example">b</a> <a href=" JavaScript:alert(1)">c</a> <a>d</a> <a href="/rel">e</a>`, "a b c d e\n", nil},
		"broken":             {`<<p <a href="https://x.example`, "<\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := readHTML(c.html)
			if diff := cmp.Diff(c.text, got.text); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.links, got.links); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzReadHTML(f *testing.F) {
	f.Add(`<div style="display:none">x</div><a href="https://x.example">y</a>`)
	f.Fuzz(func(t *testing.T, source string) {
		d := readHTML(source)
		if strings.Contains(d.text, "\n\n\n") && !strings.Contains(source, "&#10;") && !strings.Contains(source, "href") {
			t.Fatalf("%q", d.text)
		}
		if len(d.links) > maxLinks {
			t.Fatal(len(d.links))
		}
	})
}

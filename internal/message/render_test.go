package message

import (
	"errors"
	"flag"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	text "text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func data() Data {
	return Data{
		ProjectName:     "Acme Notes",
		SiteURL:         "https://notes.example",
		ConfirmationURL: "https://ref.example/auth/v1/verify?token=pkce_abc&type=signup&redirect_to=https://notes.example/welcome",
		Email:           "jane@example.com", NewEmail: "jane@new.example",
		Token: "493027", TokenHash: "pkce_abc", ExpiresIn: time.Hour,
	}
}

func TestRenderDefaultsMatchGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		d := data()
		if kind == Reauthentication {
			d.ConfirmationURL = ""
		}
		if kind == NewDevice {
			d.Token, d.TokenHash, d.ExpiresIn = "", "", 7*24*time.Hour
			d.ConfirmationURL, d.SignIn = "https://ref.example/auth/v1/session/report?token=abc", sample().SignIn
		}
		if slices.Contains(Notices(), kind) {
			d.ConfirmationURL, d.Token, d.FactorType = "", "", "webauthn"
		}
		m, err := Render(kind, Template{}, "jane@example.com", d)
		if err != nil {
			t.Fatal(err)
		}
		if m.ID == uuid.Nil || m.CreatedAt.IsZero() || m.Channel != Email || m.Kind != kind || m.TemplateError != nil {
			t.Errorf("%s: %+v", kind, m)
		}
		got := fmt.Sprintf("To: %s\nSubject: %s\nCode: %s\nLinks: %q\n\n%s\n%s", m.To, m.Subject, m.Code, m.Links, m.Text, m.HTML)
		file := filepath.Join("testdata", string(kind)+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (run with -update if meant):\n%s", kind, diff)
		}
	}
}

func TestRenderRefusesUnknownKind(t *testing.T) {
	t.Parallel()
	if _, err := Render("nonsense", Template{}, "jane@example.com", data()); !errors.Is(err, ErrUnknownKind) {
		t.Fatal(err)
	}
}

func TestRenderWithoutNameUsesHost(t *testing.T) {
	t.Parallel()
	d := data()
	d.ProjectName = ""
	m, err := Render(MagicLink, Template{}, "jane@example.com", d)
	if err != nil || m.Subject != "Your sign-in link for notes.example" {
		t.Fatal(m.Subject, err)
	}
}

func TestRenderHostileData(t *testing.T) {
	t.Parallel()
	d := data()
	d.ProjectName = "<script>alert(1)</script>\r\nBcc: victim@example.com\u202e"
	d.Email = `"><img src=x onerror=alert(1)>@example.com`
	d.ConfirmationURL = "javascript:alert(document.cookie)"
	m, err := Render(EmailChange, Template{}, "jane@example.com\r\nBcc: x@example.com", d)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", "<img src=x", `href="javascript:`} {
		if strings.Contains(m.HTML, bad) {
			t.Errorf("HTML contains %q", bad)
		}
	}
	if strings.ContainsAny(m.Subject+m.To, "\r\n\u202e") {
		t.Errorf("header injection: %q %q", m.Subject, m.To)
	}
	if len(m.Links) != 0 {
		t.Errorf("links: %q", m.Links)
	}
}

func TestRenderOwnTemplates(t *testing.T) {
	t.Parallel()
	own := Template{
		Subject: "Hi {{ .Data.name }}, sign in\n{{ if eq .Data.lang \"de\" }}(de){{ end }}",
		Content: `<h2>Hi {{ .Data.name }}</h2>
<a href="https://notes.example/logo"><img alt="Logo" src="x"></a>
<p>Follow <a href="{{ .SiteURL }}/auth/confirm?token_hash={{ .TokenHash }}&type=email">this link</a></p>
{{ range $i, $r := .Data.roles }}<li>{{ $i }} {{ $r | printf "%v" }}</li>{{ else }}none{{ end }}`,
	}
	d := data()
	d.Data = map[string]any{"name": "<b>Jane</b>", "lang": "de", "roles": []string{"a", "b"}}
	m, err := Render(MagicLink, own, "jane@example.com", d)
	if err != nil || m.TemplateError != nil {
		t.Fatal(err, m.TemplateError)
	}
	if m.Subject != "Hi <b>Jane</b>, sign in (de)" {
		t.Errorf("subject %q", m.Subject)
	}
	wantText := "Hi <b>Jane</b>\n\nLogo:\nhttps://notes.example/logo\n\nFollow this link:\n" +
		"https://notes.example/auth/confirm?token_hash=pkce_abc&type=email\n\n- 0 a\n- 1 b\n"
	if diff := cmp.Diff(wantText, m.Text); diff != "" {
		t.Error(diff)
	}
	wantLinks := []string{"https://notes.example/auth/confirm?token_hash=pkce_abc&type=email", "https://notes.example/logo"}
	if diff := cmp.Diff(wantLinks, m.Links); diff != "" {
		t.Error(diff)
	}
	if m.Code != "" {
		t.Errorf("code %q, but the mail shows none", m.Code)
	}
}

// stringer would have an effect in a template if methods could be reached.
type stringer struct{ called *bool }

func (s stringer) Fire() string { *s.called = true; return "fired" }

// hostile are templates that must neither work nor take long.
var hostile = map[string]string{
	"does not parse":        "{{ if }}",
	"unknown field":         "{{ .Password }}",
	"unknown function":      "{{ exec \"id\" }}",
	"call":                  "{{ call .Data.f }}",
	"define":                `{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`,
	"block":                 `{{ block "x" . }}{{ end }}`,
	"self":                  `{{ template "confirmation" . }}`,
	"loop meter by name":    `{{ reeve_loop 0 .Data }}`,
	"text meter by name":    `{{ .Email | reeve_text }}`,
	"read meter by name":    `{{ print (reeve_read .Email) }}`,
	"endless range":         "{{ range 9223372036854775807 }}{{ end }}",
	"huge range":            "{{ range 1000000000 }}x{{ end }}",
	"nested ranges":         "{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}",
	"heavy body":            "{{ range 20000 }}" + strings.Repeat("{{ $ }}", 1000) + "{{ end }}",
	"deep ranges":           strings.Repeat("{{ range .Data }}", 1500) + strings.Repeat("{{ end }}", 1500),
	"three ranges":          "{{ range 1 }}{{ range 1 }}{{ range 1 }}{{ end }}{{ end }}{{ end }}",
	"deep ifs":              strings.Repeat("{{ if .Email }}", 2000) + strings.Repeat("{{ end }}", 2000),
	"deep parentheses":      "{{ " + strings.Repeat("(", 20000) + ".Email" + strings.Repeat(")", 20000) + " }}",
	"doubling":              "{{ $x := `xxxxxxxx` }}" + strings.Repeat("{{ $x = print $x $x }}", 1000) + "{{ $x }}",
	"wide printf":           `{{ printf "%1000000d" 1 }}`,
	"starred printf":        `{{ printf "%*d" 1000000 1 }}`,
	"many arguments":        "{{ print " + strings.Repeat(".Email ", 1000) + "}}",
	"too large":             strings.Repeat("x", maxTemplate+1),
	"output too large":      "{{ range 10000 }}" + strings.Repeat("x", 100) + "{{ end }}",
	"method":                "{{ .Data.s.Fire }}{{ .Email.Fire }}",
	"range over a string":   "{{ range .Email }}{{ end }}",
	"unfinished attribute":  `<a href="{{ if .Email }}"{{ end }}>`,
	"index out of anything": "{{ index .Email 1000 }}",
}

func TestHostileTemplatesFallBackToTheDefault(t *testing.T) {
	t.Parallel()
	want, err := Render(Confirmation, Template{}, "jane@example.com", data())
	if err != nil {
		t.Fatal(err)
	}
	for name, source := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called := false
			d := data()
			d.Data = map[string]any{"s": stringer{&called}, "f": func() string { called = true; return "" }}
			m, err := Render(Confirmation, Template{Subject: source, Content: source}, "jane@example.com", d)
			if err != nil {
				t.Fatal(err)
			}
			if m.TemplateError == nil || m.HTML != want.HTML || called {
				t.Errorf("template error %v, called %v, default used %v", m.TemplateError, called, m.HTML == want.HTML)
			}
			if err := CheckTemplate(Confirmation, false, source); err == nil {
				t.Error("CheckTemplate passed it")
			}
		})
	}
}

func TestCheckTemplate(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"", "plain words", "{{ .ConfirmationURL }} {{ .Token }} {{ .Data.missing.deeper }}",
		`{{ if and .Data.name (ne .Data.lang "en") }}{{ else if .NewEmail }}{{ with .Data }}{{ .x }}{{ end }}{{ end }}`,
		`<a href="{{ .SiteURL }}?to={{ .RedirectTo | urlquery }}">x</a>{{ .Email | html }}`,
		`{{- range $k, $v := .Data }}{{ if eq $k "name" }}{{ continue }}{{ end }}{{ break }}{{ end -}}`,
		`{{ range .Data.missing }}{{ end }}{{/* comment */}}{{ len .Email }}{{ index .Data "name" }}{{ slice .Token 0 3 }}`,
	} {
		for _, subject := range []bool{true, false} {
			if err := CheckTemplate(Invite, subject, good); err != nil {
				t.Errorf("%q: %v", good, err)
			}
		}
	}
	for source, want := range map[string]string{
		"{{ .Secret }}":                     "The subject template of invite mails is invalid: invite:1:3: there is no variable .Secret",
		"{{ if .Email }}{{ $.A }}{{ end }}": "invite:1:19: there is no variable .A",
		"{{ .Email.Domain }}":               "can't evaluate field Domain in type string",
	} {
		if err := CheckTemplate(Invite, true, source); err == nil || !strings.Contains(fault.From(err).Message, want) {
			t.Errorf("%s: message does not explain: %v", source, err)
		}
	}
	if err := CheckTemplate("nonsense", true, ""); !errors.Is(err, ErrUnknownKind) {
		t.Error(err)
	}
}

// metadata is 20 KB as a user could have it.
func metadata() map[string]any {
	d := map[string]any{"bio": strings.Repeat("<", 6000), "same": strings.Repeat("<", 6000), "format": strings.Repeat("%%", 3000)}
	for i := range 100 {
		d[fmt.Sprintf("key%d", i)] = []any{i, "é<'\"&", nil, map[string]any{"deep": true}}
	}
	return d
}

// Each of these reads much and prints little, so that the bound of the output
// does not bound its time: without a bound of reads it takes minutes.
func TestTemplatesThatReadMuchFallBackToTheDefault(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"style":         `<div style="{{ range 15000 }}{{ $.Data }}{{ end }}">`,
		"style, string": `<div style="{{ range 15000 }}{{ $.Data.bio }}{{ end }}">`,
		"style, flat":   `<div style="` + strings.Repeat("{{ .Data }}", 5000) + `">`,
		"root":          `<div style="{{ range 15000 }}{{ $ }}{{ end }}">`,
		"comment":       `<!-- {{ range 15000 }}{{ $.Data }}{{ end }} -->`,
		"link":          `{{ range 15000 }}<a href="{{ $.Data }}"></a>{{ end }}`,
		"attribute":     `<p {{ range 15000 }} {{ $.Data }}{{ end }}>`,
		"escaped":       `<div style="{{ range 15000 }}{{ html $.Data }}{{ end }}">`,
		"escaped after": `{{ range 15000 }}{{ $x := $.Data | urlquery }}{{ end }}`,
		"print":         `{{ range 3000 }}{{ $x := print $.Data }}{{ end }}`,
		"print piped":   `{{ range 3000 }}{{ $x := $.Data | print }}{{ end }}`,
		"constant":      `{{ range 3000 }}{{ $x := js "` + strings.Repeat("'", 6000) + `" }}{{ end }}`,
		"format":        `{{ range 3000 }}{{ $x := printf $.Data.format }}{{ end }}`,
		"condition":     `{{ range 3000 }}{{ if html $.Data }}{{ end }}{{ end }}`,
		"comparison":    `{{ range 3000 }}{{ if eq $.Data.bio $.Data.same }}{{ end }}{{ end }}`,
		"piped":         `{{ range 3000 }}{{ if $.Data.bio | ge $.Data.same }}{{ end }}{{ end }}`,
		"look-up":       `{{ range 3000 }}{{ if index $.Data $.Data.bio }}{{ end }}{{ end }}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := data()
			d.Data = metadata()
			m, err := Render(Confirmation, Template{Content: source}, "jane@example.com", d)
			if err != nil {
				t.Fatal(err)
			}
			if !errors.Is(m.TemplateError, errTooManyBytes) {
				t.Errorf("template error %v", m.TemplateError)
			}
		})
	}
}

// The meter must not change a template's output or escaping.
func TestMeterChangesNothing(t *testing.T) {
	t.Parallel()
	d := data()
	d.Data = metadata()
	v := d.variables("jane@example.com")
	for _, action := range []string{
		"{{ .Data.key1 }}", "{{ .Data.missing }}", "{{ .Data.missing.deeper }}", "{{ index .Data.key1 2 }}", "{{ .Data.bio }}", "{{ . }}",
		`{{ (index .Data.key1 3).deep }}`, "{{ true }}", "{{ 1.5 }}", "{{ 'x' }}", "{{ index .Email 0 }}", `{{ "<a&'b>" }}`, "{{ .ConfirmationURL }}",
		"{{ $x := .Data.key1 }}{{ $x = index $x 1 }}{{ $x }}", `{{ print .Data.key1 nil "<b>" 1 true .Data.missing }}`, "{{ .Email | println 1 }}",
		`{{ printf "%v %s %q" .Data.key1 .Email "é" }}`, `{{ .Email | printf "%s-%s" .Token }}`, "{{ html .Data.key1 .Email }}", "{{ .Data.key1 | html }}",
		"{{ urlquery .ConfirmationURL }}", "{{ .ConfirmationURL | urlquery }}", "{{ js .Data.key2 }}", "{{ len .Data.key1 }}", "{{ slice .Token 1 3 }}",
		"{{ eq .Email .SendingTo }}", "{{ .Email | eq .Token .Email }}", "{{ eq .Data.missing nil }}", "{{ ne (index .Data.key1 0) 1.0 }}", "{{ lt .Email .Token }}",
		"{{ eq .Email nil }}", "{{ and .Data.missing .Email }}", "{{ or .Data.missing .Data.key1 }}", "{{ not .Data.missing }}",
		"{{ range $i, $e := .Data.key1 }}{{ $i }}{{ $e }}{{ else }}x{{ end }}", "{{ with .Data.key1 }}{{ . }}{{ end }}", "{{ if eq .Token `493027` }}y{{ end }}",
	} {
		for _, around := range []string{
			"%s", `<p title="%s">`, `<p title=%s>`, `<a href="%s">`, `<a href="/x?y=%s">`, `<div style="color: %s">`, `<style>p { color: %s }</style>`,
			"<script>x = %s</script>", "<script>x = '%s'</script>", `<p onclick="f(%s)">`, "<!-- %s -->", "<title>%s</title>", `<img srcset="%s">`,
		} {
			source := strings.Replace(around, "%s", action, 1)
			want, wantErr := strings.Builder{}, error(nil)
			if plain, err := template.New("confirmation").Parse(source); err != nil {
				t.Fatal(err)
			} else {
				wantErr = plain.Execute(&want, v)
			}
			got, err := renderBody(Confirmation, source, v)
			if (err == nil) != (wantErr == nil) || err == nil && got != want.String() {
				t.Errorf("%s:\n%.300q %v, want\n%.300q %v", source, got, err, want.String(), wantErr)
			}
		}
		var want strings.Builder
		wantErr := text.Must(text.New("confirmation").Parse(action)).Execute(&want, v)
		got, err := renderSubject(Confirmation, action, v)
		if (err == nil) != (wantErr == nil) || err == nil && got != want.String() {
			t.Errorf("subject %s:\n%.300q %v, want\n%.300q %v", action, got, err, want.String(), wantErr)
		}
	}
}

func TestCheckTemplateTriesMuchMetadata(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"Hello {{ .Data.name }}", "{{ .Data }}", `<script>{{ .Data }}</script>`, `<div style="{{ .Data }}">`, "{{ .Data | html }}",
		"{{ range $k, $v := .Data }}<li><b>{{ $k }}</b>: {{ $v }} {{ if eq $k $.Email }}{{ printf `%s-%s` $k $v }}{{ end }}</li>{{ end }}",
		"{{ range .Data }}{{ . }}{{ end }}{{ range .Data }}{{ index $.Data `name` }}{{ end }}",
	} {
		if err := CheckTemplate(Recovery, false, good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for source, want := range map[string]string{
		`<div style="{{ range .Data }}{{ $.Data }}{{ end }}">`:                           "with 20 KB of metadata: confirmation:1:32: template builds too much text",
		"\n{{ range .Data }}{{ $x := print $.Data }}{{ end }}":                           "with 20 KB of metadata: confirmation:2:33: template builds too much text",
		"{{ range .Data }}{{ range $.Data }}{{ if $.Email }}{{ end }}{{ end }}{{ end }}": "with 20 KB of metadata: confirmation:1:26: template loops too often",
		"{{ range 1000000 }}{{ end }}":                                                   "mails is invalid: confirmation:1:9: template loops too often",
	} {
		err := CheckTemplate(Confirmation, false, source)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%v, want\n%s", source, err, want)
		}
	}
}

func FuzzOwnTemplate(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		m, err := Render(Recovery, Template{Subject: source, Content: source}, "jane@example.com", data())
		if err != nil || m.Subject == "" || strings.ContainsAny(m.Subject, "\r\n") || len(m.HTML) > maxRendered {
			t.Fatalf("%v %q", err, m.Subject)
		}
	})
}

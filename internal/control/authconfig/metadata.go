package authconfig

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/setting"
	"github.com/reevehq/reeve/internal/web/control"
)

func (h *Handler) mountMetadata(api control.API, path string) {
	control.Register(api, control.Operation{
		ID: "describe-auth-settings", Method: http.MethodGet, Path: path + "/settings", Tag: "Auth configuration",
		Summary: "Describe all auth settings by section: their types, bounds, defaults and what they do",
	}, h.describe)
}

// Description is all settings.
type Description struct {
	Sections []SettingSection `json:"sections"`
}

// SettingSection is settings that belong together.
type SettingSection struct {
	ID       string           `json:"id" doc:"Such as urls, sign_up, email, passwords, sessions, rate_limits, smtp, providers."`
	Title    string           `json:"title"`
	Rules    []string         `json:"rules" doc:"What settings must fulfil together, in sentences."`
	Settings []SettingDetails `json:"settings"`
}

// SettingDetails is the declaration of a setting.
type SettingDetails struct {
	Name      string        `json:"name"`
	Label     string        `json:"label"`
	Doc       string        `json:"doc" doc:"What it does. Empty if it is not built."`
	See       string        `json:"see" doc:"The page and section of the documentation, such as auth.md#redirects; empty for none."`
	Type      string        `json:"type" enum:"boolean,integer,number,string"`
	Default   any           `json:"default" doc:"null for a secret."`
	Nullable  bool          `json:"nullable" doc:"It is null in some answers."`
	Minimum   *float64      `json:"minimum" doc:"Of a number."`
	Maximum   *float64      `json:"maximum" doc:"Of a number."`
	MaxLength *int          `json:"max_length" doc:"Of a text in characters, of a secret in bytes."`
	Choices   []string      `json:"choices" doc:"The only values, if there are any."`
	Unit      string        `json:"unit" doc:"seconds, hours, days, or empty."`
	Secret    bool          `json:"secret" doc:"Answers have a fingerprint of it."`
	Multiline bool          `json:"multiline" doc:"It may hold line breaks."`
	Built     bool          `json:"built" doc:"Whether the feature exists. Otherwise the default is the only value."`
	Provider  string        `json:"provider" doc:"The external identity provider that it is of; empty for none."`
	Template  string        `json:"template" doc:"The kind of mail that it is a template of; empty for none."`
	Subject   bool          `json:"subject" doc:"It is the template of a subject, not of the content."`
	Needs     []SettingNeed `json:"needs" doc:"Conditions without which it has no effect."`
}

// SettingNeed is a condition on another setting.
type SettingNeed struct {
	Setting string  `json:"setting"`
	On      bool    `json:"on" doc:"It must be true or not empty; otherwise it must be false or empty, because it overrides this one."`
	Value   *string `json:"value" doc:"The value that it must have; null for any."`
}

func (h *Handler) describe(ctx context.Context, actor control.Actor, in *getInput) (*Description, error) {
	if _, err := h.Service.Authz.Project(ctx, actor, authz.ReadAuthConfig, in.Ref); err != nil {
		return nil, err
	}
	return described(), nil
}

// described is the same for all projects.
var described = sync.OnceValue(func() *Description {
	out := &Description{}
	for _, s := range setting.Sections() {
		section := SettingSection{ID: s.ID, Title: s.Title, Rules: []string{}}
		for _, rule := range s.Rules {
			plain, _ := withoutLinks(rule)
			section.Rules = append(section.Rules, plain)
		}
		for _, one := range s.Settings {
			section.Settings = append(section.Settings, details(one))
		}
		out.Sections = append(out.Sections, section)
	}
	return out
})

func details(s setting.Setting) SettingDetails {
	d := SettingDetails{
		Name: s.Name, Label: s.Label(), Type: string(s.Kind), Default: s.Default, Nullable: s.Nullable(), Choices: texts(s.OneOf), Unit: s.Unit(),
		Secret: s.Secret, Multiline: s.Lines, Built: s.Available(), Provider: s.Provider(), Template: s.Mail, Subject: s.Subject, Needs: []SettingNeed{},
	}
	d.Doc, d.See = withoutLinks(s.Effect)
	if s.Available() && (s.Kind == setting.Integer || s.Kind == setting.Number) {
		d.Minimum, d.Maximum = &s.Min, &s.Max
	}
	if s.MaxLength > 0 {
		d.MaxLength = &s.MaxLength
	}
	for _, n := range s.Needs() {
		need := SettingNeed{Setting: n.Setting, On: !n.Off}
		if n.Value != "" {
			need.Value = &n.Value
		}
		d.Needs = append(d.Needs, need)
	}
	return d
}

var (
	link = regexp.MustCompile("\\[([^\\]]*)\\]\\(([^)]*)\\)")
	see  = regexp.MustCompile(` See \[[^\]]*\]\([^)]*\)\.$`)
)

// withoutLinks returns a sentence of the documentation without its links, and where
// the first leads.
func withoutLinks(doc string) (plain, first string) {
	if found := link.FindStringSubmatch(doc); found != nil {
		first = found[2]
	}
	return strings.ReplaceAll(link.ReplaceAllString(see.ReplaceAllString(doc, ""), "$1"), "`", ""), first
}

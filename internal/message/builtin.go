package message

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	text "text/template"
)

// Builtin returns the texts of the built-in mail of a kind, as a project could set
// them; ok is false for a kind that no project replaces.
func Builtin(kind Kind) (t Template, ok bool) {
	t, ok = builtins()[kind]
	return t, ok
}

var builtins = sync.OnceValue(func() map[Kind]Template {
	out := map[Kind]Template{}
	for _, kind := range Kinds() {
		out[kind] = Template{Subject: defaultSubjects[kind], Content: flat(kind)}
	}
	return out
})

// flat is the built-in page with the parts of its kind in their places, because
// projects' templates have no define. The actions lose their inner spaces.
func flat(kind Kind) string {
	pages := text.Must(text.ParseFS(templateFiles, "templates/layout.html", fmt.Sprintf("templates/%s.html", kind)))
	out := pages.Lookup("layout.html").Root.String()
	for _, part := range pages.Templates() {
		if part.Tree != nil {
			out = strings.ReplaceAll(out, fmt.Sprintf("{{template %q .}}", part.Name()), part.Root.String())
		}
	}
	return out
}

// Variable is a value that a template can show.
type Variable struct{ Name, Sample string }

// Variables returns the values of SampleData that mails of a kind have, by name,
// without the user's metadata.
func Variables(kind Kind, d Data, to string) []Variable {
	v := d.variables(to)
	if slices.Contains(Notices(), kind) {
		return noticeVariables(kind, v)
	}
	all := map[string]string{
		"ProjectName": v.ProjectName, "SiteURL": v.SiteURL, "Email": v.Email, "SendingTo": v.SendingTo, "Token": v.Token, "ExpiresIn": v.ExpiresIn,
	}
	if kind == NewDevice {
		all["ConfirmationURL"], all["Device"], all["Place"] = v.ConfirmationURL, v.Device, v.Place
		all["IPAddress"], all["SignedInAt"] = v.IPAddress, v.SignedInAt
		delete(all, "Token")
	} else if kind != Reauthentication {
		all["ConfirmationURL"], all["TokenHash"], all["RedirectTo"] = v.ConfirmationURL, v.TokenHash, v.RedirectTo
	}
	if kind == EmailChange {
		all["NewEmail"], all["OldEmail"] = v.NewEmail, v.OldEmail
	}
	return sorted(all)
}

// noticeVariables is Variables for a notice.
func noticeVariables(kind Kind, v variables) []Variable {
	all := map[string]string{"ProjectName": v.ProjectName, "SiteURL": v.SiteURL, "Email": v.Email, "SendingTo": v.SendingTo}
	switch kind {
	case RecoveryCodeUsed:
	case IdentityLinked:
		all["Provider"] = v.Provider
	default:
		all["FactorType"] = v.FactorType
	}
	return sorted(all)
}

func sorted(all map[string]string) []Variable {
	out := make([]Variable, 0, len(all))
	for name, sample := range all {
		out = append(out, Variable{"." + name, sample})
	}
	slices.SortFunc(out, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

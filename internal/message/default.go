package message

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
	"sync"
	text "text/template"
)

//go:embed templates/*.html
var templateFiles embed.FS

// defaultSubjects are Reeve's own subject lines.
var defaultSubjects = map[Kind]string{
	Confirmation:     "Confirm your e-mail address for {{ .ProjectName }}",
	Invite:           "You have been invited to {{ .ProjectName }}",
	Recovery:         "Reset your {{ .ProjectName }} password",
	EmailChange:      "Confirm the change of your {{ .ProjectName }} e-mail address",
	MagicLink:        "Your sign-in link for {{ .ProjectName }}",
	Reauthentication: "Your {{ .ProjectName }} confirmation code",
	FactorEnrolled:   "A second factor was added to your {{ .ProjectName }} account",
	FactorUnenrolled: "A second factor was removed from your {{ .ProjectName }} account",
	RecoveryCodeUsed: "A recovery code of your {{ .ProjectName }} account was used",
	IdentityLinked:   "Another way to sign in to {{ .ProjectName }}",
	NewDevice:        "New sign-in to {{ .ProjectName }}",
	DomainProof:      "Single sign-on for your domain in {{ .ProjectName }}",
	TeamInvite:       "Join {{ .Data.organization }}",
	LeakedKey:        "A {{ .Data.kind }} has leaked",
}

// defaultPage is one kind's built-in mail, parsed.
type defaultPage struct {
	subject *text.Template
	body    *template.Template
}

// defaultPages parses the built-in mails once. They are part of the binary, so
// an error in them is a programming error, which any test that runs finds.
var defaultPages = sync.OnceValue(func() map[Kind]defaultPage {
	pages := make(map[Kind]defaultPage, len(defaultSubjects))
	for kind := range defaultSubjects {
		pages[kind] = defaultPage{
			subject: text.Must(text.New(string(kind)).Parse(defaultSubjects[kind])),
			body: template.Must(template.ParseFS(templateFiles,
				"templates/layout.html", fmt.Sprintf("templates/%s.html", kind))),
		}
	}
	return pages
})

func (p defaultPage) subjectFor(v variables) string {
	var b strings.Builder
	if err := p.subject.Execute(&b, v); err != nil {
		panic(fmt.Sprintf("built-in mail subject: %v", err)) // only plain fields: cannot fail
	}
	return b.String()
}

func (p defaultPage) bodyFor(v variables) string {
	var b strings.Builder
	if err := p.body.ExecuteTemplate(&b, "layout.html", v); err != nil {
		panic(fmt.Sprintf("built-in mail body: %v", err)) // only plain fields: cannot fail
	}
	return b.String()
}

package message

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reevehq/reeve/internal/fault"
)

// errTemplate is what CheckTemplate returns, with a message that names the
// kind and the reason.
var errTemplate = fault.New(fault.Invalid, "validation_failed", "Invalid mail template")

// CheckTemplate tells whether text can be a project's own subject or content
// of a kind: it parses, is at most 64 KiB, uses only the fields of Data and
// harmless builtins, and runs within its bounds with sample data. Empty text
// is the default and always passes. The fault is Invalid, validation_failed.
func CheckTemplate(kind Kind, subject bool, text string) error {
	if !slices.Contains(Kinds(), kind) {
		return ErrUnknownKind
	}
	if text == "" {
		return nil
	}
	part, render := "content", renderBody
	if subject {
		part, render = "subject", renderSubject
	}
	if _, err := render(kind, text, sample().variables("jane@example.com")); err != nil {
		return errTemplate.Because(err).Saying(fmt.Sprintf("The %s template of %s mails is invalid: %s", part, kind, reason(err)))
	}
	return nil
}

// reason shortens an error of the template packages to what its author needs.
func reason(err error) string {
	s := err.Error()
	for _, p := range []string{"html/template: ", "html/template:", "template: ", "template:"} {
		s = strings.TrimPrefix(s, p)
	}
	return clip(oneLine(s), 300)
}

// sample is what CheckTemplate renders with.
func sample() Data {
	return Data{
		ProjectName:     "Example",
		SiteURL:         "https://example.com",
		ConfirmationURL: "https://example.com/auth/v1/verify?token=sample&type=signup&redirect_to=https://example.com",
		Email:           "jane@example.com", NewEmail: "new@example.com", OldEmail: "old@example.com",
		SendingTo: "jane@example.com", RedirectTo: "https://example.com/welcome",
		Token: "123456", TokenHash: "pkce_2f6d0f0e",
		Data: map[string]any{"name": "Jane", "lang": "en"},
	}
}

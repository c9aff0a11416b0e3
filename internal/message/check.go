package message

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/reevehq/reeve/internal/fault"
)

// errTemplate is what CheckTemplate returns, with a message that names the
// kind and the reason.
var errTemplate = fault.New(fault.Invalid, "validation_failed", "Invalid mail template")

// CheckTemplate reports whether text can be a project's own subject or content
// of a kind: it parses, is at most 64 KiB, uses only the fields of Data and
// harmless builtins, and runs within its bounds with sample data, also when a
// user has much metadata. Empty text is the default and always passes. The
// fault is Invalid, validation_failed.
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
	refuse := func(when string, err error) error {
		return errTemplate.Because(err).Saying(fmt.Sprintf("The %s template of %s mails is invalid%s: %s", part, kind, when, reason(err)))
	}
	if _, err := render(kind, text, sample().variables("jane@example.com")); err != nil {
		return refuse("", err)
	}
	if _, err := render(kind, text, largeSample().variables("jane@example.com")); err != nil {
		return refuse(" for users with 20 KB of metadata", err)
	}
	return nil
}

// meters matches the functions that guard inserted, in an error's text.
var meters = regexp.MustCompile(`executing "\w+" at <reeve_\w+[ \d]*>: error calling reeve_\w+: | \| reeve_\w+( \d+)?`)

// unknown matches the error of the template packages for an unknown variable.
var unknown = regexp.MustCompile(`executing "\w+" at <[^>]*>: can't evaluate field (\w+) in type message\.variables`)

// reason shortens an error of the template packages for the template's author.
func reason(err error) string {
	s := meters.ReplaceAllString(err.Error(), "")
	s = unknown.ReplaceAllString(s, "there is no variable .$1")
	for _, p := range []string{"html/template: ", "html/template:", "template: ", "template:"} {
		s = strings.TrimPrefix(s, p)
	}
	return clip(oneLine(s), 300)
}

// sample is the first sample data of CheckTemplate.
func sample() Data {
	return Data{
		ProjectName:     "Example",
		SiteURL:         "https://example.com",
		ConfirmationURL: "https://example.com/auth/v1/verify?token=sample&type=signup&redirect_to=https://example.com",
		Email:           "jane@example.com", NewEmail: "new@example.com", OldEmail: "old@example.com",
		SendingTo: "jane@example.com", RedirectTo: "https://example.com/welcome",
		Token: "123456", TokenHash: "pkce_2f6d0f0e", ExpiresIn: time.Hour, FactorType: "totp", Provider: "Acme",
		SignIn: SignIn{Device: "Firefox on Linux", Place: "Graz, Austria", IPAddress: "203.0.113.7", At: "1 October 2026, 09:30 UTC"},
		Data:   map[string]any{"name": "Jane", "lang": "en"},
	}
}

// largeSample has 20 KB of metadata, in entries like those of sample, so that
// only its size differs: a template that is too expensive with it is refused
// when it is set, instead of being replaced by the default at a user's sign-up.
func largeSample() Data {
	d := sample()
	for i := range 200 {
		d.Data[fmt.Sprintf("entry_%03d", i)] = strings.Repeat("sample ", 13)
	}
	return d
}

package projectlog

import (
	"regexp"
	"strings"
	"unicode"
)

// maxRedacted bounds a text before secrets are removed from it. Removing comes
// before clipping: half a secret does not look like one.
const maxRedacted = 16 << 10

const redacted = "[redacted]"

// named matches names of secrets.
const named = `(pass(word)?|pwd|secret|[a-z_]*token|api_?key|otp|nonce)`

// shapes match texts that are secrets by their form.
var shapes = []struct {
	form *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`eyJ[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]*)*`), redacted},                               // JWT
	{regexp.MustCompile(`sb_(secret|publishable)_[A-Za-z0-9_-]*|sbp_[0-9A-Za-z]*`), redacted},               // API key, access token
	{regexp.MustCompile(`\$[a-z0-9-]{1,12}\$[^\s,;)'"]+`), redacted},                                        // password hash: $2a$, $argon2id$
	{regexp.MustCompile(`://[^\s/@]*@`), "://" + redacted + "@"},                                            // user and password of a URL
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}`), "$1 " + redacted},                 // Authorization
	{regexp.MustCompile(`pkce_[0-9A-Za-z]+`), redacted},                                                     // token of a link
	{regexp.MustCompile(`(?i)\b` + named + `(["']?\s*=\s*["']?)[^\s"',;&)]+`), "$1$3" + redacted},           // password=...
	{regexp.MustCompile(`(?i)(^|[^/\w])` + named + `(["']?\s*:\s*["']?)[^\s"',;&)]+`), "$1$2$4" + redacted}, // password: ..., but not the end of a path
}

// opaque matches long words, which may be keys or tokens.
var opaque = regexp.MustCompile(`[A-Za-z0-9+/_=-]{20,}`)

// Clean returns a text of strangers within the bound of a message, in one line and
// without what looks like a secret.
func Clean(text string) string { return clip(oneLine(redact(text, nil)), maxMessage) }

// redact removes the given values and everything that looks like a secret.
func redact(text string, secrets []string) string {
	if len(text) > maxRedacted {
		text = text[:maxRedacted]
	}
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, redacted)
		}
	}
	for _, s := range shapes {
		text = s.form.ReplaceAllString(text, s.by)
	}
	return opaque.ReplaceAllStringFunc(text, func(word string) string {
		if random(word) {
			return redacted
		}
		return word
	})
}

// random reports whether a long word looks random: a part of twenty characters
// with letters and digits, or 32 characters with digits and letters of both cases.
// Names of functions and UUIDs have shorter parts, and letters of one case.
func random(word string) bool {
	parts := strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune("_-/+=", r) })
	for _, part := range parts {
		if digits, lower, upper := count(part); len(part) >= 20 && digits > 0 && lower+upper > 0 {
			return true
		}
	}
	digits, lower, upper := count(word)
	return len(word) >= 32 && digits >= 4 && lower > 0 && upper > 0
}

func count(s string) (digits, lower, upper int) {
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'a' && r <= 'z':
			lower++
		case r >= 'A' && r <= 'Z':
			upper++
		}
	}
	return digits, lower, upper
}

// oneLine replaces line ends and removes what cannot be stored or controls a
// terminal.
func oneLine(s string) string { return strings.Join(strings.Fields(lines(s)), " ") }

// lines removes what cannot be stored or controls a terminal, but not line ends.
func lines(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// clip cuts a text to a number of bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:max(most-3, 0)], "") + "..."
}

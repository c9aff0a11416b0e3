package fault

import (
	"fmt"
	"log/slog"
	"strings"
)

// Clip bounds, in bytes, an error's text for the log: it may quote what a
// project's triggers and templates write.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " ..."
}

// The most bytes of an attribute's value in the log; a stack trace is longer.
const (
	maxAttr  = 2000
	maxStack = 16000
)

// ClipAttr bounds an attribute of the log; it is ReplaceAttr of slog's handlers. An
// error may quote what a project's triggers raise, whoever logs it.
func ClipAttr(_ []string, a slog.Attr) slog.Attr {
	most := maxAttr
	if a.Key == "stack" {
		most = maxStack
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Clip(a.Value.String(), most))
	case slog.KindAny:
		text := fmt.Sprint(a.Value.Any())
		if _, isError := a.Value.Any().(error); isError || len(text) > most {
			a.Value = slog.StringValue(Clip(text, most))
		}
	default: // numbers, times and such are short
	}
	return a
}

package fault

import "strings"

// Clip bounds, in bytes, what an error puts into the log: it may quote what a
// project's own triggers and templates say.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " ..."
}

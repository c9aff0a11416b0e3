package fault

import "strings"

// Clip bounds, in bytes, an error's text for the log: it may quote what a
// project's triggers and templates write.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " ..."
}

package setting

import (
	"log/slog"
)

// Secrets are the values of secret settings, by name. Encoded as JSON they are
// readable: seal what is stored. A log does not show them.
type Secrets map[string]string

// SMTPPass names the password at the project's own mail server.
const SMTPPass = "smtp_pass"

// maxSecret bounds a secret, in bytes.
const maxSecret = 1024

// String hides everything.
func (Secrets) String() string { return "[redacted]" }

// GoString hides everything.
func (Secrets) GoString() string { return "[redacted]" }

// LogValue hides everything.
func (Secrets) LogValue() slog.Value { return slog.StringValue("[redacted]") }

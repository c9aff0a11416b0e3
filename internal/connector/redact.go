package connector

import "log/slog"

const redacted = "[redacted]"

// String hides the secret.
func (c Client) String() string { return "client " + c.ID + " of project " + c.Project }

// GoString hides the secret.
func (c Client) GoString() string { return c.String() }

// LogValue hides the secret.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String hides everything.
func (Callback) String() string { return redacted }

// GoString hides everything.
func (Callback) GoString() string { return redacted }

// LogValue hides everything.
func (Callback) LogValue() slog.Value { return slog.StringValue(redacted) }

// String hides everything.
func (IDToken) String() string { return redacted }

// GoString hides everything.
func (IDToken) GoString() string { return redacted }

// LogValue hides everything.
func (IDToken) LogValue() slog.Value { return slog.StringValue(redacted) }

// String hides everything.
func (Login) String() string { return redacted }

// GoString hides everything.
func (Login) GoString() string { return redacted }

// LogValue hides everything.
func (Login) LogValue() slog.Value { return slog.StringValue(redacted) }

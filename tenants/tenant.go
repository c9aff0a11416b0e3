// Package tenants answers two questions about every request: which project it
// is for, and whether its key admits it. It owns the registry (the cache of
// tenants and its invalidation), the router (host, path or key to tenant) and
// API keys. It does not know connections, HTTP handlers, the control database's
// tables or any auth flow.
package tenants

import (
	"crypto/rand"
	"log/slog"

	"github.com/reevehq/reeve/internal/billing"
	"github.com/reevehq/reeve/internal/setting"
)

// Ref names a project: 20 lower-case letters. It is not secret.
type Ref string

// RefLength is the number of letters in a Ref.
const RefLength = 20

// ParseRef checks that s is 20 lower-case ASCII letters. It returns
// ErrUnknownProject for any other text.
func ParseRef(s string) (Ref, error) {
	if len(s) != RefLength {
		return "", ErrUnknownProject
	}
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return "", ErrUnknownProject
		}
	}
	return Ref(s), nil
}

// NewRef generates a random Ref (94 bits).
func NewRef() Ref {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 0, RefLength)
	buf := make([]byte, 32)
	for len(out) < RefLength {
		_, _ = rand.Read(buf) // never fails since Go 1.24
		for _, b := range buf {
			// 234 = 9*26: reject the rest so that every letter is equally likely.
			if b < 234 && len(out) < RefLength {
				out = append(out, letters[b%26])
			}
		}
	}
	return Ref(out)
}

// Database is the name of the project's database.
func (r Ref) Database() string { return "reeve_" + string(r) }

// AuthRole is the login role that Reeve uses for auth; it owns the schema auth.
func (r Ref) AuthRole() string { return "reeve_" + string(r) + "_auth" }

// APIRole is the login role that acts for end users by SET ROLE.
func (r Ref) APIRole() string { return "reeve_" + string(r) + "_api" }

// OwnerRole is the developer's login role; it owns the schema public.
func (r Ref) OwnerRole() string { return "reeve_" + string(r) + "_owner" }

// QueryRole is the login role for the developer's SQL that comes through the
// Management API. It has the rights of OwnerRole by SET ROLE, and none of its own.
func (r Ref) QueryRole() string { return "reeve_" + string(r) + "_query" }

// Status is the status of a project; only an active project is served.
type Status string

// The statuses of a project, with the wire's name for each.
const (
	StatusCreating Status = "creating" // COMING_UP: its database is being created
	StatusActive   Status = "active"   // ACTIVE_HEALTHY
	StatusPausing  Status = "pausing"  // PAUSING: its database is being closed
	StatusPaused   Status = "paused"   // INACTIVE: requests answer 503
	// StatusRestoring is that of a paused project whose database is being opened.
	StatusRestoring Status = "restoring" // RESTORING
	StatusFailed    Status = "failed"    // INIT_FAILED: provisioning gave up
	StatusDeleting  Status = "deleting"  // GOING_DOWN: its database is being dropped
)

// Paused reports whether the project is paused, or on its way from or to that.
func (s Status) Paused() bool {
	return s == StatusPausing || s == StatusPaused || s == StatusRestoring
}

// Tenant is an immutable snapshot of a project. The Registry replaces it as a
// whole when Version changes.
type Tenant struct {
	Ref           Ref
	Name          string
	Status        Status
	Version       int64  // grows with every change of anything below
	SchemaVersion int64  // of the project's database
	ClusterID     string // which Postgres server holds the database
	URL           string // canonical project URL, no trailing slash
	Config        Config
	// Anchor is when the billing periods of the project's organization begin.
	Anchor      billing.Anchor
	APIKeys     map[KeyHash]APIKey
	Capture     bool // messages are captured, never sent: the project is a branch
	LegacyKeys  bool // legacy anon/service_role JWT keys are accepted
	SigningKeys []SigningKey
	Secrets     Secrets
}

// Issuer is the iss claim of the project's tokens.
func (t *Tenant) Issuer() string { return t.URL + "/auth/v1" }

// Secrets are a project's decrypted secrets. They never reach a log or an
// answer: String and LogValue redact them.
type Secrets struct {
	AuthPassword string // of Ref.AuthRole
	APIPassword  string // of Ref.APIRole
	Capability   string // allows Reeve to write to schema reeve
	RefreshKey   []byte // HMAC key of refresh tokens
	OTPKey       []byte // HMAC key of one-time tokens, and of entity tags of key sets
	OutboxKey    []byte // AEAD key that seals queued messages, and secrets in the project's database
	Settings     setting.Secrets
}

// String hides everything.
func (Secrets) String() string { return "[redacted]" }

// GoString hides everything.
func (Secrets) GoString() string { return "[redacted]" }

// LogValue hides everything.
func (Secrets) LogValue() slog.Value { return slog.StringValue("[redacted]") }

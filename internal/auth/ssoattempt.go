package auth

import (
	"time"

	"github.com/google/uuid"
)

// The kinds of SSOAttempt.
const (
	AttemptLogin  = "login"   // begun by the app
	AttemptPortal = "portal"  // begun at the identity provider
	AttemptDryRun = "dry_run" // begun to see what would happen
	AttemptLogout = "logout"
)

// The outcomes of an SSOAttempt.
const (
	AttemptBegun    = "begun"
	AttemptAccepted = "accepted"
	AttemptRefused  = "refused"
)

// SSOAttempt is an attempt to sign in or out by a connection, step by step, for who sets
// up the connection.
type SSOAttempt struct {
	ID       uuid.UUID  `json:"id"`
	Provider *uuid.UUID `json:"provider_id"`
	At       time.Time  `json:"at"`
	Kind     string     `json:"kind"`
	Outcome  string     `json:"outcome"`
	// Reason says why it was refused, in words that the administrator of an identity
	// provider can act on.
	Reason string        `json:"reason,omitempty"`
	User   *uuid.UUID    `json:"user_id,omitempty"`
	IP     string        `json:"ip,omitempty"`
	Detail AttemptDetail `json:"detail"`
}

// AttemptDetail is what happened in an attempt.
type AttemptDetail struct {
	Steps []AttemptStep `json:"steps"`
	// Subject, Email and Groups are whom the provider named.
	Subject string   `json:"subject,omitempty"`
	Email   string   `json:"email,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	// Statements are what the provider said: only of a dry run with values.
	Statements map[string][]string `json:"statements,omitempty"`
	// UserMetadata and AppMetadata are what the user would have; of a dry run.
	UserMetadata map[string]any `json:"user_metadata,omitempty"`
	AppMetadata  map[string]any `json:"app_metadata,omitempty"`
	// Found says how a dry run would come to a user: found, linked or created.
	Found string `json:"found,omitempty"`
}

// AttemptStep is a check that was made.
type AttemptStep struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

package auth

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// SCIMUser is a user that the directory of a connection provisioned.
type SCIMUser struct {
	ID        uuid.UUID
	Provider  uuid.UUID // the connection
	UserID    *uuid.UUID
	Resource  json.RawMessage // the SCIM document, without id, meta and groups
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt *time.Time
}

// SCIMGroup is a group of a connection's directory.
type SCIMGroup struct {
	ID        uuid.UUID
	Provider  uuid.UUID
	Resource  json.RawMessage // the SCIM document, without id, meta and members
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// SCIMMembership is a user in a group. Name is the other one's: the group's in a list of
// groups, the user's in one of members.
type SCIMMembership struct {
	Group, User uuid.UUID
	Name        string
}

// SCIMToken is a token by which the directory of a connection authenticates itself, in
// the form of the wire.
type SCIMToken struct {
	ID         uuid.UUID  `json:"id"`
	Provider   uuid.UUID  `json:"-"`
	Hash       string     `json:"-"`      // SHA-256, in hexadecimal
	Prefix     string     `json:"prefix"` // its first characters
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	// ConnectionOff says that the connection is switched off.
	ConnectionOff bool `json:"-"`
}

// SCIMLogEntry is a request of a connection's directory, in the form of the wire.
type SCIMLogEntry struct {
	ID       int64      `json:"id"`
	Provider uuid.UUID  `json:"-"`
	Token    *uuid.UUID `json:"token_id"`
	At       time.Time  `json:"at"`
	Method   string     `json:"method"`
	Path     string     `json:"path"` // below /scim/v2, with the query
	Status   int        `json:"status"`
	Request  string     `json:"request"` // the body, without passwords
	Cut      bool       `json:"request_cut"`
	Error    string     `json:"error,omitempty"`
	ReplayOf *int64     `json:"replay_of,omitempty"`
}

// The errors of SCIM, beside those of the protocol.
var (
	ErrSCIMToken         = fault.New(fault.Unauthorized, "scim_token_invalid", "The SCIM token is missing, unknown, revoked or expired")
	ErrSCIMDisabled      = fault.New(fault.Forbidden, "sso_provider_disabled", "The connection is disabled")
	ErrSCIMNotFound      = fault.New(fault.NotFound, "scim_resource_not_found", "There is no such resource")
	ErrSCIMVersion       = fault.New(fault.Invalid, "scim_version_mismatch", "The resource has changed: its version is another one").Answering(412)
	ErrSCIMTokenNotFound = fault.New(fault.NotFound, "scim_token_not_found", "SCIM token not found")
	ErrSCIMTokenQuota    = fault.New(fault.Unprocessable, "over_scim_token_quota", "The connection has too many SCIM tokens: revoke one")
	ErrSCIMLogNotFound   = fault.New(fault.NotFound, "scim_log_entry_not_found", "SCIM log entry not found")
	ErrSCIMReplay        = fault.New(fault.Unprocessable, "scim_log_entry_not_replayable", "The entry does not have its whole request, so it cannot be replayed")
	// ErrSSODeprovisioned is the sign-in of somebody whom the company's directory has
	// deactivated or removed.
	ErrSSODeprovisioned = fault.New(fault.Forbidden, "sso_user_deprovisioned", "The company has withdrawn this account")
)

package auth

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// MethodPasskey is a sign-in with a passkey.
const MethodPasskey Method = "passkey"

// MethodWebAuthn is a key as a second factor.
const MethodWebAuthn Method = "mfa/webauthn"

// Credential is the public part of a WebAuthn credential (Level 3, section 4,
// credential record).
type Credential struct {
	CredentialID    []byte
	PublicKey       []byte // a COSE key (RFC 9052)
	AttestationType string
	AAGUID          uuid.UUID // the model of the authenticator, as it says itself
	SignCount       uint32    // 0 for authenticators without a counter
	Transports      []string
	BackupEligible  bool // the authenticator may copy the key to other devices
	BackedUp        bool // it has
}

// Passkey is a row of auth.webauthn_credentials.
type Passkey struct {
	Credential
	ID           uuid.UUID
	UserID       uuid.UUID
	FriendlyName string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastUsedAt   *time.Time
	// CloneWarningAt is when its counter last went back: the key may have been
	// copied.
	CloneWarningAt *time.Time
}

// CeremonyType is what a challenge is for (auth.webauthn_challenges).
type CeremonyType string

// The ceremonies of passkeys.
const (
	CeremonyRegistration   CeremonyType = "registration"
	CeremonyAuthentication CeremonyType = "authentication"
)

// Ceremony is a WebAuthn ceremony that has begun: a row of auth.webauthn_challenges.
type Ceremony struct {
	ID        uuid.UUID
	UserID    *uuid.UUID // who adds a passkey; nil for a sign-in
	Type      CeremonyType
	Data      json.RawMessage // what its end is compared with
	CreatedAt time.Time
	ExpiresAt time.Time
}

// The errors of passkeys.
var (
	ErrPasskeysOff       = fault.New(fault.NotFound, "passkey_disabled", "Passkeys are disabled")
	ErrPasskeyNotFound   = fault.New(fault.NotFound, "validation_failed", "Passkey not found")
	ErrTooManyPasskeys   = fault.New(fault.Unprocessable, "too_many_passkeys", "Maximum number of passkeys reached")
	ErrPasskeyExists     = fault.New(fault.Unprocessable, "webauthn_credential_exists", "This credential is already registered")
	ErrPasskeyAnonymous  = fault.New(fault.Forbidden, "no_authorization", "Anonymous users cannot have passkeys")
	ErrPasskeySSO        = fault.New(fault.Unprocessable, "validation_failed", "SSO users cannot register passkeys")
	ErrPasskeyAAL        = fault.New(fault.Forbidden, "insufficient_aal", "This change requires an aal2 session")
	ErrCeremonyNotFound  = fault.New(fault.Invalid, "webauthn_challenge_not_found", "Challenge not found or already used")
	ErrCeremonyExpired   = fault.New(fault.Invalid, "webauthn_challenge_expired", "Challenge has expired")
	ErrWebAuthn          = fault.New(fault.Invalid, "webauthn_verification_failed", "Credential verification failed")
	ErrWebAuthnEnrollOff = fault.New(fault.Unprocessable, "mfa_webauthn_enroll_not_enabled", "MFA enroll is disabled for WebAuthn")
	ErrWebAuthnVerifyOff = fault.New(fault.Unprocessable, "mfa_webauthn_verify_not_enabled", "MFA verification is disabled for WebAuthn")
	ErrPasskeyUnverified = fault.New(fault.Forbidden, "email_not_confirmed", TextEmailUnconfirmed)
	ErrPasskeyNoPhone    = fault.New(fault.Forbidden, "phone_not_confirmed", TextPhoneUnconfirmed)
)

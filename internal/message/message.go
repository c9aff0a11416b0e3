// Package message owns the messages to a project's end users: the mail
// templates and their rendering, delivery by SMTP, by an SMS gateway or into the
// captured inbox, and the consumer of the outbox's messages. It does not own the outbox, the inbox
// table or any configuration: those are package outbox, CaptureStore and
// SMTPSettings. Flows decide when to send a message, and add its outbox row to
// their transaction.
package message

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/tenants"
)

// Channel is the medium of a message.
type Channel string

// The channels.
const (
	Email    Channel = "email"
	SMS      Channel = "sms"
	WhatsApp Channel = "whatsapp"
)

// Kind is the purpose of a message; the values are the reference's template
// names.
type Kind string

// The kinds.
const (
	Confirmation     Kind = "confirmation"
	Invite           Kind = "invite"
	Recovery         Kind = "recovery"
	EmailChange      Kind = "email_change"
	MagicLink        Kind = "magic_link"
	Reauthentication Kind = "reauthentication"
	// Notices: what happened to an account.
	FactorEnrolled   Kind = "mfa_factor_enrolled_notification"
	FactorUnenrolled Kind = "mfa_factor_unenrolled_notification"
	RecoveryCodeUsed Kind = "mfa_recovery_code_used_notification"
	IdentityLinked   Kind = "identity_linked_notification"
	// NewDevice tells a user of a sign-in from a device that they had not used before.
	NewDevice Kind = "new_device_notification"
	// DomainProof asks the people who run a domain whether a connection may have it. No
	// project replaces it.
	DomainProof Kind = "sso_domain_proof"
	// TeamInvite is a mail of the control plane: an invitation to an
	// organization. No project replaces it.
	TeamInvite Kind = "team_invite"
	// LeakedKey is a mail of the control plane: a key or token was reported as
	// leaked. No project replaces it.
	LeakedKey Kind = "leaked_key"
)

// PhoneChange confirms a new number. Text messages are of this kind, Confirmation,
// MagicLink or Reauthentication, and have one template.
const PhoneChange Kind = "phone_change"

// SecondFactor is a text message with a code of a second factor. It has a template of
// its own.
const SecondFactor Kind = "mfa"

// Kinds lists every Kind that a project may replace, in a stable order.
func Kinds() []Kind { return append(append(Letters(), Notices()...), NewDevice) }

// Letters lists the kinds with a link or a code.
func Letters() []Kind {
	return []Kind{Confirmation, Invite, Recovery, EmailChange, MagicLink, Reauthentication}
}

// Notices lists the kinds that tell what happened to an account, without a link.
func Notices() []Kind {
	return []Kind{FactorEnrolled, FactorUnenrolled, RecoveryCodeUsed, IdentityLinked}
}

// Message is a message as it is stored, sealed and as JSON, in an outbox row
// and in the captured inbox. It contains valid tokens: treat it as a secret.
type Message struct {
	ID      uuid.UUID `json:"id"`
	Channel Channel   `json:"channel"`
	Kind    Kind      `json:"kind"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	HTML    string    `json:"html"`
	Text    string    `json:"text"`
	// Links are the targets of the mail's links, without repetition, the
	// action link first.
	Links []string `json:"links"`
	// Code is the one-time code, when the message shows one.
	Code      string    `json:"code"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is when the code of a text message ends; zero for a mail.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// RequestID and UserID are of the request that caused the message, for the
	// project's log.
	RequestID string    `json:"request_id,omitempty"`
	UserID    uuid.UUID `json:"user_id,omitzero"`
	// TemplateError is why the project's own template was replaced by the
	// default; nil otherwise.
	TemplateError error `json:"-"`
}

// Sender delivers one message. A nil error means that the next hop accepted
// responsibility for it. An error for which outbox.Permanent is true will never
// succeed; every other one can be retried.
type Sender interface {
	Send(ctx context.Context, ref tenants.Ref, m Message) error
}

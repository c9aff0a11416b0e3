package auth

import (
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// How a domain was proved to be a company's.
const (
	ProofDNS       = "dns"
	ProofMail      = "mail"
	ProofDeveloper = "developer" // the project's developers say so
)

// The states of an SSOClaim.
const (
	ClaimPending  = "pending"  // not proved: users of the domain are not led to the connection
	ClaimConsent  = "consent"  // proved, but another connection has the domain and has not agreed
	ClaimActive   = "active"   // users of the domain are led to the connection
	ClaimFailing  = "failing"  // active, but the proof is gone: it ends soon
	ClaimUnrouted = "unrouted" // proved, and taken from the connection since
)

// SSOClaim is a domain that a connection says is its company's.
type SSOClaim struct {
	Provider uuid.UUID `json:"provider_id"`
	Domain   string    `json:"domain"`
	State    string    `json:"state"`
	// RecordName and RecordValue are the DNS record of type TXT that proves the domain.
	RecordName   string     `json:"record_name,omitempty"`
	RecordValue  string     `json:"record_value,omitempty"`
	Proof        string     `json:"proof,omitempty"`
	CreatedAt    time.Time  `json:"created_at"`
	ProvedAt     *time.Time `json:"proved_at,omitempty"`
	CheckedAt    *time.Time `json:"checked_at,omitempty"`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	ConsentedAt  *time.Time `json:"consented_at,omitempty"`
	// HeldBy is the other connection that has the domain.
	HeldBy *uuid.UUID `json:"held_by,omitempty"`
}

// The errors of claims.
var (
	ErrClaimNotFound   = fault.New(fault.NotFound, "sso_domain_not_found", "The connection does not claim this domain")
	ErrClaims          = fault.New(fault.Conflict, "sso_domains_exceeded", "The connection has as many domains as it can")
	ErrDomainUnproved  = fault.New(fault.Unprocessable, "sso_domain_unproved", "The DNS record is not there yet")
	ErrDomainLookup    = fault.New(fault.Unavailable, "sso_domain_lookup_failed", "The domain's name servers gave no answer: try again in a few minutes")
	ErrDomainPublic    = fault.New(fault.Unprocessable, "sso_domain_public", "This is a domain of a mail service that anybody can use, not a company's")
	ErrDomainLast      = fault.New(fault.Conflict, "sso_domain_last", "A connection that is live keeps its last domain")
	ErrClaimConsent    = fault.New(fault.NotFound, "sso_consent_not_found", "No other connection asks for consent to this domain")
	ErrDomainLink      = fault.New(fault.Forbidden, "sso_domain_link_invalid", "The link is invalid or has expired")
	ErrSSORequired     = fault.New(fault.Forbidden, "sso_required", "People with an address of this company sign in through the company's own sign-in page")
	ErrDomainMailboxes = fault.New(fault.Invalid, "validation_failed", "mailbox must be admin, administrator, hostmaster, postmaster, security or webmaster")
)

package auth

import (
	"cmp"
	"crypto/sha256"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/fault"
)

// ErrSSOLogoutNotFound is an answer to a sign-out that was not begun here, or answered
// before.
var ErrSSOLogoutNotFound = fault.New(fault.NotFound, "sso_logout_not_found", "This sign-out was not begun here, or has ended already")

// SSOOrigin is the session of an identity provider by which a session began.
type SSOOrigin struct {
	Provider     uuid.UUID `json:"provider"`
	Name         SSOName   `json:"name"`
	SessionIndex string    `json:"session_index,omitempty"` // of SAML, or sid of OpenID Connect
	Hint         string    `json:"hint,omitempty"`          // the ID token, sealed; "" for none
}

// SSOName is an identity provider's name of a user: a Name ID of SAML, or a subject.
type SSOName struct {
	Value           string `json:"value"`
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"name_qualifier,omitempty"`
	SPNameQualifier string `json:"sp_name_qualifier,omitempty"`
}

// Digest identifies the name at its provider. Qualifiers are not in it: providers leave
// them out at will.
func (n SSOName) Digest() []byte {
	format := cmp.Or(n.Format, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")
	sum := sha256.Sum256([]byte(format + "\x00" + n.Value))
	return sum[:]
}

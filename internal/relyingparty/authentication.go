package relyingparty

import (
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// BeginSignIn begins a sign-in by a passkey of nobody in particular. The answer is
// the same for everybody, so that it reveals no user.
func (p *Party) BeginSignIn() (Begun, error) {
	assertion, s, err := p.w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return Begun{}, err
	}
	return begun(&assertion.Response, s, nil)
}

// Response is a parsed response to BeginSignIn, of which nothing is verified yet.
type Response struct {
	CredentialID []byte
	parsed       *protocol.ParsedCredentialAssertionData
}

// ParseSignIn parses a response; auth.ErrWebAuthn.
func ParseSignIn(response json.RawMessage) (*Response, error) {
	if err := bounded(response); err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	switch {
	case err != nil:
		return nil, refused(err)
	case len(parsed.RawID) > maxCredentialID:
		return nil, auth.ErrWebAuthn.Because(errors.New("the credential id is too long"))
	}
	return &Response{CredentialID: parsed.RawID, parsed: parsed}, nil
}

// SignIn ends a sign-in with the credential whose id the response names, and its
// owner; auth.ErrWebAuthn.
func (p *Party) SignIn(data json.RawMessage, r *Response, owner uuid.UUID, c auth.Credential) (*Assertion, error) {
	s, err := session(data)
	if err != nil {
		return nil, err
	}
	who := user{User: &auth.User{ID: owner}, credentials: []auth.Credential{c}}
	_, verified, err := p.w.ValidatePasskeyLogin(func([]byte, []byte) (webauthn.User, error) { return who, nil }, s, r.parsed)
	if err != nil {
		return nil, refused(err)
	}
	return asserted(verified, r.parsed), nil
}

func asserted(c *webauthn.Credential, parsed *protocol.ParsedCredentialAssertionData) *Assertion {
	return &Assertion{
		Credential:   credential(c),
		UserVerified: parsed.Response.AuthenticatorData.Flags.HasUserVerified(),
		Cloned:       c.Authenticator.CloneWarning,
	}
}

// Later returns whether an assertion is a later use of a credential than the
// stored counter tells: false warns of a copy. Stores call it with the row locked,
// because SignIn compared with what was stored some time ago.
func (a *Assertion) Later(stored uint32) bool {
	if a.Cloned {
		return false
	}
	counter := webauthn.Authenticator{SignCount: stored}
	counter.UpdateCounter(a.SignCount)
	return !counter.CloneWarning
}

package relyingparty

import (
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// Key is a credential that is a second factor. Record is what is stored of it, in
// the form of the reference: the library's credential record.
type Key struct {
	Record json.RawMessage
	AAGUID uuid.UUID
	// Cloned says that the counter did not go up: the key may have been copied.
	Cloned bool
}

// publicKey is the argument of navigator.credentials.create and get.
type publicKey struct {
	PublicKey any `json:"publicKey"`
}

// BeginKey begins the registration of a key as a second factor.
func (p *Party) BeginKey(u *auth.User) (Begun, error) {
	creation, s, err := p.w.BeginRegistration(user{User: u})
	if err != nil {
		return Begun{}, err
	}
	return begun(publicKey{&creation.Response}, s, nil)
}

// RegisterKey ends the registration of a key; auth.ErrWebAuthn.
func (p *Party) RegisterKey(u *auth.User, data, response json.RawMessage) (Key, error) {
	c, err := p.register(u, data, response)
	if err != nil {
		return Key{}, err
	}
	return keyOf(c)
}

// AskForKey begins the proof of a key; auth.ErrWebAuthn for a record that is none.
func (p *Party) AskForKey(u *auth.User, record json.RawMessage) (Begun, error) {
	c, err := stored(record)
	if err != nil {
		return Begun{}, err
	}
	assertion, s, err := p.w.BeginLogin(owner{u, c})
	if err != nil {
		return Begun{}, err
	}
	return begun(publicKey{&assertion.Response}, s, nil)
}

// VerifyKey ends the proof of a key and returns the record to keep; auth.ErrWebAuthn.
func (p *Party) VerifyKey(u *auth.User, record, data, response json.RawMessage) (Key, error) {
	if err := bounded(response); err != nil {
		return Key{}, err
	}
	c, err := stored(record)
	if err != nil {
		return Key{}, err
	}
	s, err := session(data)
	if err != nil {
		return Key{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return Key{}, refused(err)
	}
	verified, err := p.w.ValidateLogin(owner{u, c}, s, parsed)
	if err != nil {
		return Key{}, refused(err)
	}
	return keyOf(verified)
}

// owner is a webauthn.User with one key.
type owner struct {
	*auth.User
	key webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (o owner) WebAuthnID() []byte { return user{User: o.User}.WebAuthnID() }

// WebAuthnName implements webauthn.User.
func (o owner) WebAuthnName() string { return user{User: o.User}.WebAuthnName() }

// WebAuthnDisplayName implements webauthn.User.
func (o owner) WebAuthnDisplayName() string { return user{User: o.User}.WebAuthnDisplayName() }

// WebAuthnCredentials implements webauthn.User.
func (o owner) WebAuthnCredentials() []webauthn.Credential { return []webauthn.Credential{o.key} }

// stored reads a record; SQL may have written anything.
func stored(record json.RawMessage) (c webauthn.Credential, err error) {
	if err := json.Unmarshal(record, &c); err != nil {
		return c, auth.ErrWebAuthn.Because(fmt.Errorf("read the stored key: %w", err))
	}
	return c, nil
}

func keyOf(c *webauthn.Credential) (Key, error) {
	cloned := c.Authenticator.CloneWarning
	k := Key{AAGUID: credential(c).AAGUID, Cloned: cloned}
	var err error
	k.Record, err = json.Marshal(c)
	return k, err
}

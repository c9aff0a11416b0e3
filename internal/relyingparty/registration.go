package relyingparty

import (
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/reevehq/reeve/internal/auth"
)

// BeginPasskey begins the registration of a passkey: a credential that the
// authenticator finds by itself, without being told its id. existing are those that
// the user has; an authenticator refuses to make a second one.
func (p *Party) BeginPasskey(u *auth.User, existing []auth.Credential) (Begun, error) {
	creation, s, err := p.w.BeginRegistration(user{User: u}, exclude(existing),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationPreferred,
		}),
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation))
	if err != nil {
		return Begun{}, err
	}
	return begun(&creation.Response, s, nil)
}

func exclude(existing []auth.Credential) webauthn.RegistrationOption {
	return webauthn.WithExclusions(webauthn.Credentials(user{credentials: existing}.WebAuthnCredentials()).CredentialDescriptors())
}

// Register ends a registration and returns the new credential; auth.ErrWebAuthn.
func (p *Party) Register(u *auth.User, data, response json.RawMessage) (auth.Credential, error) {
	c, err := p.register(u, data, response)
	if err != nil {
		return auth.Credential{}, err
	}
	return credential(c), nil
}

func (p *Party) register(u *auth.User, data, response json.RawMessage) (*webauthn.Credential, error) {
	if err := bounded(response); err != nil {
		return nil, err
	}
	s, err := session(data)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, refused(err)
	}
	c, err := p.w.CreateCredential(user{User: u}, s, parsed)
	switch {
	case err != nil:
		return nil, refused(err)
	case len(c.ID) == 0 || len(c.ID) > maxCredentialID:
		return nil, auth.ErrWebAuthn.Because(errors.New("the credential id has a wrong length"))
	}
	return c, nil
}

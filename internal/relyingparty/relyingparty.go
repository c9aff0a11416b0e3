package relyingparty

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/setting"
)

// TTL is how long a ceremony may take, as in the reference.
const TTL = 5 * time.Minute

// maxResponse bounds the response of an authenticator, in bytes of JSON. One with
// a chain of certificates has about ten thousand.
const maxResponse = 64 << 10

// maxCredentialID bounds the id of a credential, in bytes (WebAuthn Level 3,
// section 4).
const maxCredentialID = 1023

// Party is the relying party of a project.
type Party struct{ w *webauthn.WebAuthn }

// New returns the relying party that a project's settings name; auth.ErrValidation
// if they name none.
func New(cfg *setting.Config) (*Party, error) {
	p := cfg.RelyingParty()
	if p.ID == "" {
		return nil, auth.ErrValidation.Saying("The project names no relying party for passkeys")
	}
	timeouts := webauthn.TimeoutConfig{Timeout: TTL, TimeoutUVD: TTL}
	w, err := webauthn.New(&webauthn.Config{
		RPID: p.ID, RPDisplayName: p.Name, RPOrigins: p.Origins,
		Timeouts: webauthn.TimeoutsConfig{Login: timeouts, Registration: timeouts},
		// Password managers add outputs that nobody asked for, and nothing here reads any.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("relying party %q: %w", p.ID, err)
	}
	return &Party{w}, nil
}

// Begun is the begin of a ceremony: Options are for the browser, Data for the end
// of the ceremony.
type Begun struct {
	Options any
	Data    json.RawMessage
}

func begun(options any, session *webauthn.SessionData, err error) (Begun, error) {
	if err != nil {
		return Begun{}, fmt.Errorf("begin WebAuthn ceremony: %w", err)
	}
	data, err := json.Marshal(session)
	return Begun{Options: options, Data: data}, err
}

// Assertion is a verified proof of a credential.
type Assertion struct {
	// Credential has the counter and the backup state of the proof.
	auth.Credential
	// UserVerified says that the device verified the user, and not only that
	// somebody was there.
	UserVerified bool
	// Cloned says that the counter did not go up: the key may have been copied.
	// SignCount is then the old one.
	Cloned bool
}

// user is a webauthn.User.
type user struct {
	*auth.User
	credentials []auth.Credential
}

// WebAuthnID implements webauthn.User. The user handle is the reference's, so that
// passkeys of an imported project stay good.
func (u user) WebAuthnID() []byte { return []byte(u.ID.String()) }

// WebAuthnName implements webauthn.User.
func (u user) WebAuthnName() string {
	switch {
	case u.Email != "":
		return u.Email
	case u.Phone != "":
		return u.Phone
	}
	return u.ID.String()
}

// WebAuthnDisplayName implements webauthn.User.
func (u user) WebAuthnDisplayName() string {
	const most = 64 // bytes, as authenticators keep them
	name, _ := auth.DecodeObject(u.UserMetadata)["full_name"].(string)
	if name == "" || len(name) > most {
		return u.WebAuthnName()
	}
	return name
}

// WebAuthnCredentials implements webauthn.User.
func (u user) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, len(u.credentials))
	for i, c := range u.credentials {
		out[i] = record(c)
	}
	return out
}

// record is the library's form of a credential.
func record(c auth.Credential) webauthn.Credential {
	out := webauthn.Credential{
		ID: c.CredentialID, PublicKey: c.PublicKey, AttestationType: c.AttestationType,
		Flags:         webauthn.CredentialFlags{BackupEligible: c.BackupEligible, BackupState: c.BackedUp},
		Authenticator: webauthn.Authenticator{AAGUID: c.AAGUID[:], SignCount: c.SignCount},
	}
	for _, t := range c.Transports {
		out.Transport = append(out.Transport, protocol.AuthenticatorTransport(t))
	}
	return out
}

// credential is record's inverse.
func credential(c *webauthn.Credential) auth.Credential {
	out := auth.Credential{
		CredentialID: c.ID, PublicKey: c.PublicKey, AttestationType: c.AttestationType, SignCount: c.Authenticator.SignCount,
		BackupEligible: c.Flags.BackupEligible, BackedUp: c.Flags.BackupState,
	}
	if id, err := uuid.FromBytes(c.Authenticator.AAGUID); err == nil {
		out.AAGUID = id
	}
	for _, t := range c.Transport {
		if known(t) {
			out.Transports = append(out.Transports, string(t))
		}
	}
	return out
}

// known reports whether a transport is one of Level 3; the client names them.
func known(t protocol.AuthenticatorTransport) bool {
	switch t {
	case protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal:
		return true
	}
	return false
}

// session decodes the data of a ceremony.
func session(data json.RawMessage) (s webauthn.SessionData, err error) {
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("read WebAuthn ceremony: %w", err)
	}
	if s.Challenge == "" {
		return s, errors.New("read WebAuthn ceremony: no challenge")
	}
	return s, nil
}

// bounded refuses a response that is too long or missing.
func bounded(response json.RawMessage) error {
	switch {
	case len(response) == 0 || string(response) == "null":
		return auth.ErrValidation.Saying("credential is required")
	case len(response) > maxResponse:
		return auth.ErrWebAuthn.Because(errors.New("the response is too long"))
	}
	return nil
}

// refused makes the one fault of every wrong response.
func refused(err error) error {
	var detailed *protocol.Error
	if errors.As(err, &detailed) && detailed.DevInfo != "" {
		err = fmt.Errorf("%w: %s", err, detailed.DevInfo)
	}
	return auth.ErrWebAuthn.Because(err)
}

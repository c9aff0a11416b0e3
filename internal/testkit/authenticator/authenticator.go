// Package authenticator is a browser with a WebAuthn authenticator, for tests: it
// answers the options of ceremonies.
package authenticator

import (
	"encoding/json"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// The kinds of keys.
const (
	EC  = virtualwebauthn.KeyTypeEC2
	RSA = virtualwebauthn.KeyTypeRSA
)

// Options are what the authenticator says about itself and its user.
type Options = virtualwebauthn.AuthenticatorOptions

// Party is where the browser is: the domain that it tells the authenticator, and
// the origin that it signs.
type Party = virtualwebauthn.RelyingParty

// Local is where projects are by default.
var Local = Party{ID: "localhost", Name: "localhost", Origin: "http://localhost:3000"}

// Device is an authenticator with one key.
type Device struct {
	virtualwebauthn.Authenticator
	Key virtualwebauthn.Credential
	At  Party
}

// New returns an authenticator at Local.
func New(kind virtualwebauthn.KeyType, o Options) *Device {
	return &Device{Authenticator: virtualwebauthn.NewAuthenticatorWithOptions(o), Key: NewKey(kind), At: Local}
}

// NewKey returns a key. The library leaves leading zeros of an elliptic point out,
// which no authenticator does, so such keys are thrown away.
func NewKey(kind virtualwebauthn.KeyType) virtualwebauthn.Credential {
	const whole = 77 // bytes of a COSE key on P-256
	for {
		c := virtualwebauthn.NewCredential(kind)
		if kind != EC || len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

// Create is navigator.credentials.create. The device remembers the user.
func (d *Device) Create(tb testing.TB, options any) json.RawMessage {
	tb.Helper()
	parsed, err := virtualwebauthn.ParseAttestationOptions(text(tb, options))
	if err != nil {
		tb.Fatal(err)
	}
	d.Options.UserHandle = []byte(parsed.UserID)
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(d.At, d.Authenticator, d.Key, *parsed))
}

// Get is navigator.credentials.get. The counter goes up first.
func (d *Device) Get(tb testing.TB, options any) json.RawMessage {
	tb.Helper()
	d.Key.Counter++
	return d.Repeat(tb, options)
}

// Repeat is Get with the counter as it is.
func (d *Device) Repeat(tb testing.TB, options any) json.RawMessage {
	tb.Helper()
	parsed, err := virtualwebauthn.ParseAssertionOptions(text(tb, options))
	if err != nil {
		tb.Fatal(err)
	}
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(d.At, d.Authenticator, d.Key, *parsed))
}

// Excluded reports whether options keep the device from making a second key.
func (d *Device) Excluded(tb testing.TB, options any) bool {
	tb.Helper()
	parsed, err := virtualwebauthn.ParseAttestationOptions(text(tb, options))
	if err != nil {
		tb.Fatal(err)
	}
	return d.Key.IsExcludedForAttestation(*parsed)
}

func text(tb testing.TB, options any) string {
	tb.Helper()
	raw, err := json.Marshal(options)
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const (
	// Skew is by how much the clocks of a provider and ours may differ.
	Skew = 3 * time.Minute
	// MaxAge is how old a response may be. For MaxAge and Skew an assertion must be
	// remembered, so that it is accepted once.
	MaxAge = 5 * time.Minute

	statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
)

// Provider is what is known of an identity provider.
type Provider struct {
	EntityID     string
	Certificates []*x509.Certificate // that it signs with
	// AllowSHA1 accepts signatures and digests with SHA-1.
	AllowSHA1 bool
}

// Self is the service provider that receives messages.
type Self struct {
	// EntityIDs are its names, of which an assertion must be for one.
	EntityIDs []string
	// ACS are the addresses of its assertion consumer service.
	ACS []string
	// Keys decrypt assertions; the first that fits is used.
	Keys []*rsa.PrivateKey
}

// Response is a response that has arrived. Until Verify has succeeded nothing of it is
// true: its fields serve to find the connection that it claims to be for.
type Response struct {
	ID           string
	Issuer       string
	InResponseTo string // "" for one that the provider sent unasked
	root         *etree.Element
}

// Expected is what a response must answer to.
type Expected struct {
	// RequestID is the request that is answered; "" for a response that the provider
	// sends unasked.
	RequestID string
	Now       time.Time
}

// ParseResponse reads the value of the form field SAMLResponse.
func ParseResponse(encoded string) (*Response, error) {
	raw, err := decodeBase64(encoded)
	if err != nil {
		return nil, refuse(CheckForm, "The field SAMLResponse is not base64.", err)
	}
	root, err := parse(raw, ofMessage)
	if err != nil {
		return nil, refuse(CheckForm, "The response cannot be read safely: "+err.Error()+".", nil)
	}
	if !is(root, nsProtocol, "Response") {
		return nil, refuse(CheckForm, "What arrived is no SAML response.", nil)
	}
	return &Response{ID: attr(root, "ID"), Issuer: text(only(root, nsAssertion, "Issuer")), InResponseTo: attr(root, "InResponseTo"), root: root}, nil
}

// decodeBase64 decodes base64 with any white space in it.
func decodeBase64(encoded string) ([]byte, error) {
	if len(encoded) > 2*MaxMessage {
		return nil, errors.New("it is too long")
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
}

// Verify checks a response and returns its assertion. The checks that were made are
// in the report, whether or not it succeeds; the error is a *Refusal, the first check
// that failed. That the assertion was not used before is not checked here.
func (r *Response) Verify(self Self, idp Provider, want Expected) (*Assertion, Report, error) {
	v := &verifier{self: self, idp: idp, want: want, signers: signers{certificates: idp.Certificates, sha1: idp.AllowSHA1, now: want.Now}}
	a := v.response(r)
	if err := v.report.err(); err != nil {
		return nil, v.report, err
	}
	return a, v.report, nil
}

// verifier is one verification.
type verifier struct {
	self    Self
	idp     Provider
	want    Expected
	signers signers
	report  Report
}

// response checks a response. It goes on after a check that failed where what follows
// can be read nevertheless: who sets up a connection sees all mistakes at once.
func (v *verifier) response(r *Response) *Assertion {
	root, ok := v.status(r)
	if !ok {
		return nil
	}
	if !v.check(CheckForm, responseForm(root)) {
		return nil
	}
	signed := false
	if sig := only(root, nsDigest, "Signature"); sig != nil {
		var err error
		if root, err = v.signers.verify(root, sig); !v.check(CheckSignature, err) {
			return nil
		}
		signed = true
		if !v.check(CheckForm, responseForm(root)) {
			return nil
		}
	}
	assertion, encrypted := v.assertion(root, signed)
	if assertion == nil {
		return nil
	}
	v.envelope(root, signed)
	a := v.contents(assertion)
	if a != nil {
		a.Encrypted = encrypted
	}
	return a
}

// status checks that the provider reports a success. What it reports instead is not
// signed in most cases, and is only shown.
func (v *verifier) status(r *Response) (root *etree.Element, ok bool) {
	root = r.root
	var code, inner, message string
	if status := only(root, nsProtocol, "Status"); status != nil {
		if c := only(status, nsProtocol, "StatusCode"); c != nil {
			code = attr(c, "Value")
			if c := only(c, nsProtocol, "StatusCode"); c != nil {
				inner = attr(c, "Value")
			}
		}
		message = text(only(status, nsProtocol, "StatusMessage"))
	}
	if code == statusSuccess {
		return root, v.check(CheckStatus, nil)
	}
	said := strings.TrimPrefix(code, "urn:oasis:names:tc:SAML:2.0:status:")
	if inner != "" {
		said += ", " + strings.TrimPrefix(inner, "urn:oasis:names:tc:SAML:2.0:status:")
	}
	if message != "" {
		said += ": " + message
	}
	return root, v.check(CheckStatus, fmt.Errorf("the identity provider did not sign the user in (%.300s)", said))
}

// assertion returns the assertion of a response, decrypted, from signed bytes. nil if a
// check failed.
func (v *verifier) assertion(root *etree.Element, signed bool) (el *etree.Element, encrypted bool) {
	el = only(root, nsAssertion, "Assertion")
	if hidden := only(root, nsAssertion, "EncryptedAssertion"); hidden != nil {
		var err error
		el, err = decrypt(hidden, v.self.Keys, signed)
		if !v.check(CheckDecryption, err) {
			return nil, true
		}
		if err := assertionForm(el); !v.check(CheckForm, err) {
			return nil, true
		}
		encrypted = true
	}
	if sig := only(el, nsDigest, "Signature"); sig != nil {
		inner, err := v.signers.verify(el, sig)
		if !v.check(CheckSignature, err) {
			return nil, encrypted
		}
		if err := assertionForm(inner); !v.check(CheckForm, err) {
			return nil, encrypted
		}
		return inner, encrypted
	}
	if !signed {
		v.check(CheckSignature, errors.New("neither the response nor its assertion is signed: have the identity provider sign both"))
		return nil, encrypted
	}
	return el, encrypted
}

// envelope checks what the response says of itself (SAML bindings 3.5.5.2, profiles
// 4.1.4.2). In one that is not signed it can only be wrong.
func (v *verifier) envelope(root *etree.Element, signed bool) {
	if issuer := only(root, nsAssertion, "Issuer"); issuer != nil {
		v.check(CheckIssuer, v.issuer(text(issuer)))
	}
	if to := attr(root, "Destination"); to != "" || signed {
		v.check(CheckDestination, oneOf(to, v.self.ACS, "the response is addressed to %q, not to this service's address %q"))
	}
	v.check(CheckRequest, v.answers(attr(root, "InResponseTo")))
	v.check(CheckAge, v.fresh(attr(root, "IssueInstant")))
}

func (v *verifier) issuer(name string) error {
	if name != v.idp.EntityID {
		return fmt.Errorf("the issuer is %.200q; the connection's metadata is of %q", name, v.idp.EntityID)
	}
	return nil
}

func oneOf(got string, allowed []string, format string) error {
	if slices.Contains(allowed, got) {
		return nil
	}
	first := ""
	if len(allowed) > 0 {
		first = allowed[0]
	}
	return fmt.Errorf(format, clip(got), first)
}

func (v *verifier) answers(id string) error {
	switch {
	case id == v.want.RequestID:
		return nil
	case v.want.RequestID == "":
		return errors.New("the response answers a request that this sign-in did not begin with, or that has expired or was answered before")
	case id == "":
		return errors.New("the response was not asked for, though a sign-in was begun here")
	default:
		return errors.New("the response answers another request than the one that this sign-in began with")
	}
}

func (v *verifier) fresh(instant string) error {
	at, err := instantOf(instant)
	if err != nil {
		return errors.New("IssueInstant is not a time")
	}
	switch now := v.want.Now; {
	case at.After(now.Add(Skew)):
		return fmt.Errorf("it was issued %s in the future: compare the clock of the identity provider", at.Sub(now).Round(time.Second))
	case at.Before(now.Add(-MaxAge - Skew)):
		return fmt.Errorf("it was issued %s ago: it is too old, or the clock of the identity provider is slow", now.Sub(at).Round(time.Second))
	}
	return nil
}

// instantOf reads an xs:dateTime in UTC, as SAML core 1.3.3 demands; a zone that some
// providers write is accepted.
func instantOf(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, errors.New("no time")
}

// clip bounds a text that is shown.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

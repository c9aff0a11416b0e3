// Package samltest is an identity provider for tests: it writes responses as real ones
// do, and as an attacker would change them.
package samltest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// IdP is an identity provider with a key.
type IdP struct {
	EntityID    string
	Key         *rsa.PrivateKey
	Certificate *x509.Certificate
	t           testing.TB
}

// Response is what a response says. Zero values are what a real provider would leave
// out.
type Response struct {
	ID, AssertionID             string
	ACS, Audience, RequestID    string
	NameID, Format              string
	SessionIndex                string
	Attributes                  map[string][]string
	At                          time.Time // of issue
	SessionEnd                  time.Time
	SignResponse, SignAssertion bool
	Signature                   crypto.Hash // 0 for SHA-256
	// Encrypt encrypts the assertion for the key.
	Encrypt *rsa.PublicKey
	CBC     bool
	// Change changes the response before anything is signed.
	Change func(response, assertion *etree.Element)
	// Changed changes it after the assertion is signed, before the response is.
	Changed func(response, assertion *etree.Element)
}

// New returns a provider with a new key, valid for a day around now.
func New(t testing.TB, entityID string, now time.Time) *IdP {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &IdP{EntityID: entityID, Key: key, Certificate: Certificate(t, key, now.Add(-24*time.Hour), now.Add(24*time.Hour)), t: t}
}

// Certificate returns a certificate that a key signs of itself.
func Certificate(t testing.TB, key *rsa.PrivateKey, from, until time.Time) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "idp.example"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Element returns the response as a document's element.
func (p *IdP) Element(r Response) *etree.Element {
	p.t.Helper()
	at := r.At.UTC().Format(time.RFC3339)
	el := etree.NewElement("samlp:Response")
	el.CreateAttr("xmlns:samlp", "urn:oasis:names:tc:SAML:2.0:protocol")
	el.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	set(el, "ID", or(r.ID, "_response"), "Version", "2.0", "IssueInstant", at, "Destination", r.ACS, "InResponseTo", r.RequestID)
	el.CreateElement("saml:Issuer").SetText(p.EntityID)
	el.CreateElement("samlp:Status").CreateElement("samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Success")
	assertion := p.assertion(r, at)
	el.AddChild(assertion)
	if r.Change != nil {
		r.Change(el, assertion)
	}
	if r.SignAssertion {
		assertion = p.Sign(assertion, r.Signature)
		el.RemoveChildAt(last(el))
		el.AddChild(assertion)
	}
	if r.Encrypt != nil {
		el.RemoveChildAt(last(el))
		el.AddChild(p.encrypt(assertion, r.Encrypt, r.CBC))
	}
	if r.Changed != nil {
		r.Changed(el, assertion)
	}
	if r.SignResponse {
		el = p.Sign(el, r.Signature)
	}
	return el
}

func last(el *etree.Element) int { return len(el.Child) - 1 }

// Encoded returns the value of SAMLResponse.
func (p *IdP) Encoded(r Response) string { return Encode(p.t, p.Element(r)) }

// Encode returns an element as the value of SAMLResponse.
func Encode(t testing.TB, el *etree.Element) string {
	t.Helper()
	doc := etree.NewDocument()
	doc.SetRoot(el.Copy())
	raw, err := doc.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func (p *IdP) assertion(r Response, at string) *etree.Element {
	a := etree.NewElement("saml:Assertion")
	a.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	set(a, "ID", or(r.AssertionID, "_assertion"), "Version", "2.0", "IssueInstant", at)
	a.CreateElement("saml:Issuer").SetText(p.EntityID)
	subject := a.CreateElement("saml:Subject")
	name := subject.CreateElement("saml:NameID")
	set(name, "Format", or(r.Format, "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"))
	name.SetText(or(r.NameID, "ann"))
	confirmation := subject.CreateElement("saml:SubjectConfirmation")
	confirmation.CreateAttr("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
	until := r.At.Add(5 * time.Minute).UTC().Format(time.RFC3339)
	set(confirmation.CreateElement("saml:SubjectConfirmationData"), "InResponseTo", r.RequestID, "NotOnOrAfter", until, "Recipient", r.ACS)
	conditions := a.CreateElement("saml:Conditions")
	set(conditions, "NotBefore", r.At.Add(-30*time.Second).UTC().Format(time.RFC3339), "NotOnOrAfter", until)
	conditions.CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText(r.Audience)
	authn := a.CreateElement("saml:AuthnStatement")
	set(authn, "AuthnInstant", at, "SessionIndex", r.SessionIndex)
	if !r.SessionEnd.IsZero() {
		set(authn, "SessionNotOnOrAfter", r.SessionEnd.UTC().Format(time.RFC3339))
	}
	authn.CreateElement("saml:AuthnContext").CreateElement("saml:AuthnContextClassRef").SetText("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")
	statement := a.CreateElement("saml:AttributeStatement")
	for name, values := range r.Attributes {
		attribute := statement.CreateElement("saml:Attribute")
		attribute.CreateAttr("Name", name)
		for _, v := range values {
			attribute.CreateElement("saml:AttributeValue").SetText(v)
		}
	}
	if len(r.Attributes) == 0 {
		a.RemoveChild(statement)
	}
	return a
}

// Sign returns an element with its signature, after the issuer.
func (p *IdP) Sign(el *etree.Element, hash crypto.Hash) *etree.Element {
	p.t.Helper()
	return SignWith(p.t, el, p.Key, p.Certificate, hash)
}

// SignWith is Sign with any key and certificate.
func SignWith(t testing.TB, el *etree.Element, key *rsa.PrivateKey, cert *x509.Certificate, hash crypto.Hash) *etree.Element {
	t.Helper()
	ctx := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}))
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	ctx.IdAttribute = "ID"
	if hash != 0 {
		ctx.Hash = hash
	}
	sig, err := ctx.ConstructSignature(el, true)
	if err != nil {
		t.Fatal(err)
	}
	signed := el.Copy()
	signed.InsertChildAt(1, sig)
	return signed
}

func set(el *etree.Element, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			el.CreateAttr(pairs[i], pairs[i+1])
		}
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

package saml

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// Service is this service provider, as one project is one.
type Service struct {
	// EntityID and ACS are its current name and the address that takes responses;
	// Logout the one that takes logout messages.
	EntityID, ACS, Logout string
	// Keys sign and decrypt. The first one signs; all are published, so that identity
	// providers know the next one before it signs.
	Keys []Key
	Now  time.Time
	// Others are further names and addresses of the service, to which messages are
	// accepted too.
	Others []Service
}

// logouts are the addresses that take logout messages.
func (s Service) logouts() []string {
	all := []string{s.Logout}
	for _, o := range s.Others {
		all = append(all, o.Logout)
	}
	return all
}

// Key is a key with its certificate.
type Key struct {
	Private     *rsa.PrivateKey
	Certificate *x509.Certificate
}

// certificateLife is for how long a certificate of ours is valid. What ends a key is
// that it is no longer published.
const certificateLife = 200 * 365 * 24 * time.Hour

// NewKey makes a key, and the certificate by which providers know it.
func NewKey(name string, now time.Time) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Key{Private: private, Certificate: cert}, nil
}

// NewID returns an identifier that nobody can guess, in the form of xs:ID.
func NewID() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails
	return "_" + hex.EncodeToString(b)
}

// Metadata describes the service for identity providers (SAML metadata 2.4.4).
func (s Service) Metadata(nameIDFormats []string) ([]byte, error) {
	el := etree.NewElement("md:EntityDescriptor")
	el.CreateAttr("xmlns:md", nsMetadata)
	el.CreateAttr("entityID", s.EntityID)
	role := el.CreateElement("md:SPSSODescriptor")
	role.CreateAttr("AuthnRequestsSigned", "true")
	role.CreateAttr("WantAssertionsSigned", "true")
	role.CreateAttr("protocolSupportEnumeration", nsProtocol)
	for _, use := range []string{"signing", "encryption"} {
		for _, k := range s.Keys {
			d := role.CreateElement("md:KeyDescriptor")
			d.CreateAttr("use", use)
			info := d.CreateElement("ds:KeyInfo")
			info.CreateAttr("xmlns:ds", nsDigest)
			info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(k.Certificate.Raw))
			if use == "encryption" {
				for _, alg := range []string{nsEncrypt11 + "aes256-gcm", nsEncrypt11 + "aes128-gcm", nsEncrypt + "rsa-oaep-mgf1p"} {
					d.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", alg)
				}
			}
		}
	}
	for _, binding := range []string{saml.HTTPRedirectBinding, saml.HTTPPostBinding} {
		if s.Logout != "" {
			slo := role.CreateElement("md:SingleLogoutService")
			slo.CreateAttr("Binding", binding)
			slo.CreateAttr("Location", s.Logout)
		}
	}
	for _, f := range nameIDFormats {
		role.CreateElement("md:NameIDFormat").SetText(f)
	}
	acs := role.CreateElement("md:AssertionConsumerService")
	acs.CreateAttr("Binding", saml.HTTPPostBinding)
	acs.CreateAttr("Location", s.ACS)
	acs.CreateAttr("index", "1")
	acs.CreateAttr("isDefault", "true")
	doc := etree.NewDocument()
	doc.SetRoot(el)
	doc.Indent(2)
	return doc.WriteToBytes()
}

// Request is a request to sign in.
type Request struct {
	RelayState   string
	NameIDFormat string // "" lets the provider choose
	ForceAuthn   bool
}

// SignIn returns the address that asks a provider to sign a user in, signed with SHA-256,
// and the identifier that its response must answer to.
func (s Service) SignIn(idp *Metadata, r Request) (id, address string, err error) {
	if len(s.Keys) == 0 {
		return "", "", errors.New("saml: the service has no key")
	}
	id = NewID()
	create := true
	req := saml.AuthnRequest{
		ID: id, Version: "2.0", IssueInstant: s.Now.UTC(), Destination: idp.SSO,
		Issuer:                      &saml.Issuer{Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:entity", Value: s.EntityID},
		NameIDPolicy:                &saml.NameIDPolicy{AllowCreate: &create},
		AssertionConsumerServiceURL: s.ACS, ProtocolBinding: saml.HTTPPostBinding,
	}
	if r.NameIDFormat != "" {
		req.NameIDPolicy.Format = &r.NameIDFormat
	}
	if r.ForceAuthn {
		req.ForceAuthn = &r.ForceAuthn
	}
	address, err = redirect(idp.SSO, paramRequest, req.Element(), r.RelayState, s.Keys[0].Private)
	return id, address, err
}

// sign returns an element with an enveloped signature after its issuer.
func (s Service) sign(el *etree.Element) (*etree.Element, error) {
	k := s.Keys[0]
	ctx := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{Certificate: [][]byte{k.Certificate.Raw}, PrivateKey: k.Private}))
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	ctx.IdAttribute = "ID"
	sig, err := ctx.ConstructSignature(el, true)
	if err != nil {
		return nil, err
	}
	signed := el.Copy()
	signed.InsertChildAt(1, sig)
	return signed, nil
}

package saml

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// Algorithms of signatures and digests (RFC 9231).
const (
	algRSASHA1   = nsDigest + "rsa-sha1"
	algRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algRSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	algRSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	algECDSA256  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	algECDSA384  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	algECDSA512  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
	digestSHA1   = nsDigest + "sha1"
	digestSHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	digestSHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	digestSHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
	excC14N      = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped    = nsDigest + "enveloped-signature"
	minRSABits   = 2048
	maxRSABits   = 8192

	maxSignature  = 4096 // bytes of base64
	maxSignedInfo = 8192 // bytes
)

var (
	errSHA1      = errors.New("the signature uses SHA-1, which is not safe: have the identity provider sign with SHA-256, or allow SHA-1 for this connection")
	errWrongKey  = errors.New("the signature was not made with a certificate of the connection's metadata: the identity provider has a new certificate, or another one answered")
	errChanged   = errors.New("what was signed was changed on its way, or its signature is not of the form that the specification demands")
	errForm      = errors.New("the signature does not have the form that the specification demands")
	errNoCurrent = errors.New("no certificate of the connection's metadata is valid today: the identity provider's certificate has expired")
)

// signers are the keys by which a provider's messages are verified.
type signers struct {
	certificates []*x509.Certificate
	sha1         bool // is accepted
	now          time.Time
}

// checkSignature checks that a signature is of its parent alone, by algorithms that
// are accepted, and that there is nothing in it that is neither signed nor needed
// (SAML core 5.4).
func (s signers) checkSignature(sig, parent *etree.Element) error {
	id := attr(parent, "ID")
	parts := sig.ChildElements()
	if !identifier.MatchString(id) || len(parts) < 2 || len(parts) > 3 ||
		!is(parts[0], nsDigest, "SignedInfo") || !is(parts[1], nsDigest, "SignatureValue") ||
		(len(parts) == 3 && !is(parts[2], nsDigest, "KeyInfo")) {
		return errForm
	}
	info := parts[0].ChildElements()
	if len(info) != 3 || !is(info[0], nsDigest, "CanonicalizationMethod") || !is(info[1], nsDigest, "SignatureMethod") || !is(info[2], nsDigest, "Reference") {
		return errForm
	}
	if err := canonical(info[0]); err != nil {
		return err
	}
	if err := s.algorithm(info[1]); err != nil {
		return err
	}
	return s.checkReference(info[2], id)
}

// algorithm checks how the signature was made.
func (s signers) algorithm(method *etree.Element) error {
	switch alg := attr(method, "Algorithm"); alg {
	case algRSASHA256, algRSASHA384, algRSASHA512, algECDSA256, algECDSA384, algECDSA512:
	case algRSASHA1:
		if !s.sha1 {
			return errSHA1
		}
	default:
		return fmt.Errorf("the signature's algorithm %.100q is not accepted", alg)
	}
	if len(method.ChildElements()) > 0 {
		return errForm
	}
	return nil
}

func (s signers) checkReference(ref *etree.Element, id string) error {
	if attr(ref, "URI") != "#"+id {
		return errors.New("the signature is not of the element that it is in")
	}
	parts := ref.ChildElements()
	if len(parts) != 3 || !is(parts[0], nsDigest, "Transforms") || !is(parts[1], nsDigest, "DigestMethod") || !is(parts[2], nsDigest, "DigestValue") {
		return errForm
	}
	transforms := parts[0].ChildElements()
	if len(transforms) != 2 || !is(transforms[0], nsDigest, "Transform") || !is(transforms[1], nsDigest, "Transform") ||
		attr(transforms[0], "Algorithm") != enveloped || len(transforms[0].ChildElements()) > 0 {
		return errors.New("the signature has other transforms than the two that the specification allows")
	}
	if err := canonical(transforms[1]); err != nil {
		return err
	}
	switch alg := attr(parts[1], "Algorithm"); alg {
	case digestSHA256, digestSHA384, digestSHA512:
	case digestSHA1:
		if !s.sha1 {
			return errSHA1
		}
	default:
		return fmt.Errorf("the digest's algorithm %.100q is not accepted", alg)
	}
	return nil
}

// canonical checks that an element names exclusive canonicalization.
func canonical(el *etree.Element) error {
	if alg := attr(el, "Algorithm"); alg != excC14N {
		return fmt.Errorf("the canonicalization %.100q is not accepted: exclusive canonicalization without comments is", alg)
	}
	inner := el.ChildElements()
	if len(inner) > 1 || (len(inner) == 1 && !is(inner[0], excC14N, "InclusiveNamespaces")) {
		return errForm
	}
	return nil
}

// verify checks the signature of an element and returns what was signed, read anew
// from the bytes that the signature covers. Which certificate the message names does
// not matter: those of the metadata are tried. Of what nobody has signed only
// SignedInfo, which is small, is canonicalized.
func (s signers) verify(el, sig *etree.Element) (*etree.Element, error) {
	if err := s.checkSignature(sig, el); err != nil {
		return nil, err
	}
	cert, raw, err := s.signer(sig)
	if err != nil {
		return nil, err
	}
	detached, err := detach(el)
	if err != nil {
		return nil, errForm
	}
	copied := only(detached, nsDigest, "Signature")
	if copied == nil {
		return nil, errForm
	}
	for _, info := range children(copied, nsDigest, "KeyInfo") {
		copied.RemoveChild(info)
	}
	only(copied, nsDigest, "SignatureValue").SetText(base64.StdEncoding.EncodeToString(raw))
	v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	v.IdAttribute = "ID"
	v.Clock = dsig.NewFakeClockAt(s.now)
	signed, err := v.Validate(detached)
	if err != nil {
		return nil, errChanged
	}
	if signed == nil || signed.Tag != el.Tag || attr(signed, "ID") != attr(el, "ID") {
		return nil, errForm
	}
	return signed, nil
}

// signer returns the certificate that a signature was made with, and the signature as
// packages of Go verify it. What it is of may have been changed: that is not looked at.
func (s signers) signer(sig *etree.Element) (*x509.Certificate, []byte, error) {
	parts := sig.ChildElements()
	info, value := parts[0], text(parts[1])
	if len(value) > maxSignature || size(info) > maxSignedInfo {
		return nil, nil, errForm
	}
	raw, err := decodeBase64(value)
	if err != nil || len(raw) == 0 {
		return nil, nil, errForm
	}
	detached, err := detach(info)
	if err != nil {
		return nil, nil, errForm
	}
	canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(detached)
	if err != nil {
		return nil, nil, errForm
	}
	algorithm := attr(only(info, nsDigest, "SignatureMethod"), "Algorithm")
	if strings.Contains(algorithm, "#ecdsa-") {
		raw = asn1Signature(raw)
	}
	cert, err := s.verifyDetached(canonical, algorithm, raw)
	return cert, raw, err
}

// size is how much text an element has, its attributes included, in bytes.
func size(el *etree.Element) int {
	n := len(el.Tag)
	for _, a := range el.Attr {
		n += len(a.Key) + len(a.Value)
	}
	for _, t := range el.Child {
		switch c := t.(type) {
		case *etree.Element:
			n += size(c)
		case *etree.CharData:
			n += len(c.Data)
		}
	}
	return n
}

// detach returns a copy of an element that declares all namespaces in its scope.
func detach(el *etree.Element) (*etree.Element, error) {
	ctx, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		return nil, err
	}
	return etreeutils.NSDetatch(ctx, el)
}

// strong refuses keys that are too weak to rely on.
func strong(cert *x509.Certificate) error {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return fmt.Errorf("a certificate has an RSA key of %d bits: %d are the least", key.N.BitLen(), minRSABits)
		}
		if key.N.BitLen() > maxRSABits { // each signature would cost seconds
			return fmt.Errorf("a certificate has an RSA key of more than %d bits", maxRSABits)
		}
	case *ecdsa.PublicKey:
	default:
		return errors.New("a certificate has a key that is neither RSA nor ECDSA")
	}
	return nil
}

package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // only where a connection allows it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"slices"
	"strings"

	"github.com/beevik/etree"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// The redirect binding (SAML bindings 3.4): the message is deflated in the query, and
// what signs it is beside it, over the query as it is written.
const (
	paramRequest  = "SAMLRequest"
	paramResponse = "SAMLResponse"
)

// redirect returns the address that takes a message to an endpoint, signed.
func redirect(location, param string, el *etree.Element, relayState string, key *rsa.PrivateKey) (string, error) {
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err != nil {
		return "", err
	}
	doc := etree.NewDocument()
	doc.SetRoot(el)
	if _, err := doc.WriteTo(w); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	query := param + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated.Bytes()))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	query += "&SigAlg=" + url.QueryEscape(algRSASHA256)
	digest := sha256.Sum256([]byte(query))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig))
	if strings.Contains(location, "?") {
		return location + "&" + query, nil
	}
	return location + "?" + query, nil
}

// Redirected is a message that arrived by the redirect binding.
type Redirected struct {
	RelayState string
	root       *etree.Element
	signed     string // what the signature is over
	algorithm  string
	signature  []byte
}

// parseRedirect reads the query of a request. Signed is the query as it was written:
// percent-encodings of one text differ.
func parseRedirect(rawQuery, param string) (*Redirected, error) {
	if len(rawQuery) > 2*MaxMessage {
		return nil, refuse(CheckForm, "The query is too long.", nil)
	}
	given := map[string]string{} // as written
	for part := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		if !slices.Contains([]string{param, "RelayState", "SigAlg", "Signature", "SAMLEncoding"}, name) {
			continue
		}
		if _, twice := given[name]; twice {
			return nil, refuse(CheckForm, "The query has the parameter "+name+" twice.", nil)
		}
		given[name] = value
	}
	decoded := make(map[string]string, len(given))
	for name, value := range given {
		d, err := url.QueryUnescape(value)
		if err != nil {
			return nil, refuse(CheckForm, "The query is not encoded as it must be.", err)
		}
		decoded[name] = d
	}
	if e := decoded["SAMLEncoding"]; e != "" && e != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE" {
		return nil, refuse(CheckForm, "The encoding of the message is not DEFLATE.", nil)
	}
	raw, err := inflate(decoded[param])
	if err != nil {
		return nil, refuse(CheckForm, "The parameter "+param+" is no deflated message.", err)
	}
	root, err := parse(raw, ofMessage)
	if err != nil {
		return nil, refuse(CheckForm, "The message cannot be read safely: "+err.Error()+".", nil)
	}
	m := &Redirected{RelayState: decoded["RelayState"], root: root, algorithm: decoded["SigAlg"]}
	if m.signature, err = decodeBase64(decoded["Signature"]); err != nil {
		return nil, refuse(CheckSignature, "The signature is not base64.", err)
	}
	m.signed = param + "=" + given[param]
	if relay, ok := given["RelayState"]; ok {
		m.signed += "&RelayState=" + relay
	}
	m.signed += "&SigAlg=" + given["SigAlg"]
	return m, nil
}

func inflate(encoded string) ([]byte, error) {
	deflated, err := decodeBase64(encoded)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(deflated)), MaxMessage+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxMessage {
		return nil, errors.New("it is too long")
	}
	return raw, nil
}

// verifyDetached checks a signature over text, and returns the certificate that it was
// made with.
func (s signers) verifyDetached(signed []byte, algorithm string, signature []byte) (*x509.Certificate, error) {
	if len(signature) == 0 {
		return nil, errors.New("the message is not signed")
	}
	var hash crypto.Hash
	var digest []byte
	switch algorithm {
	case algRSASHA1:
		if !s.sha1 {
			return nil, errSHA1
		}
		sum := sha1.Sum(signed) //nolint:gosec // as above
		hash, digest = crypto.SHA1, sum[:]
	case algRSASHA256, algECDSA256:
		sum := sha256.Sum256(signed)
		hash, digest = crypto.SHA256, sum[:]
	case algRSASHA384, algECDSA384:
		sum := sha512.Sum384(signed)
		hash, digest = crypto.SHA384, sum[:]
	case algRSASHA512, algECDSA512:
		sum := sha512.Sum512(signed)
		hash, digest = crypto.SHA512, sum[:]
	default:
		return nil, fmt.Errorf("the signature's algorithm %.100q is not accepted", algorithm)
	}
	current := false
	for _, cert := range s.certificates {
		if s.now.Before(cert.NotBefore) || s.now.After(cert.NotAfter) || strong(cert) != nil {
			continue
		}
		current = true
		if verifies(cert, strings.Contains(algorithm, "#rsa-"), hash, digest, signature) {
			return cert, nil
		}
	}
	if !current {
		return nil, errNoCurrent
	}
	return nil, errWrongKey
}

func verifies(cert *x509.Certificate, byRSA bool, hash crypto.Hash, digest, signature []byte) bool {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return byRSA && rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		return !byRSA && ecdsa.VerifyASN1(key, digest, asn1Signature(signature))
	}
	return false
}

// asn1Signature returns an ECDSA signature that is the two numbers side by side (RFC 9231
// section 2.3.6) in the form that packages of Go verify. Others are returned as they are.
func asn1Signature(sig []byte) []byte {
	switch len(sig) {
	case 64, 96, 132: // of P-256, P-384, P-521
	default:
		return sig
	}
	half := len(sig) / 2
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[:half]))
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[half:]))
	})
	out, err := b.Bytes()
	if err != nil {
		return sig
	}
	return out
}

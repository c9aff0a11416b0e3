package saml

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
)

// maxCertificates bounds the keys of a provider: each is tried for each signature.
const maxCertificates = 10

// Metadata is an identity provider by its own description (SAML metadata 2.4.3).
type Metadata struct {
	EntityID     string
	Certificates []*x509.Certificate // for signing
	// SSO is where requests go, by the redirect binding.
	SSO string
	// Logout is where logout messages go; nil without single logout.
	Logout *Endpoint
	// ValidUntil is when the description expires; zero for never.
	ValidUntil time.Time
	// NameIDFormats are those that it offers; empty for any.
	NameIDFormats []string
	// WantsSigned reports that it demands signed requests.
	WantsSigned bool
}

// Endpoint is an address that takes messages.
type Endpoint struct {
	Binding  string // saml.HTTPRedirectBinding or saml.HTTPPostBinding
	Location string
	// Answers is where answers go.
	Answers string
}

// ParseMetadata reads the metadata of an identity provider. If the document describes
// several, entityID selects one. Errors are *Refusal, with a reason for whoever uploads it.
func ParseMetadata(raw []byte, entityID string, now time.Time) (*Metadata, error) {
	raw = bytes.TrimPrefix(bytes.TrimSpace(raw), []byte("\xef\xbb\xbf"))
	if looksLikeHTML(raw) {
		return nil, refuse(CheckMetadata, "This is a web page, not metadata: look for the address of the XML file.", nil)
	}
	root, err := parse(raw, ofMetadata)
	if err != nil {
		return nil, refuse(CheckMetadata, "The metadata cannot be read: "+err.Error()+".", nil)
	}
	entity, err := selected(root, entityID)
	if err != nil {
		return nil, err
	}
	m := &Metadata{EntityID: attr(entity, "entityID")}
	if m.EntityID == "" || len(m.EntityID) > 1024 {
		return nil, refuse(CheckMetadata, "The metadata has no entityID, or a longer one than 1024 bytes.", nil)
	}
	role, err := idpRole(entity)
	if err != nil {
		return nil, err
	}
	m.WantsSigned = attr(role, "WantAuthnRequestsSigned") == "true" || attr(role, "WantAuthnRequestsSigned") == "1"
	for _, f := range children(role, nsMetadata, "NameIDFormat") {
		m.NameIDFormats = append(m.NameIDFormats, text(f))
	}
	for _, el := range []*etree.Element{root, entity, role} {
		if err := m.expires(el, now); err != nil {
			return nil, err
		}
	}
	if err := m.keys(role, now); err != nil {
		return nil, err
	}
	return m, m.endpoints(role)
}

func looksLikeHTML(raw []byte) bool {
	head := bytes.ToLower(raw[:min(len(raw), 200)])
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// selected returns the description of the one identity provider that is meant.
func selected(root *etree.Element, entityID string) (*etree.Element, error) {
	var all []*etree.Element
	switch {
	case is(root, nsMetadata, "EntityDescriptor"):
		all = []*etree.Element{root}
	case is(root, nsMetadata, "EntitiesDescriptor"):
		for _, el := range entities(root) {
			if len(children(el, nsMetadata, "IDPSSODescriptor")) > 0 {
				all = append(all, el)
			}
		}
	default:
		return nil, refuse(CheckMetadata, fmt.Sprintf("The file is no SAML metadata: its element is %.50s, not EntityDescriptor.", root.Tag), nil)
	}
	if entityID != "" {
		all = slices.DeleteFunc(all, func(el *etree.Element) bool { return attr(el, "entityID") != entityID })
		if len(all) == 0 {
			return nil, refuse(CheckMetadata, fmt.Sprintf("The metadata does not describe %.200q.", entityID), nil)
		}
	}
	switch len(all) {
	case 0:
		return nil, refuse(CheckMetadata, "The metadata describes no identity provider.", nil)
	case 1:
		return all[0], nil
	}
	names := make([]string, 0, 5)
	for _, el := range all[:min(len(all), 5)] {
		names = append(names, clip(attr(el, "entityID")))
	}
	return nil, refuse(CheckMetadata, fmt.Sprintf("The metadata describes %d identity providers (%s): give that of one.", len(all), strings.Join(names, ", ")), nil)
}

// entities returns all entities of nested lists.
func entities(list *etree.Element) []*etree.Element {
	out := children(list, nsMetadata, "EntityDescriptor")
	for _, inner := range children(list, nsMetadata, "EntitiesDescriptor") {
		out = append(out, entities(inner)...)
	}
	return out
}

func idpRole(entity *etree.Element) (*etree.Element, error) {
	roles := children(entity, nsMetadata, "IDPSSODescriptor")
	for _, r := range roles {
		if slices.Contains(strings.Fields(attr(r, "protocolSupportEnumeration")), nsProtocol) {
			return r, nil
		}
	}
	switch {
	case len(roles) > 0:
		return nil, refuse(CheckMetadata, "The identity provider does not offer SAML 2.0.", nil)
	case len(children(entity, nsMetadata, "SPSSODescriptor")) > 0:
		return nil, refuse(CheckMetadata, "The metadata is of a service provider: the one of the identity provider is needed.", nil)
	default:
		return nil, refuse(CheckMetadata, "The metadata describes no identity provider.", nil)
	}
}

func (m *Metadata) expires(el *etree.Element, now time.Time) error {
	value := attr(el, "validUntil")
	if value == "" {
		return nil
	}
	at, err := instantOf(value)
	if err != nil {
		return refuse(CheckMetadata, "validUntil of the metadata is not a time.", nil)
	}
	if !now.Before(at) {
		return refuse(CheckMetadata, fmt.Sprintf("The metadata expired on %s: fetch it anew from the identity provider.", at.Format(time.DateOnly)), nil)
	}
	if m.ValidUntil.IsZero() || at.Before(m.ValidUntil) {
		m.ValidUntil = at
	}
	return nil
}

// keys reads the certificates for signing. Those that have expired, or are too weak,
// are left out; there must be one.
func (m *Metadata) keys(role *etree.Element, now time.Time) error {
	var last error
	for _, encoded := range signing(role) {
		cert, err := certificate(encoded, now)
		if err != nil {
			last = err
			continue
		}
		if !slices.ContainsFunc(m.Certificates, cert.Equal) {
			m.Certificates = append(m.Certificates, cert)
		}
	}
	switch {
	case len(m.Certificates) > maxCertificates:
		return refuse(CheckMetadata, fmt.Sprintf("The metadata has more than %d certificates.", maxCertificates), nil)
	case len(m.Certificates) > 0:
		return nil
	case last != nil:
		return last
	default:
		return refuse(CheckMetadata, "The metadata has no certificate for signing.", nil)
	}
}

// signing returns the certificates for signing as they are written.
func signing(role *etree.Element) (encoded []string) {
	for _, k := range children(role, nsMetadata, "KeyDescriptor") {
		if use := attr(k, "use"); use != "" && use != "signing" {
			continue
		}
		info := only(k, nsDigest, "KeyInfo")
		if info == nil {
			continue
		}
		for _, data := range children(info, nsDigest, "X509Data") {
			for _, c := range children(data, nsDigest, "X509Certificate") {
				encoded = append(encoded, text(c))
			}
		}
	}
	return encoded
}

// SigningCertificates returns the certificates for signing that metadata has, whether
// they are valid or not, for people to look at. It returns nil for what is no metadata.
func SigningCertificates(raw []byte) []*x509.Certificate {
	root, err := parse(bytes.TrimPrefix(bytes.TrimSpace(raw), []byte("\xef\xbb\xbf")), ofMetadata)
	if err != nil {
		return nil
	}
	entity, err := selected(root, "")
	if err != nil {
		return nil
	}
	role, err := idpRole(entity)
	if err != nil {
		return nil
	}
	var list []*x509.Certificate
	for _, encoded := range signing(role) {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
		if err != nil || len(list) == maxCertificates {
			continue
		}
		cert, err := x509.ParseCertificate(der)
		if err == nil && !slices.ContainsFunc(list, cert.Equal) {
			list = append(list, cert)
		}
	}
	return list
}

func certificate(encoded string, now time.Time) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil {
		return nil, refuse(CheckMetadata, "A certificate of the metadata is not base64.", nil)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, refuse(CheckMetadata, "A certificate of the metadata cannot be read.", nil)
	}
	if now.After(cert.NotAfter) {
		return nil, refuse(CheckMetadata, fmt.Sprintf("The certificate of the metadata expired on %s.", cert.NotAfter.UTC().Format(time.DateOnly)), nil)
	}
	if err := strong(cert); err != nil {
		return nil, refuse(CheckMetadata, sentence(err.Error()), nil)
	}
	return cert, nil
}

func (m *Metadata) endpoints(role *etree.Element) error {
	for _, el := range children(role, nsMetadata, "SingleSignOnService") {
		if attr(el, "Binding") != saml.HTTPRedirectBinding || m.SSO != "" {
			continue
		}
		location, err := address(attr(el, "Location"))
		if err != nil {
			return err
		}
		m.SSO = location
	}
	if m.SSO == "" {
		return refuse(CheckMetadata, "The metadata has no SingleSignOnService with the binding HTTP-Redirect.", nil)
	}
	for _, binding := range []string{saml.HTTPRedirectBinding, saml.HTTPPostBinding} {
		for _, el := range children(role, nsMetadata, "SingleLogoutService") {
			if attr(el, "Binding") != binding || m.Logout != nil {
				continue
			}
			location, err := address(attr(el, "Location"))
			if err != nil {
				return err
			}
			m.Logout = &Endpoint{Binding: binding, Location: location, Answers: location}
			if answers := attr(el, "ResponseLocation"); answers != "" {
				if m.Logout.Answers, err = address(answers); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// address checks an address to which browsers are sent.
func address(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.Fragment != "" || len(raw) > 2048 {
		return "", refuse(CheckMetadata, fmt.Sprintf("The address %.200q in the metadata is not one of a web page.", raw), nil)
	}
	return raw, nil
}

package saml

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
)

// Single logout (SAML profiles 4.4), by redirect and POST, signed in either direction.

// maxSessionIndexes bounds the sessions that a request names.
const maxSessionIndexes = 100

// LogoutRequest is a provider's request to end sessions of a user, verified.
type LogoutRequest struct {
	ID       string
	NameID   NameID
	Sessions []string // SessionIndex; empty for all sessions of the user
}

// Message is a logout message that has arrived. Until it is verified nothing of it is
// true.
type Message struct {
	RelayState string
	Issuer     string
	// Answer reports that it is the answer to a request of ours, and to which.
	Answer       bool
	InResponseTo string
	root         *etree.Element
	detached     *Redirected // nil for one by POST
}

// ParseLogoutQuery reads a message that arrived by redirect.
func ParseLogoutQuery(rawQuery string, answer bool) (*Message, error) {
	param := paramRequest
	if answer {
		param = paramResponse
	}
	m, err := parseRedirect(rawQuery, param)
	if err != nil {
		return nil, err
	}
	return message(m.root, m, m.RelayState, answer)
}

// ParseLogoutForm reads a message that arrived by POST.
func ParseLogoutForm(encoded, relayState string, answer bool) (*Message, error) {
	raw, err := decodeBase64(encoded)
	if err != nil {
		return nil, refuse(CheckForm, "The message is not base64.", err)
	}
	root, err := parse(raw, ofMessage)
	if err != nil {
		return nil, refuse(CheckForm, "The message cannot be read safely: "+err.Error()+".", nil)
	}
	return message(root, nil, relayState, answer)
}

func message(root *etree.Element, detached *Redirected, relayState string, answer bool) (*Message, error) {
	tag := "LogoutRequest"
	if answer {
		tag = "LogoutResponse"
	}
	if !is(root, nsProtocol, tag) {
		return nil, refuse(CheckForm, "What arrived is no "+tag+".", nil)
	}
	return &Message{
		RelayState: relayState, Issuer: text(only(root, nsAssertion, "Issuer")), Answer: answer, InResponseTo: attr(root, "InResponseTo"),
		root: root, detached: detached,
	}, nil
}

// verify checks the signature, the issuer, the address and the age, and returns the
// element that is signed.
func (m *Message) verify(s Service, idp Provider) (*etree.Element, error) {
	v := &verifier{idp: idp, want: Expected{Now: s.Now}, signers: signers{certificates: idp.Certificates, sha1: idp.AllowSHA1, now: s.Now}}
	root := m.root
	if !v.check(CheckForm, m.form(root)) {
		return nil, v.report.err()
	}
	var err error
	switch sig := only(root, nsDigest, "Signature"); {
	case m.detached != nil:
		_, err = v.signers.verifyDetached([]byte(m.detached.signed), m.detached.algorithm, m.detached.signature)
	case sig == nil:
		err = errors.New("the message is not signed")
	default:
		root, err = v.signers.verify(root, sig)
	}
	if !v.check(CheckSignature, err) {
		return nil, v.report.err()
	}
	v.check(CheckForm, m.form(root))
	v.check(CheckIssuer, v.issuer(text(only(root, nsAssertion, "Issuer"))))
	v.check(CheckDestination, oneOf(attr(root, "Destination"), s.logouts(), "the message is addressed to %q, not to this service's address %q"))
	v.check(CheckAge, v.fresh(attr(root, "IssueInstant")))
	return root, v.report.err()
}

func (m *Message) form(root *etree.Element) error {
	if !identifier.MatchString(attr(root, "ID")) || attr(root, "Version") != "2.0" {
		return errors.New("the message has no identifier of the required form, or is not of version 2.0")
	}
	first := []slot{{nsAssertion, "Issuer", 1, 1}, {nsDigest, "Signature", 0, 1}, {nsProtocol, "Extensions", 0, 1}}
	if m.Answer {
		if err := ordered(root, nsProtocol, "LogoutResponse", append(first, slot{nsProtocol, "Status", 1, 1})); err != nil {
			return err
		}
	} else if err := ordered(root, nsProtocol, "LogoutRequest", append(first, slot{nsAssertion, "NameID", 1, 1},
		slot{nsProtocol, "SessionIndex", 0, maxSessionIndexes})); err != nil {
		return err
	}
	if count(root, nsDigest, "Signature") != len(children(root, nsDigest, "Signature")) {
		return errors.New("the message has a signature in a place where none belongs")
	}
	return nil
}

// Request verifies a request of the provider. The error is a *Refusal. That it was not
// handled before is not checked here: ending sessions twice does nothing more.
func (m *Message) Request(s Service, idp Provider) (*LogoutRequest, error) {
	root, err := m.verify(s, idp)
	if err != nil {
		return nil, err
	}
	if end := attr(root, "NotOnOrAfter"); end != "" {
		if at, err := instantOf(end); err != nil || !s.Now.Before(at.Add(Skew)) {
			return nil, refuse(CheckTime, "The request has expired.", nil)
		}
	}
	a := &Assertion{}
	if err := a.subject(root); err != nil {
		return nil, refuse(CheckSubject, sentence(err.Error()), nil)
	}
	r := &LogoutRequest{ID: attr(root, "ID"), NameID: a.NameID}
	for _, el := range children(root, nsProtocol, "SessionIndex") {
		if index := text(el); index != "" && !slices.Contains(r.Sessions, index) {
			r.Sessions = append(r.Sessions, index)
		}
	}
	return r, nil
}

// Answered verifies the provider's answer to the request of an identifier. ok reports
// that the provider has ended all of the user's sessions.
func (m *Message) Answered(s Service, idp Provider, requestID string) (ok bool, err error) {
	root, err := m.verify(s, idp)
	if err != nil {
		return false, err
	}
	if requestID == "" || attr(root, "InResponseTo") != requestID {
		return false, refuse(CheckRequest, "The answer is to another request.", nil)
	}
	code := only(only(root, nsProtocol, "Status"), nsProtocol, "StatusCode")
	return code != nil && attr(code, "Value") == statusSuccess && len(code.ChildElements()) == 0, nil
}

// Outgoing is a message to a provider: an address to go to, or a form to post.
type Outgoing struct {
	ID      string
	Address string
	// Form is the fields to post to Address; nil for a redirect.
	Form map[string]string
}

// SignOut returns the request to end sessions of a user at a provider.
func (s Service) SignOut(idp *Metadata, name NameID, sessions []string, relayState string) (*Outgoing, error) {
	if idp.Logout == nil {
		return nil, errors.New("saml: the provider has no single logout")
	}
	until := s.Now.UTC().Add(MaxAge)
	req := saml.LogoutRequest{
		ID: NewID(), Version: "2.0", IssueInstant: s.Now.UTC(), NotOnOrAfter: &until, Destination: idp.Logout.Location,
		Issuer: &saml.Issuer{Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:entity", Value: s.EntityID},
		NameID: &saml.NameID{Value: name.Value, Format: name.Format, NameQualifier: name.NameQualifier, SPNameQualifier: name.SPNameQualifier},
	}
	el := req.Element()
	for _, index := range sessions {
		el.CreateElement("samlp:SessionIndex").SetText(index)
	}
	return s.outgoing(req.ID, idp.Logout.Binding, idp.Logout.Location, paramRequest, el, relayState)
}

// AnswerLogout returns the answer to a request: that all sessions have ended, or that
// not all have.
func (s Service) AnswerLogout(idp *Metadata, requestID, relayState string, all bool) (*Outgoing, error) {
	if idp.Logout == nil {
		return nil, errors.New("saml: the provider has no single logout")
	}
	status := saml.Status{StatusCode: saml.StatusCode{Value: statusSuccess}}
	if !all {
		status.StatusCode.StatusCode = &saml.StatusCode{Value: saml.StatusPartialLogout}
	}
	resp := saml.LogoutResponse{
		ID: NewID(), InResponseTo: requestID, Version: "2.0", IssueInstant: s.Now.UTC(), Destination: idp.Logout.Answers,
		Issuer: &saml.Issuer{Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:entity", Value: s.EntityID}, Status: status,
	}
	return s.outgoing(resp.ID, idp.Logout.Binding, idp.Logout.Answers, paramResponse, resp.Element(), relayState)
}

func (s Service) outgoing(id, binding, location, param string, el *etree.Element, relayState string) (*Outgoing, error) {
	if len(s.Keys) == 0 {
		return nil, errors.New("saml: the service has no key")
	}
	if binding == saml.HTTPRedirectBinding {
		address, err := redirect(location, param, el, relayState, s.Keys[0].Private)
		if err != nil {
			return nil, fmt.Errorf("saml: %w", err)
		}
		return &Outgoing{ID: id, Address: address}, nil
	}
	signed, err := s.sign(el)
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	doc := etree.NewDocument()
	doc.SetRoot(signed)
	raw, err := doc.WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	form := map[string]string{param: base64.StdEncoding.EncodeToString(raw)}
	if relayState != "" {
		form["RelayState"] = relayState
	}
	return &Outgoing{ID: id, Address: location, Form: form}, nil
}

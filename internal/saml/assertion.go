package saml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

// Assertion is what a provider says about a user, verified.
type Assertion struct {
	ID           string
	Issuer       string
	NameID       NameID
	SessionIndex string
	// SessionNotOnOrAfter is when the session at the provider ends; zero for no end.
	SessionNotOnOrAfter time.Time
	AuthnInstant        time.Time
	// AuthnContext is the class of how the user signed in.
	AuthnContext string
	Attributes   []Attribute
	// ReplayUntil is until when the assertion must be remembered as used.
	ReplayUntil time.Time
	Encrypted   bool
}

// NameID is the provider's name of a user.
type NameID struct {
	Value, Format, NameQualifier, SPNameQualifier string
}

// Attribute is a statement about the user.
type Attribute struct {
	Name, FriendlyName, NameFormat string
	Values                         []string
}

// contents checks an assertion whose signature was verified (SAML profiles 4.1.4.3).
func (v *verifier) contents(el *etree.Element) *Assertion {
	a := &Assertion{ID: attr(el, "ID"), Issuer: text(only(el, nsAssertion, "Issuer")), ReplayUntil: v.want.Now.Add(MaxAge + 3*Skew)}
	v.check(CheckIssuer, v.issuer(a.Issuer))
	v.check(CheckAge, v.fresh(attr(el, "IssueInstant")))
	subject := only(el, nsAssertion, "Subject")
	v.check(CheckSubject, a.subject(subject))
	v.check(CheckRecipient, v.confirmed(subject))
	conditions := only(el, nsAssertion, "Conditions")
	v.check(CheckForm, understood(conditions))
	v.check(CheckTime, v.within(conditions))
	v.check(CheckAudience, v.audience(conditions))
	v.check(CheckStatement, v.statements(el, a))
	return a
}

func (a *Assertion) subject(el *etree.Element) error {
	if len(children(el, nsAssertion, "EncryptedID")) > 0 {
		return errors.New("the subject has an encrypted name, which is not supported: encrypt the whole assertion")
	}
	name := only(el, nsAssertion, "NameID")
	value := text(name)
	if value == "" || len(value) > 1024 {
		return errors.New("the subject has no NameID, or a longer one than 1024 bytes")
	}
	a.NameID = NameID{Value: value, Format: attr(name, "Format"), NameQualifier: attr(name, "NameQualifier"), SPNameQualifier: attr(name, "SPNameQualifier")}
	return nil
}

// confirmed checks that the bearer of the assertion may present it, here and now.
func (v *verifier) confirmed(subject *etree.Element) error {
	err := errors.New("the subject has no confirmation of method bearer")
	for _, c := range children(subject, nsAssertion, "SubjectConfirmation") {
		if attr(c, "Method") != bearer {
			continue
		}
		data := only(c, nsAssertion, "SubjectConfirmationData")
		if data == nil {
			err = errors.New("the confirmation of the subject has no data")
			continue
		}
		if err = v.confirmation(data); err == nil {
			return nil
		}
	}
	return err
}

func (v *verifier) confirmation(data *etree.Element) error {
	if err := oneOf(attr(data, "Recipient"), v.self.ACS, "the assertion is for the recipient %q, not for this service's address %q"); err != nil {
		return err
	}
	if err := v.answers(attr(data, "InResponseTo")); err != nil {
		return err
	}
	if attr(data, "NotOnOrAfter") == "" {
		return errors.New("the confirmation of the subject has no end")
	}
	return v.within(data)
}

// understood checks that there is no condition but those of SAML core 2.5.1: whether one
// of another kind holds is not known, so the assertion is not valid (2.5.1.1). OneTimeUse
// holds for all assertions here; ProxyRestriction is for who issues assertions by this one.
func understood(conditions *etree.Element) error {
	for _, c := range conditions.ChildElements() {
		known := c.NamespaceURI() == nsAssertion && slices.Contains([]string{"AudienceRestriction", "OneTimeUse", "ProxyRestriction"}, c.Tag)
		for _, a := range c.Attr {
			if a.Key == "type" && a.NamespaceURI() == nsSchemaInstance { // perhaps a kind derived from it
				prefix, name, found := strings.Cut(strings.Trim(a.Value, xmlSpace), ":")
				if !found {
					prefix, name = "", prefix
				}
				known = known && scopeOf(c)[prefix] == nsAssertion && name == c.Tag+"Type"
			}
		}
		if !known {
			return fmt.Errorf("the assertion has a condition %.50q that is not understood", c.Tag)
		}
	}
	return nil
}

// within checks NotBefore and NotOnOrAfter, as far as they are given.
func (v *verifier) within(el *etree.Element) error {
	now := v.want.Now
	if s := attr(el, "NotBefore"); s != "" {
		at, err := instantOf(s)
		if err != nil {
			return errors.New("NotBefore is not a time")
		}
		if now.Before(at.Add(-Skew)) {
			return fmt.Errorf("the assertion is valid only in %s: compare the clock of the identity provider", at.Sub(now).Round(time.Second))
		}
	}
	if s := attr(el, "NotOnOrAfter"); s != "" {
		at, err := instantOf(s)
		if err != nil {
			return errors.New("NotOnOrAfter is not a time")
		}
		if !now.Before(at.Add(Skew)) {
			return fmt.Errorf("the assertion expired %s ago", now.Sub(at).Round(time.Second))
		}
	}
	return nil
}

// audience checks that every restriction names this service.
func (v *verifier) audience(conditions *etree.Element) error {
	restrictions := children(conditions, nsAssertion, "AudienceRestriction")
	if len(restrictions) == 0 {
		return errors.New("the assertion is for no audience: set this service's entity ID as the audience")
	}
	for _, r := range restrictions {
		named := ""
		found := false
		for _, a := range children(r, nsAssertion, "Audience") {
			named = text(a)
			if found = slices.Contains(v.self.EntityIDs, named); found {
				break
			}
		}
		if !found {
			return oneOf(named, v.self.EntityIDs, "the assertion is for the audience %q, not for this service's entity ID %q")
		}
	}
	return nil
}

// statements reads how the user signed in, and what is said of them.
func (v *verifier) statements(el *etree.Element, a *Assertion) error {
	authn := children(el, nsAssertion, "AuthnStatement")
	if len(authn) == 0 {
		return errors.New("the assertion does not say that the user signed in")
	}
	first := authn[0]
	a.SessionIndex = attr(first, "SessionIndex")
	if len(a.SessionIndex) > 1024 {
		return errors.New("SessionIndex is longer than 1024 bytes")
	}
	a.AuthnInstant, _ = instantOf(attr(first, "AuthnInstant"))
	if c := only(first, nsAssertion, "AuthnContext"); c != nil {
		a.AuthnContext = text(only(c, nsAssertion, "AuthnContextClassRef"))
	}
	for _, s := range authn {
		end := attr(s, "SessionNotOnOrAfter")
		if end == "" {
			continue
		}
		at, err := instantOf(end)
		if err != nil {
			return errors.New("SessionNotOnOrAfter is not a time")
		}
		if !v.want.Now.Before(at.Add(Skew)) {
			return errors.New("the user's session at the identity provider has ended")
		}
		if a.SessionNotOnOrAfter.IsZero() || at.Before(a.SessionNotOnOrAfter) {
			a.SessionNotOnOrAfter = at
		}
	}
	for _, s := range children(el, nsAssertion, "AttributeStatement") {
		for _, at := range children(s, nsAssertion, "Attribute") {
			a.add(at)
		}
	}
	return nil
}

// add adds an attribute. The values of one that is given twice are those of both.
func (a *Assertion) add(el *etree.Element) {
	got := Attribute{Name: attr(el, "Name"), FriendlyName: attr(el, "FriendlyName"), NameFormat: attr(el, "NameFormat")}
	for _, value := range children(el, nsAssertion, "AttributeValue") {
		if name := only(value, nsAssertion, "NameID"); name != nil && len(value.ChildElements()) == 1 {
			value = name
		}
		if len(value.ChildElements()) == 0 {
			got.Values = append(got.Values, text(value))
		}
	}
	for i := range a.Attributes {
		if have := &a.Attributes[i]; have.Name == got.Name && have.NameFormat == got.NameFormat {
			have.Values = append(have.Values, got.Values...)
			return
		}
	}
	a.Attributes = append(a.Attributes, got)
}

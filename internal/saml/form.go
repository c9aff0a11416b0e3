package saml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// responseForm checks that there is one assertion in the one place where it belongs, and
// signatures only where they can be meant (SAML core 3.3.3).
func responseForm(root *etree.Element) error {
	if !identifier.MatchString(attr(root, "ID")) || attr(root, "Version") != "2.0" {
		return errors.New("the response has no identifier of the required form, or is not of version 2.0")
	}
	if err := ordered(root, nsProtocol, "Response", []slot{
		{nsAssertion, "Issuer", 0, 1}, {nsDigest, "Signature", 0, 1}, {nsProtocol, "Extensions", 0, 1}, {nsProtocol, "Status", 1, 1},
		{nsAssertion, "EncryptedAssertion", 0, 1}, {nsAssertion, "Assertion", 0, 1},
	}); err != nil {
		return err
	}
	plain, hidden := only(root, nsAssertion, "Assertion"), only(root, nsAssertion, "EncryptedAssertion")
	if (plain == nil) == (hidden == nil) || count(root, nsAssertion, "Assertion")+count(root, nsAssertion, "EncryptedAssertion") != 1 ||
		count(root, nsProtocol, "Response") != 1 {
		return errors.New("the response does not have exactly one assertion")
	}
	allowed := len(children(root, nsDigest, "Signature"))
	if plain != nil {
		if err := assertionForm(plain); err != nil {
			return err
		}
		allowed += len(children(plain, nsDigest, "Signature"))
	}
	if count(root, nsDigest, "Signature") != allowed {
		return errors.New("the response has a signature in a place where none belongs")
	}
	return nil
}

// assertionForm checks the same of an assertion (SAML core 2.3.3).
func assertionForm(el *etree.Element) error {
	if !is(el, nsAssertion, "Assertion") || !identifier.MatchString(attr(el, "ID")) || attr(el, "Version") != "2.0" {
		return errors.New("the assertion has no identifier of the required form, or is not of version 2.0")
	}
	if err := ordered(el, nsAssertion, "Assertion", []slot{
		{nsAssertion, "Issuer", 1, 1}, {nsDigest, "Signature", 0, 1}, {nsAssertion, "Subject", 1, 1}, {nsAssertion, "Conditions", 1, 1},
		{nsAssertion, "Advice", 0, 1}, {nsAssertion, "", 0, 20},
	}); err != nil {
		return err
	}
	if count(el, nsAssertion, "Assertion") != 1 || count(el, nsAssertion, "EncryptedAssertion") != 0 ||
		count(el, nsDigest, "Signature") != len(children(el, nsDigest, "Signature")) {
		return errors.New("the assertion has another assertion, or a signature, in a place where none belongs")
	}
	return nil
}

// slot is a place for child elements: those of a name, or of all names in a namespace
// if tag is empty.
type slot struct {
	space, tag string
	min, max   int
}

// ordered checks that the child elements of el are those of the slots, in their order,
// with no text between them.
func ordered(el *etree.Element, space, tag string, slots []slot) error {
	if !is(el, space, tag) {
		return fmt.Errorf("it has no %s where one belongs", tag)
	}
	for _, t := range el.Child {
		if c, ok := t.(*etree.CharData); ok && strings.TrimSpace(c.Data) != "" {
			return fmt.Errorf("the %s has text between its elements", tag)
		}
	}
	list := el.ChildElements()
	for _, s := range slots {
		n := 0
		for len(list) > 0 && list[0].NamespaceURI() == s.space && (s.tag == "" || list[0].Tag == s.tag) {
			list = list[1:]
			n++
		}
		if n < s.min || n > s.max {
			return fmt.Errorf("the %s has %d elements %s", tag, n, s.tag)
		}
	}
	if len(list) > 0 {
		return fmt.Errorf("the %s has an element %.50s where none belongs", tag, list[0].Tag)
	}
	return nil
}

package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strings"

	"github.com/beevik/etree"
)

// Namespaces and identifiers of the specifications.
const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsDigest    = "http://www.w3.org/2000/09/xmldsig#"
	nsEncrypt   = "http://www.w3.org/2001/04/xmlenc#"
	nsXML       = "http://www.w3.org/XML/1998/namespace"

	nsSchemaInstance = "http://www.w3.org/2001/XMLSchema-instance"
)

// Bounds of a message. They bound what an unauthenticated one costs: it is scanned,
// read and looked through, but not canonicalized, before a signature is verified.
const (
	// MaxMessage bounds the XML of a response or a logout message, in bytes.
	MaxMessage = 256 << 10
	// MaxMetadata bounds the metadata of an identity provider. Federations' files
	// with hundreds of providers are larger: they are not for a connection.
	MaxMetadata = 1 << 20

	maxDepth      = 24
	maxAttributes = 40 // of one element
	maxPrefixes   = 64 // that are in scope at a place
	maxIdentifier = 256
)

// bounds of a document.
type bounds struct {
	bytes, elements, attributes int
	// comments are accepted where nothing depends on one text being read by two parsers.
	comments bool
}

var (
	ofMessage  = bounds{bytes: MaxMessage, elements: 4000, attributes: 8000}
	ofMetadata = bounds{bytes: MaxMetadata, elements: 20_000, attributes: 40_000, comments: true}
)

var (
	// identifier is an xs:ID of bounded length.
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,` + fmt.Sprint(maxIdentifier-1) + `}$`)
	// plainName is a name, without its prefix, that every parser reads in the same way.
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
)

// parse reads a document that every XML parser reads in the same way: UTF-8, without
// a document type, processing instructions and comments; names are in ASCII, prefixes are
// declared, and none is declared anew for another namespace below; no element has an
// attribute twice, no identifier occurs twice.
func parse(raw []byte, b bounds) (*etree.Element, error) {
	if len(raw) > b.bytes {
		return nil, fmt.Errorf("it is longer than %d bytes", b.bytes)
	}
	if err := (&scanner{raw: raw, bounds: b, ids: map[string]bool{}}).scan(); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return nil, fmt.Errorf("it is not well-formed XML: %w", err)
	}
	root := doc.Root()
	if root == nil {
		return nil, errors.New("it has no element")
	}
	return root, nil
}

// scanner checks a document by its tokens.
type scanner struct {
	raw        []byte
	bounds     bounds
	elements   int
	attributed int // attributes
	prefixes   int // in scope
	open       []scope
	closed     bool // the root element has ended
	ids        map[string]bool
}

// scope is an open element.
type scope struct {
	name     xml.Name // with its prefix
	prefixes map[string]string
}

func (s *scanner) scan() error {
	d := xml.NewDecoder(bytes.NewReader(s.raw))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) {
		return nil, errors.New("its encoding is not UTF-8")
	}
	for {
		at := d.InputOffset()
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("it is not well-formed XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			err = s.start(t)
		case xml.EndElement:
			err = s.end(t)
		case xml.Comment:
			if !s.bounds.comments {
				err = errors.New("it has a comment")
			}
		case xml.Directive:
			err = errors.New("it has a document type")
		case xml.ProcInst:
			if t.Target != "xml" || at != 0 {
				err = errors.New("it has a processing instruction")
			}
		case xml.CharData:
			if len(s.open) == 0 && len(bytes.TrimSpace(t)) > 0 {
				err = errors.New("it has text outside its element")
			}
		}
		if err != nil {
			return err
		}
	}
	if !s.closed {
		return errors.New("it is not complete")
	}
	return nil
}

func (s *scanner) start(t xml.StartElement) error {
	s.elements++
	s.attributed += len(t.Attr)
	switch {
	case s.closed:
		return errors.New("it has more than one element at its top")
	case len(s.open) == maxDepth:
		return fmt.Errorf("its elements are nested deeper than %d", maxDepth)
	case s.elements > s.bounds.elements:
		return fmt.Errorf("it has more than %d elements", s.bounds.elements)
	case s.attributed > s.bounds.attributes:
		return fmt.Errorf("it has more than %d attributes", s.bounds.attributes)
	case len(t.Attr) > maxAttributes:
		return fmt.Errorf("an element has more than %d attributes", maxAttributes)
	case !plain(t.Name):
		return errors.New("an element has a name that parsers read differently")
	}
	declared, err := s.declared(t.Attr)
	if err != nil {
		return err
	}
	if s.prefixes += len(declared); s.prefixes > maxPrefixes {
		return fmt.Errorf("more than %d prefixes are declared at a place", maxPrefixes)
	}
	s.open = append(s.open, scope{name: t.Name, prefixes: declared})
	if _, ok := s.namespace(t.Name.Space); !ok {
		return fmt.Errorf("the prefix %q is not declared", t.Name.Space)
	}
	return s.attributes(t.Attr)
}

// plain reports whether a name and its prefix are plain.
func plain(n xml.Name) bool {
	return plainName.MatchString(n.Local) && (n.Space == "" || plainName.MatchString(n.Space))
}

// declared returns the namespaces that an element declares, by prefix.
func (s *scanner) declared(list []xml.Attr) (map[string]string, error) {
	var out map[string]string
	for _, a := range list {
		prefix := ""
		switch {
		case a.Name.Space == "xmlns":
			prefix = a.Name.Local
		case a.Name.Space != "" || a.Name.Local != "xmlns":
			continue
		}
		if _, twice := out[prefix]; twice {
			return nil, fmt.Errorf("an element declares the prefix %q twice", prefix)
		}
		if strings.HasPrefix(strings.ToLower(prefix), "xml") || (a.Value == "" && prefix != "") {
			return nil, fmt.Errorf("the prefix %q may not be declared so", prefix)
		}
		if outer, ok := s.namespace(prefix); ok && prefix != "" && outer != a.Value {
			return nil, fmt.Errorf("the prefix %q is declared anew for another namespace", prefix)
		}
		if out == nil {
			out = map[string]string{}
		}
		out[prefix] = a.Value
	}
	return out, nil
}

// attributes checks that no attribute occurs twice, and no identifier in the document.
func (s *scanner) attributes(list []xml.Attr) error {
	seen := make(map[xml.Name]bool, len(list))
	for _, a := range list {
		if !plain(a.Name) {
			return errors.New("an attribute has a name that parsers read differently")
		}
		if a.Name.Space == "xmlns" || (a.Name.Space == "" && a.Name.Local == "xmlns") {
			continue
		}
		name := xml.Name{Local: a.Name.Local}
		if a.Name.Space != "" {
			space, ok := s.namespace(a.Name.Space)
			if !ok {
				return fmt.Errorf("the prefix %q is not declared", a.Name.Space)
			}
			name.Space = space
		}
		if seen[name] {
			return fmt.Errorf("an element has the attribute %q twice", a.Name.Local)
		}
		seen[name] = true
		if strings.EqualFold(a.Name.Local, "id") {
			if s.ids[a.Value] {
				return errors.New("an identifier occurs twice")
			}
			s.ids[a.Value] = true
		}
	}
	return nil
}

func (s *scanner) end(t xml.EndElement) error {
	last := len(s.open) - 1
	if last < 0 || s.open[last].name != t.Name {
		return errors.New("it is not well-formed XML: an element ends that is not open")
	}
	s.prefixes -= len(s.open[last].prefixes)
	s.open = s.open[:last]
	s.closed = last == 0
	return nil
}

// namespace returns what a prefix stands for here.
func (s *scanner) namespace(prefix string) (string, bool) {
	if prefix == "xml" {
		return nsXML, true
	}
	for i := len(s.open) - 1; i >= 0; i-- {
		if space, ok := s.open[i].prefixes[prefix]; ok {
			return space, true
		}
	}
	return "", prefix == ""
}

// is reports whether an element has the name in the namespace.
func is(el *etree.Element, space, tag string) bool {
	return el.Tag == tag && el.NamespaceURI() == space
}

// children returns the child elements of the name.
func children(el *etree.Element, space, tag string) []*etree.Element {
	var out []*etree.Element
	for _, c := range el.ChildElements() {
		if is(c, space, tag) {
			out = append(out, c)
		}
	}
	return out
}

// only returns the one child element of the name; nil if there is none or there are
// several.
func only(el *etree.Element, space, tag string) *etree.Element {
	if list := children(el, space, tag); len(list) == 1 {
		return list[0]
	}
	return nil
}

// attr returns an attribute without a namespace. Its absence is the empty text.
func attr(el *etree.Element, name string) string {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

// xmlSpace is the white space of XML. Other spaces are part of a name: two users could
// differ by one.
const xmlSpace = " \t\r\n"

// text returns the text of an element that has no elements, without the space around.
func text(el *etree.Element) string {
	if el == nil || len(el.ChildElements()) > 0 {
		return ""
	}
	var b strings.Builder
	for _, t := range el.Child {
		if c, ok := t.(*etree.CharData); ok {
			b.WriteString(c.Data)
		}
	}
	return strings.Trim(b.String(), xmlSpace)
}

// count returns the number of elements of the name in the tree. It costs the same for
// any nesting, unlike a lookup of each element's namespace.
func count(el *etree.Element, space, tag string) int {
	return countIn(el, space, tag, scopeOf(el.Parent()))
}

func countIn(el *etree.Element, space, tag string, outer map[string]string) int {
	prefixes := declaredBy(el, outer)
	n := 0
	if el.Tag == tag && prefixes[el.Space] == space {
		n++
	}
	for _, t := range el.Child {
		if c, ok := t.(*etree.Element); ok {
			n += countIn(c, space, tag, prefixes)
		}
	}
	return n
}

// scopeOf returns the namespaces in the scope of an element, by prefix.
func scopeOf(el *etree.Element) map[string]string {
	if el == nil {
		return nil
	}
	return declaredBy(el, scopeOf(el.Parent()))
}

// declaredBy returns the namespaces in the scope of an element within an outer scope,
// which stays as it is.
func declaredBy(el *etree.Element, outer map[string]string) map[string]string {
	in, ours := outer, false
	for _, a := range el.Attr {
		prefix := ""
		switch {
		case a.Space == "xmlns":
			prefix = a.Key
		case a.Space != "" || a.Key != "xmlns":
			continue
		}
		if !ours {
			in, ours = make(map[string]string, len(outer)+1), true
			maps.Copy(in, outer)
		}
		in[prefix] = a.Value
	}
	return in
}

package scim

import "strings"

// Path names an attribute of a resource, or an attribute of one of its extensions.
type Path struct {
	Extension string     // its URN; "" for the core schema
	Attr      *Attribute // nil: all of the extension
	Sub       *Attribute // nil: all of the attribute
}

// String returns the path in its canonical spelling.
func (p Path) String() string {
	s := p.Extension
	if p.Attr == nil {
		return s
	}
	if s != "" {
		s += ":"
	}
	s += p.Attr.Name
	if p.Sub != nil {
		s += "." + p.Sub.Name
	}
	return s
}

// Leaf is the attribute whose values the path selects.
func (p Path) Leaf() *Attribute {
	if p.Sub != nil {
		return p.Sub
	}
	return p.Attr
}

// scope is where names of attributes are looked up: a resource type, or within a value
// path the sub-attributes of an attribute.
type scope struct {
	resource *ResourceType
	within   *Attribute
}

// resolve finds the attribute that text names. ok is false if there is none.
func (s scope) resolve(text string) (p Path, ok bool) {
	if s.within != nil {
		p.Attr = s.within.sub(text)
		return p, p.Attr != nil
	}
	list, rest := []Attribute(nil), text
	if len(text) >= 4 && strings.EqualFold(text[:4], "urn:") {
		if ext := s.resource.extension(text); ext != nil {
			return Path{Extension: ext.ID}, true
		}
		// The name of an attribute has no colon.
		i := strings.LastIndexByte(text, ':')
		urn := text[:i]
		rest = text[i+1:]
		switch ext := s.resource.extension(urn); {
		case ext != nil:
			p.Extension, list = ext.ID, ext.Attributes
		case strings.EqualFold(urn, s.resource.Core.ID):
		default:
			return p, false
		}
	}
	name, sub, dotted := strings.Cut(rest, ".")
	if p.Extension != "" {
		p.Attr = find(list, name)
	} else {
		p.Attr = s.resource.attribute(name)
	}
	if p.Attr == nil {
		return p, false
	}
	if dotted {
		p.Sub = p.Attr.sub(sub)
		return p, p.Sub != nil
	}
	return p, true
}

// isName reports whether text has the form of attrPath in RFC 7644, section 3.4.2.2.
func isName(text string) bool {
	rest := text
	if len(text) >= 4 && strings.EqualFold(text[:4], "urn:") {
		i := strings.LastIndexByte(text, ':')
		for _, c := range []byte(text[:i]) {
			if !isNameChar(c) && c != ':' && c != '.' {
				return false
			}
		}
		rest = text[i+1:]
	}
	name, sub, dotted := strings.Cut(rest, ".")
	return isAttrName(name) && (!dotted || isAttrName(sub))
}

func isAttrName(s string) bool {
	s = strings.TrimPrefix(s, "$") // $ref
	if s == "" || !isAlpha(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isNameChar(s[i]) {
			return false
		}
	}
	return true
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isNameChar(c byte) bool { return isAlpha(c) || '0' <= c && c <= '9' || c == '-' || c == '_' }

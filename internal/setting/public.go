package setting

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// publicConstants are members of /auth/v1/settings that clients read and no
// setting stands for.
var publicConstants = map[string]string{
	"saml_private_key_next_configured": "false",
}

// publicPart is a piece of the answer of /auth/v1/settings: text that is the same
// for every project, and then the value of a setting.
type publicPart struct {
	text  string
	field func(*Config) any // nil for the last part
}

// publicMember is a member of the answer, or of an object in it.
type publicMember struct {
	object, name string // object is "" for the answer itself
	fixed        string // JSON; "" where field has the value
	field        func(*Config) any
}

func publicMembers(all []Setting) []publicMember {
	var out []publicMember
	add := func(path, fixed string, field func(*Config) any) {
		object, name, nested := strings.Cut(path, ".")
		if !nested {
			object, name = "", path
		}
		out = append(out, publicMember{object, name, fixed, field})
	}
	for path, value := range publicConstants {
		add(path, value, nil)
	}
	for _, s := range all {
		switch {
		case s.Public == "":
		case s.Field != nil:
			add(s.Public, "", s.Field)
		case s.packed != nil:
			add(s.Public, "", s.packed.get)
		case s.Default == nil: // null is the empty text here
			add(s.Public, `""`, nil)
		default:
			add(s.Public, s.Off(), nil)
		}
	}
	slices.SortFunc(out, func(a, b publicMember) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.name, b.name))
	})
	return out
}

// publicParts puts the members together; those of the answer itself come first.
func publicParts(members []publicMember) []publicPart {
	var parts []publicPart
	text, object := "{", ""
	for i, m := range members {
		if i > 0 && m.object != object && object != "" {
			text += "}"
		}
		if i > 0 {
			text += ","
		}
		if m.object != object {
			text, object = text+strconv.Quote(m.object)+":{", m.object
		}
		text += strconv.Quote(m.name) + ":" + m.fixed
		if m.field != nil {
			parts = append(parts, publicPart{text, m.field})
			text = ""
		}
	}
	if object != "" {
		text += "}"
	}
	return append(parts, publicPart{text: text + "}"})
}

// AppendPublic appends to b what everybody may know of a project's settings: the
// answer of /auth/v1/settings.
func (c *Config) AppendPublic(b []byte) []byte {
	for i := range declared.public {
		p := &declared.public[i]
		b = append(b, p.text...)
		if p.field != nil {
			b = appendValue(b, p.field(c))
		}
	}
	return b
}

// appendValue appends the value that a Field points to, or a packed one.
func appendValue(b []byte, field any) []byte {
	switch p := field.(type) {
	case bool:
		return strconv.AppendBool(b, p)
	case *bool:
		return strconv.AppendBool(b, *p)
	case *int:
		return strconv.AppendInt(b, int64(*p), 10)
	default:
		raw, _ := json.Marshal(p) // a text or a number
		return append(b, raw...)
	}
}

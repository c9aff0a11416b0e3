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
	"external.fly":                     "false",
	"external.linkedin":                "false",
	"external.snapchat":                "false",
	"phone_autoconfirm":                "false",
	"saml_private_key_next_configured": "false",
}

// publicMember is a member of /auth/v1/settings, in one object or in an object of
// that object.
type publicMember struct {
	object string // "" for the outer one
	key    string // `"name":`
	fixed  string // JSON; "" where field has the value
	field  func(*Config) any
}

func publicMembers(all []Setting) []publicMember {
	var out []publicMember
	add := func(path, fixed string, field func(*Config) any) {
		object, name, nested := strings.Cut(path, ".")
		if !nested {
			object, name = "", path
		}
		out = append(out, publicMember{object, strconv.Quote(name) + ":", fixed, field})
	}
	for path, value := range publicConstants {
		add(path, value, nil)
	}
	for _, s := range all {
		switch {
		case s.Public == "":
		case s.Field != nil:
			add(s.Public, "", s.Field)
		case s.Default == nil: // null is the empty text here
			add(s.Public, `""`, nil)
		default:
			add(s.Public, s.Off(), nil)
		}
	}
	slices.SortFunc(out, func(a, b publicMember) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.key, b.key))
	})
	return out
}

// AppendPublic appends to b what everybody may know of a project's settings: the
// answer of /auth/v1/settings.
func (c *Config) AppendPublic(b []byte) []byte {
	b = append(b, '{')
	object := ""
	for i, m := range declared.public {
		switch {
		case m.object != object: // the outer members come first
			if object != "" {
				b = append(b, '}')
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = append(strconv.AppendQuote(b, m.object), ':', '{')
			object = m.object
		case i > 0:
			b = append(b, ',')
		}
		b = append(b, m.key...)
		b = m.appendValue(b, c)
	}
	if object != "" {
		b = append(b, '}')
	}
	return append(b, '}')
}

func (m *publicMember) appendValue(b []byte, c *Config) []byte {
	if m.field == nil {
		return append(b, m.fixed...)
	}
	switch p := m.field(c).(type) {
	case *bool:
		return strconv.AppendBool(b, *p)
	case *int:
		return strconv.AppendInt(b, int64(*p), 10)
	default:
		raw, _ := json.Marshal(p) // a text or a number
		return append(b, raw...)
	}
}

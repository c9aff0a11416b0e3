package custom

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/reevehq/reeve/internal/connector"
)

// description is what a provider says of a user, by member.
type description map[string]json.RawMessage

// at returns the value at a path: a member, or inner ones separated by dots.
func (d description) at(path string) (json.RawMessage, bool) {
	if value, ok := d[path]; ok {
		return value, true
	}
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		return nil, false
	}
	var inner description
	if json.Unmarshal(d[first], &inner) != nil {
		return nil, false
	}
	return inner.at(rest)
}

// text returns a text or number; "" for any other value.
func (d description) text(path string) string {
	var t connector.Text
	if value, ok := d.at(path); ok {
		_ = json.Unmarshal(value, &t)
	}
	return string(t)
}

func (d description) flag(path string) bool {
	var f connector.Flag
	if value, ok := d.at(path); ok {
		_ = json.Unmarshal(value, &f)
	}
	return bool(f)
}

// suffices reports whether the description has an address and whatever else the
// definition asks for.
func (d description) suffices(of Definition) bool {
	wanted := append([]string{"email"}, of.ClaimsAllowList...)
	for _, source := range of.AttributeMapping {
		if path, ok := source.(string); ok {
			wanted = append(wanted, path)
		}
	}
	for _, path := range wanted {
		if _, ok := d.at(path); !ok {
			return false
		}
	}
	return true
}

// mapped returns the description with the definition's attribute mapping. A
// source that is missing changes nothing.
func (d description) mapped(of Definition) description {
	out := make(description, len(d)+len(of.AttributeMapping))
	for name, value := range d {
		out[name] = value
	}
	for target, source := range of.AttributeMapping {
		if path, ok := source.(string); ok {
			if value, ok := d.at(path); ok {
				out[target] = value
			}
			continue
		}
		if value, err := json.Marshal(source); err == nil {
			out[target] = value
		}
	}
	return out
}

func (d description) claims(of Definition) connector.Claims {
	m := d.mapped(of)
	c := connector.Claims{
		Issuer: m.text("iss"), Subject: m.text("sub"), Name: m.text("name"), FamilyName: m.text("family_name"), GivenName: m.text("given_name"),
		MiddleName: m.text("middle_name"), Nickname: m.text("nickname"), PreferredUsername: m.text("preferred_username"),
		Profile: m.text("profile"), Picture: m.text("picture"), Website: m.text("website"), Gender: m.text("gender"),
		Birthdate: m.text("birthdate"), ZoneInfo: m.text("zoneinfo"), Locale: m.text("locale"), UpdatedAt: m.text("updated_at"),
		Email: m.text("email"), EmailVerified: m.flag("email_verified"), Phone: m.text("phone"), PhoneVerified: m.flag("phone_verified"),
		FullName: m.text("full_name"), AvatarURL: m.text("avatar_url"), Slug: m.text("slug"), UserName: m.text("user_name"),
	}
	for _, path := range of.ClaimsAllowList {
		if value, ok := d.at(path); ok {
			if c.Custom == nil {
				c.Custom = map[string]any{}
			}
			c.Custom[path] = decode(value)
		}
	}
	return c
}

// decode keeps the digits of large numbers.
func decode(raw json.RawMessage) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	_ = decoder.Decode(&value)
	return value
}

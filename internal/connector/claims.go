package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is kept of a provider's description.
const (
	maxSubject = 255      // bytes
	maxEmail   = 320      // bytes, RFC 3696 erratum 1690
	maxText    = 4096     // bytes of any other text; a longer one is left out
	maxCustom  = 16 << 10 // bytes of custom_claims as JSON; more is left out
	maxDepth   = 8        // of values in custom_claims
)

// Claims is what a provider says of a user, with the members of OpenID Connect
// Core, section 5.1, and those that the reference keeps for older apps.
type Claims struct {
	Issuer            string
	Subject           string
	Name              string
	FamilyName        string
	GivenName         string
	MiddleName        string
	Nickname          string
	PreferredUsername string
	Profile           string
	Picture           string
	Website           string
	Gender            string
	Birthdate         string
	ZoneInfo          string
	Locale            string
	UpdatedAt         string
	Email             string
	EmailVerified     bool
	Phone             string
	PhoneVerified     bool
	// Custom becomes the member custom_claims: what only this provider has.
	Custom map[string]any

	FullName  string
	AvatarURL string
	Slug      string
	UserName  string
}

// ToProfile returns the profile with its identity_data. Texts that cannot be
// stored are left out. It returns ErrProfile if the subject is missing or
// cannot be an identifier.
func (c Claims) ToProfile() (*Profile, error) {
	if c.Subject == "" || len(c.Subject) > maxSubject || clean(c.Subject) != c.Subject {
		return nil, ErrProfile.Because(errors.New("the provider sent no usable user id"))
	}
	email := strings.TrimSpace(clean(c.Email))
	if len(email) > maxEmail {
		email = ""
	}
	p := &Profile{Subject: c.Subject, Email: email, EmailVerified: email != "" && c.EmailVerified}
	p.Data = map[string]any{"email_verified": p.EmailVerified, "phone_verified": c.PhoneVerified && c.Phone != ""}
	for name, value := range map[string]string{
		"iss": c.Issuer, "sub": c.Subject, "provider_id": c.Subject, "email": email, "phone": c.Phone,
		"name": c.Name, "family_name": c.FamilyName, "given_name": c.GivenName, "middle_name": c.MiddleName,
		"nickname": c.Nickname, "preferred_username": c.PreferredUsername, "profile": c.Profile, "picture": c.Picture,
		"website": c.Website, "gender": c.Gender, "birthdate": c.Birthdate, "zoneinfo": c.ZoneInfo, "locale": c.Locale,
		"updated_at": c.UpdatedAt,
		"full_name":  c.FullName, "avatar_url": c.AvatarURL, "slug": c.Slug, "user_name": c.UserName,
	} {
		if value = clean(value); value != "" && len(value) <= maxText {
			p.Data[name] = value
		}
	}
	if custom := cleanCustom(c.Custom); len(custom) > 0 {
		p.Data["custom_claims"] = custom
	}
	return p, nil
}

// clean removes what Postgres cannot store and what no name or address has.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// cleanCustom returns the claims without null, texts that cannot be stored and
// deep values; nil if they are too long together.
func cleanCustom(claims map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range claims {
		if value, ok := cleanValue(value, maxDepth); ok && clean(name) == name {
			out[name] = value
		}
	}
	if raw, err := json.Marshal(out); err != nil || len(raw) > maxCustom {
		return nil
	}
	return out
}

func cleanValue(value any, depth int) (any, bool) {
	if depth == 0 {
		return nil, false
	}
	switch v := value.(type) {
	case nil:
		return nil, false
	case string:
		return strings.ToValidUTF8(strings.ReplaceAll(v, "\x00", ""), ""), true
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if e, ok := cleanValue(e, depth-1); ok {
				out = append(out, e)
			}
		}
		return out, true
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			if e, ok := cleanValue(e, depth-1); ok && clean(name) == name {
				out[name] = e
			}
		}
		return out, true
	default:
		return v, true
	}
}

// Text is a JSON string or number: some providers' identifiers are numbers, and
// too large for a float64. Any other value is the empty text.
type Text string

// UnmarshalJSON never fails on valid JSON.
func (t *Text) UnmarshalJSON(raw []byte) error {
	*t = ""
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		*t = Text(s)
		return err
	case c == '-' || c >= '0' && c <= '9':
		*t = Text(raw)
	}
	return nil
}

// Flag is a JSON boolean that some providers send as a string or number. It is
// true for true, 1, "true" and "1".
type Flag bool

// UnmarshalJSON never fails on valid JSON.
func (f *Flag) UnmarshalJSON(raw []byte) error {
	switch string(bytes.TrimSpace(raw)) {
	case `true`, `1`, `"true"`, `"1"`, `"True"`:
		*f = true
	default:
		*f = false
	}
	return nil
}

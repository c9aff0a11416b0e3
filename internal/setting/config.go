package setting

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Config is the values of a project's settings that have an effect, typed, for
// flows to read. Secrets are not in it; see Secrets. A Config is immutable once
// a tenant carries it.
type Config struct {
	General
	Email
	Templates
	SMTP
	Passwords
	Tokens
	Sessions
	Factors
	Notices
	MFAPolicies
	SAML
	Limits
	Providers
	Captcha
	EmailDomains
	Phone
	Hooks
	Passkeys
}

// declared is every group, made once; it is never changed.
var declared = newTable(
	general(), email(), emailDomains(), templates(), smtp(), notifications(), passwords(), tokens(), sessions(), limits(),
	providers(), phone(), mfa(), passkeys(), captcha(), hooks(), saml(), web3(), oauthServer(), server(),
)

type table struct {
	groups []Group
	all    []Setting
	byName map[string]int // into all
	public []publicPart
}

func newTable(groups ...Group) *table {
	t := &table{groups: groups, byName: map[string]int{}}
	for _, g := range groups {
		for i, s := range g.Settings {
			s = s.normal()
			g.Settings[i] = s
			t.byName[s.Name] = len(t.all)
			t.all = append(t.all, s)
		}
	}
	t.public = publicParts(publicMembers(t.all))
	return t
}

// All returns every setting.
func All() []Setting { return slices.Clone(declared.all) }

// ByName finds a setting.
func ByName(name string) (Setting, bool) {
	i, ok := declared.byName[name]
	if !ok {
		return Setting{}, false
	}
	return declared.all[i], true
}

// Default returns the settings of a new project.
func Default() Config {
	var c Config
	for i := range declared.all {
		declared.all[i].Set(&c, nil)
	}
	return c
}

// CheckTogether checks the rules over several settings, secret ones included;
// the error begins with the name of the wrong setting.
func (c *Config) CheckTogether(secrets Secrets) error {
	for _, g := range declared.groups {
		for _, r := range g.Rules {
			if err := r.Check(c, secrets); err != nil {
				return err
			}
		}
	}
	return nil
}

// MarshalJSON returns the stored form: an object of all values by name, without
// those of packed settings that are off.
func (c Config) MarshalJSON() ([]byte, error) {
	out := make(map[string]any, len(declared.all))
	for i := range declared.all {
		switch s := &declared.all[i]; {
		case s.Field != nil:
			out[s.Name] = s.Field(&c)
		case s.packed != nil:
			if value := s.packed.get(&c); value != s.Default {
				out[s.Name] = value
			}
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the stored form. A setting that is missing keeps the value
// that c has, an unknown one is passed over: a row may be of another release.
func (c *Config) UnmarshalJSON(raw []byte) error {
	var in map[string]any
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	for name, value := range in {
		i, ok := declared.byName[name]
		if !ok || value == nil {
			continue
		}
		s := &declared.all[i]
		if !s.Kept() {
			continue
		}
		if !s.Kind.has(value) {
			return fmt.Errorf("%s: the stored value is no %s", name, s.Kind)
		}
		s.Set(c, value)
	}
	return nil
}
